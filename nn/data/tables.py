"""Reader of images in a CSV table, one row of pixels for each: the form of Kaggle's digit recognizer."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.data.readers import DataError, check_labels

Array = NDArray[Any]

_BLOCK = 500
"""Lines that are parsed at a time."""

_NUMBER = re.compile(rb"\s*\+?\d+\s*")


def read_csv(
    path: str | Path, *, shape: tuple[int, ...] | None = None, classes: int = 10
) -> tuple[Array, Array | None]:
    """Return the images and labels of a CSV file with the header label,pixel0,pixel1,... or pixel0,pixel1,...

    Args:
        path: the file.
        shape: (H, W) or (C, H, W) of an image; the default is a square.
        classes: labels must be 0 .. classes - 1.

    Returns:
        Images, float32 (N, C, H, W) in 0 .. 1, from pixels in 0 .. 255; and labels, int64 (N,), or None where the file
        has none.

    Raises:
        DataError: no such header, a row with too few or too many numbers, something that is no whole number, a pixel
            above 255, a label out of range; the message names the line.
        OSError: the file cannot be read.
    """
    path = Path(path)
    lines = path.read_bytes().splitlines()
    columns, labelled = _header(lines, path)
    shape = _image_shape(shape, columns - labelled, path)
    while lines and not lines[-1].strip():
        lines.pop()
    blocks = [_block(lines[at : at + _BLOCK], columns, at + 1, path) for at in range(1, len(lines), _BLOCK)]
    table = np.concatenate(blocks) if blocks else np.zeros((0, columns), np.uint8)
    labels = table[:, 0].astype(np.int64) if labelled else None
    if labels is not None:
        check_labels(labels, classes, path, first_line=2)
    images = table[:, int(labelled) :] * np.float32(1 / 255)
    return images.reshape(-1, *shape), labels


def _header(lines: list[bytes], path: Path) -> tuple[int, bool]:
    """Return the number of columns, and whether the first holds labels."""
    names = [name.strip().strip(b'"').lstrip(b"\xef\xbb\xbf") for name in lines[0].split(b",")] if lines else []
    labelled = names[:1] == [b"label"]
    expected = [b"label"] * labelled + [b"pixel%d" % i for i in range(len(names) - labelled)]
    if not names or names != expected or len(names) == labelled:
        raise DataError(f"{path}: line 1: expected the header label,pixel0,pixel1,... or pixel0,pixel1,...")
    return len(names), labelled


def _image_shape(shape: tuple[int, ...] | None, pixels: int, path: Path) -> tuple[int, ...]:
    side = math.isqrt(pixels)
    if shape is None and side * side != pixels:
        raise DataError(f"{path}: line 1: {pixels} pixels make no square: pass shape=(H, W)")
    shape = (side, side) if shape is None else shape
    if math.prod(shape) != pixels:
        raise DataError(f"{path}: line 1: expected {math.prod(shape)} pixels for images {shape}, got {pixels}")
    return (1, *shape) if len(shape) == 2 else shape


def _block(lines: list[bytes], columns: int, number: int, path: Path) -> Array:
    """Return the numbers of some lines, the first of which has this number in the file."""
    for offset, line in enumerate(lines):
        if line.count(b",") != columns - 1:
            found = line.count(b",") + 1 if line.strip() else 0
            raise DataError(f"{path}: line {number + offset}: expected {columns} numbers, got {found}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # older NumPy warns of what is no number
            values = np.fromstring(b",".join(lines), dtype=np.int64, sep=",")
    except (ValueError, DeprecationWarning):
        values = np.empty(0, np.int64)
    if values.size != len(lines) * columns or values.min(initial=0) < 0 or values.max(initial=0) > 255:
        _refuse(lines, number, path)
    return values.astype(np.uint8).reshape(len(lines), columns)


def _refuse(lines: list[bytes], number: int, path: Path) -> None:
    """Raise for the first cell that is no whole number in 0 .. 255."""
    for offset, line in enumerate(lines):
        for column, cell in enumerate(line.split(b","), start=1):
            if not _NUMBER.fullmatch(cell) or int(cell) > 255:
                shown = cell.decode(errors="replace").strip()[:40]
                place = f"line {number + offset}, column {column}"
                raise DataError(f"{path}: {place}: expected a whole number in 0 .. 255, got {shown!r}")
    raise DataError(f"{path}: lines {number} to {number + len(lines) - 1} could not be read as whole numbers")
