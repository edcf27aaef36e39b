"""Data: readers, splits, mini-batches."""

from nn.data.batches import Batches, split
from nn.data.readers import DataError, digits, mnist, read_idx

__all__ = ["Batches", "DataError", "digits", "mnist", "read_idx", "split"]
