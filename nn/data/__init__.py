"""Data: readers, splits, mini-batches, augmentation."""

from nn.data.augmentation import Affine, Compose, Erase, Mirror, rotate, scale, shift
from nn.data.batches import Batches, normalize, split
from nn.data.folders import image_folder
from nn.data.readers import DataError, digits, mnist, read_idx
from nn.data.tables import read_csv
from nn.losses import one_hot

__all__ = [
    "Affine",
    "Batches",
    "Compose",
    "DataError",
    "Erase",
    "Mirror",
    "digits",
    "image_folder",
    "mnist",
    "normalize",
    "one_hot",
    "read_csv",
    "read_idx",
    "rotate",
    "scale",
    "shift",
    "split",
]
