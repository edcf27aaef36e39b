"""Augmentation: random changes of images that leave their label right.

Each is a function of a batch (N, C, H, W) and a generator, as `Batches(transform=...)` calls it, and returns a new
array of the same shape and dtype. What happens to the pixels is scipy.ndimage's work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Transform = Callable[[Array, np.random.Generator], Array]


def _check_images(images: Array, name: str) -> None:
    if images.ndim != 4:
        raise ValueError(f"{name}: expected images (N, C, H, W), got {images.shape}")


@dataclass(frozen=True)
class Compose:
    """Several transforms, one after the other.

    Attributes:
        transforms: in order.
    """

    transforms: tuple[Transform, ...]

    def __init__(self, *transforms: Transform) -> None:
        object.__setattr__(self, "transforms", transforms)

    def __call__(self, images: Array, rng: np.random.Generator) -> Array:
        """Return the images, changed by each transform."""
        for transform in self.transforms:
            images = transform(images, rng)
        return images


@dataclass(frozen=True)
class Mirror:
    """Exchange left and right.

    Attributes:
        p: probability for each image.
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"Mirror: expected p in 0 .. 1, got {self.p}")

    def __call__(self, images: Array, rng: np.random.Generator) -> Array:
        """Return the images, some of them mirrored."""
        _check_images(images, "Mirror")
        chosen = rng.random(len(images)) < self.p
        return np.where(chosen[:, None, None, None], images[..., ::-1], images)


@dataclass(frozen=True)
class Affine:
    """Rotate, scale, shear and shift each image about its middle by amounts of its own.

    Attributes:
        degrees: largest angle, to either side.
        shift: largest shift in pixels, up, down, left or right.
        scale: largest change of size: 0.1 draws factors from 0.9 to 1.1.
        shear: largest shear in degrees, to either side.
        fill: value of what comes in from outside.
    """

    degrees: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    fill: float = 0.0

    def __post_init__(self) -> None:
        if min(self.degrees, self.shift, self.scale, self.shear) < 0 or self.scale >= 1 or self.shear >= 90:
            raise ValueError(f"Affine: expected amounts of at least 0, scale < 1 and shear < 90, got {self}")

    def __call__(self, images: Array, rng: np.random.Generator) -> Array:
        """Return the images, each turned, scaled, sheared and shifted; between pixels values are interpolated."""
        from scipy.ndimage import map_coordinates

        _check_images(images, "Affine")
        count, channels, height, width = images.shape
        places = self._origins(rng.uniform(-1, 1, (count, 5)), height, width)
        numbers = np.broadcast_to(np.arange(count, dtype=float)[:, None], (count, height * width))
        origins = np.stack([numbers, places[:, 0], places[:, 1]]).reshape(3, count, height, width)
        changed = np.empty_like(images)
        for channel in range(channels):
            map_coordinates(
                images[:, channel], origins, output=changed[:, channel], order=1, mode="grid-constant", cval=self.fill
            )
        return changed

    def _origins(self, draws: Array, height: int, width: int) -> Array:
        """Return from which row and column each pixel of each result comes: (N, 2, height * width)."""
        angle, slant = np.deg2rad(draws[:, 0] * self.degrees), np.tan(np.deg2rad(draws[:, 1] * self.shear))
        factor = 1 + draws[:, 2] * self.scale
        sine, cosine = np.sin(angle) * factor, np.cos(angle) * factor
        there = np.stack([cosine - sine * slant, -sine, sine + cosine * slant, cosine], axis=1).reshape(-1, 2, 2)
        middle = np.array([[(height - 1) / 2], [(width - 1) / 2]])
        pixels = np.indices((height, width)).reshape(2, -1) - middle
        back: Array = np.linalg.inv(there) @ (pixels - draws[:, 3:, None] * self.shift) + middle
        return back


def rotate(degrees: float, **options: Any) -> Affine:
    """Return the transform that turns each image by up to so many degrees, to either side.

    Args:
        degrees: largest angle.
        **options: of `Affine`.
    """
    return Affine(degrees=degrees, **options)


def shift(pixels: float, **options: Any) -> Affine:
    """Return the transform that shifts each image by up to so many pixels along each axis.

    Args:
        pixels: largest shift.
        **options: of `Affine`.
    """
    return Affine(shift=pixels, **options)


def scale(amount: float, **options: Any) -> Affine:
    """Return the transform that changes the size of each image by up to a share of it.

    Args:
        amount: the share: 0.1 draws factors from 0.9 to 1.1.
        **options: of `Affine`.
    """
    return Affine(scale=amount, **options)


@dataclass(frozen=True)
class Erase:
    """Blot out a rectangle in each image, anywhere.

    Attributes:
        size: largest height and width of the rectangle, as a share of the image's.
        p: probability for each image.
        fill: value to put there.

    Source: Zhong et al., "Random erasing data augmentation", arXiv:1708.04896.
    """

    size: float = 0.4
    p: float = 0.5
    fill: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.size <= 1 and 0 <= self.p <= 1):
            raise ValueError(f"Erase: expected size and p in 0 .. 1, got {self.size} and {self.p}")

    def __call__(self, images: Array, rng: np.random.Generator) -> Array:
        """Return the images, some of them with a rectangle blotted out."""
        _check_images(images, "Erase")
        changed = images.copy()
        lengths = np.array(images.shape[2:])
        for image, (luck, *draws) in zip(changed, rng.random((len(images), 5)), strict=True):
            if luck < self.p:
                extent = np.rint(np.multiply(draws[:2], self.size * lengths)).astype(int)
                top, left = np.floor(np.multiply(draws[2:], lengths - extent + 1)).astype(int)
                image[:, top : top + extent[0], left : left + extent[1]] = self.fill
        return changed
