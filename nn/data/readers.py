"""Readers of image data: scikit-learn's digits and files in the IDX format of MNIST.

Images come as float32 (N, C, H, W) in 0 .. 1, labels as int64 (N,). A file that is not what it should be raises a
`DataError` that says where.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class DataError(ValueError):
    """A data file is damaged or not of the format it was read as; the message names file and place."""


def digits() -> tuple[Array, Array]:
    """Return the 1,797 handwritten digits that ship with scikit-learn: images (1797, 1, 8, 8) and labels.

    Raises:
        ImportError: scikit-learn is not installed (`pip install bargrad[data]`).
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images / 16).astype(np.float32)[:, None]
    return images, bunch.target.astype(np.int64)


_LABELS_AT = 8
"""Offset of the first label in an IDX file: behind the magic number and the length of the one axis."""

_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> Array:
    """Return the array in an IDX file, the format of MNIST; compressed by gzip if the name ends in .gz.

    The format: two zero bytes, a byte for the type of the numbers, a byte for the number of axes, each axis' length
    as four bytes (most significant first), the numbers.

    Args:
        path: the file.

    Raises:
        DataError: wrong magic number, unknown type, too few or too many bytes, damaged compression.
        OSError: the file cannot be read.
    """
    path = Path(path)
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return _parse_idx(file, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged gzip data ({error})") from error


def _parse_idx(file: Any, path: Path) -> Array:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES:
        raise DataError(
            f"{path}: offset 0: expected the magic number of an IDX file (00 00, a type, the number of axes), "
            f"got {magic.hex(' ') or 'an empty file'}"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path}: offset 4: expected the lengths of {magic[3]} axes, but the file ends")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    dtype = np.dtype(_IDX_TYPES[magic[2]])
    expected = math.prod(shape) * dtype.itemsize
    body = file.read(expected + 1) if expected < 1 << 40 else b""
    if len(body) != expected:
        found = "more" if len(body) > expected else f"{len(body)}"
        raise DataError(
            f"{path}: offset {4 + len(sizes)}: expected {expected} bytes for an array of shape {shape}, found {found}"
        )
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def mnist(directory: str | Path) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return (images, labels) for training and for testing, from four IDX files under MNIST's names.

    Args:
        directory: holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
            t10k-labels-idx1-ubyte, each also with .gz.

    Raises:
        FileNotFoundError: one of the files is missing.
        DataError: a file is damaged, or images and labels do not belong together.
    """
    return _mnist_part(Path(directory), "train"), _mnist_part(Path(directory), "t10k")


def _mnist_part(directory: Path, part: str) -> tuple[Array, Array]:
    images_path = _one_of(directory, f"{part}-images-idx3-ubyte", f"{part}-images.idx3-ubyte")
    labels_path = _one_of(directory, f"{part}-labels-idx1-ubyte", f"{part}-labels.idx1-ubyte")
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(f"{images_path}: expected images (N, H, W) of bytes, got {images.dtype} {images.shape}")
    if labels.shape != images.shape[:1]:
        raise DataError(f"{labels_path}: expected {len(images)} labels, one for each image, got shape {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise DataError(f"{labels_path}: expected integer labels, got {labels.dtype}")
    check_labels(labels, 10, labels_path)
    return (images * np.float32(1 / 255))[:, None], labels.astype(np.int64)


def _one_of(directory: Path, *names: str) -> Path:
    for name in (f"{name}{ending}" for name in names for ending in ("", ".gz")):
        if (directory / name).is_file():
            return directory / name
    raise FileNotFoundError(f"{directory}: expected a file {names[0]} or {names[0]}.gz there")


def check_labels(labels: Array, classes: int, path: Any, *, first_line: int | None = None) -> None:
    """Raise DataError for the first label outside 0 .. classes - 1, by its line if it has one, else by its offset."""
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        offset = _LABELS_AT + wrong[0] * labels.itemsize
        place = f"offset {offset}" if first_line is None else f"line {first_line + wrong[0]}"
        raise DataError(f"{path}: {place}: the label is {labels[wrong[0]]}, expected 0 to {classes - 1}")
