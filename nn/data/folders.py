"""Reader of image files in folders, one folder for each class."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.data.readers import DataError

Array = NDArray[Any]

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp")


def image_folder(
    directory: str | Path, *, size: tuple[int, int] | None = None, color: bool = True
) -> tuple[Array, Array, list[str]]:
    """Return the images in the folders of a directory, the number of each one's folder, and the folders' names.

    Args:
        directory: holds a folder for each class, with image files in it; other files are passed over.
        size: (H, W) to bring all images to; without it they must have one size.
        color: red, green and blue (C = 3), or gray (C = 1).

    Returns:
        Images, float32 (N, C, H, W) in 0 .. 1; labels, int64 (N,), in the order of the names; the names, sorted.

    Raises:
        DataError: a file that cannot be read as an image, has more pixels than Pillow thinks safe or another size than
            the first, or no image at all.
        FileNotFoundError: there is no such directory.
        ImportError: Pillow is not installed.
    """
    directory = Path(directory)
    folders = sorted(path for path in directory.iterdir() if path.is_dir())
    paths = [(path, label) for label, folder in enumerate(folders) for path in _images(folder)]
    if not paths:
        raise DataError(f"{directory}: expected folders with images ({', '.join(ENDINGS)}), one for each class")
    images = [_image(path, size, color) for path, _ in paths]
    for image, (path, _) in zip(images, paths, strict=True):
        if image.shape != images[0].shape:
            expected = " x ".join(map(str, images[0].shape[1:]))
            found = " x ".join(map(str, image.shape[1:]))
            raise DataError(
                f"{path}: expected {expected} pixels as in {paths[0][0].name}, got {found}; pass size=(H, W)"
            )
    return np.stack(images), np.array([label for _, label in paths]), [folder.name for folder in folders]


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def _image(path: Path, size: tuple[int, int] | None, color: bool) -> Array:
    """Return one image, (C, H, W) in 0 .. 1."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = Image.open(path)
        with file:
            image = file.convert("RGB" if color else "L")
            image = image if size is None else image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image, np.float32) / 255
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever a decoder may raise on arbitrary bytes
        raise DataError(f"{path}: this cannot be read as an image ({error})") from error
    return pixels.transpose(2, 0, 1) if color else pixels[None]
