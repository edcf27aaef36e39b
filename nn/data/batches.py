"""Splits and mini-batches of arrays."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def split(
    *arrays: Any, fraction: float = 0.1, stratify: Any = None, rng: np.random.Generator | int | None = None
) -> list[Array]:
    """Return each array in two parts, the second holding `fraction` of the examples, drawn at random.

    Args:
        *arrays: of the same length: images, labels, ...
        fraction: of the examples to hold out, between 0 and 1; their number is rounded to the nearest.
        stratify: labels (N,): then each class is held out in proportion.
        rng: generator or seed.

    Returns:
        `[first_kept, first_held_out, second_kept, second_held_out, ...]`, each part in random order.

    Raises:
        ValueError: arrays of different lengths, or a fraction outside (0, 1).

    Example:
        >>> kept, held_out = split(np.arange(42000), fraction=0.1, rng=0)
        >>> len(kept), len(held_out)
        (37800, 4200)
    """
    count = _common_length(arrays)
    if not 0 < fraction < 1:
        raise ValueError(f"split: expected a fraction between 0 and 1, got {fraction}")
    rng = np.random.default_rng(rng)
    order = rng.permutation(count)
    held = round(count * fraction)
    chosen = order[:held] if stratify is None else _proportional(np.asarray(stratify)[order], order, held)
    keep = np.ones(count, dtype=bool)
    keep[chosen] = False
    parts = order[keep[order]], rng.permutation(chosen)
    return [np.asarray(array)[part] for array in arrays for part in parts]


def _proportional(labels: Array, order: Array, held: int) -> Array:
    """Return `held` entries of `order` with each label in proportion: the shares' largest remainders get the rest."""
    classes, sizes = np.unique(labels, return_counts=True)
    shares = sizes * held / len(labels)
    quota = np.floor(shares).astype(int)
    for position in np.argsort(quota - shares, kind="stable")[: held - quota.sum()]:
        quota[position] += 1
    return np.concatenate([order[labels == c][:n] for c, n in zip(classes, quota, strict=True)])


def _common_length(arrays: tuple[Any, ...]) -> int:
    lengths = [len(array) for array in arrays]
    if not lengths or len(set(lengths)) > 1:
        raise ValueError(f"expected arrays of one length, got lengths {lengths}")
    return lengths[0]


class Batches:
    """Mini-batches of arrays of examples; each pass over it is an epoch, shuffled anew.

    Args:
        *arrays: of the same length: images, labels, ...
        batch_size: examples in a batch; the last one may be smaller.
        shuffle: whether each epoch has another order.
        drop_last: leave out a last batch that is smaller.
        transform: called with the first array's part and the generator; returns what takes its place (augmentation).
        prefetch: number of batches that a thread prepares in advance; 0 for none. The batches are the same.
        rng: generator or seed, for the order and the transform.

    Raises:
        ValueError: arrays of different lengths, or a batch size below 1.

    Example:
        >>> batches = Batches(np.arange(10), batch_size=4, shuffle=False)
        >>> [part.tolist() for (part,) in batches]
        [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    """

    def __init__(
        self,
        *arrays: Any,
        batch_size: int = 64,
        shuffle: bool = True,
        drop_last: bool = False,
        transform: Callable[[Array, np.random.Generator], Array] | None = None,
        prefetch: int = 0,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        self.arrays = [np.asarray(array) for array in arrays]
        self.examples = _common_length(arrays)
        if batch_size < 1:
            raise ValueError(f"Batches: expected a batch size of at least 1, got {batch_size}")
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.transform = transform
        self.prefetch = prefetch
        self.rng = np.random.default_rng(rng)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        count = self.examples / self.batch_size
        return math.floor(count) if self.drop_last else math.ceil(count)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        return ahead(self._epoch(), self.prefetch) if self.prefetch else self._epoch()

    def _epoch(self) -> Iterator[tuple[Array, ...]]:
        order = self.rng.permutation(self.examples) if self.shuffle else np.arange(self.examples)
        for number in range(len(self)):
            chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
            parts = [array[chosen] for array in self.arrays]
            if self.transform is not None:
                parts[0] = self.transform(parts[0], self.rng)
            yield tuple(parts)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator, between two epochs."""
        return {"rng": self.rng.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the epochs that would follow when `state_dict` returned `state`."""
        self.rng.bit_generator.state = state["rng"]


def ahead(items: Iterator[Any], count: int) -> Iterator[Any]:
    """Yield the items of an iterator, which a thread goes through up to `count` items in advance.

    An error in the iterator is raised here, in its place. When this generator is closed, the thread ends.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(count)
    stopped = threading.Event()

    def put(kind: str, value: Any) -> None:
        while not stopped.is_set():
            try:
                ready.put((kind, value), timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                put("item", item)
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (raised again where the items are used)
            put("error", error)
        else:
            put("end", None)

    thread = threading.Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stopped.set()
        thread.join()


def normalize(images: Any, *others: Any) -> list[Array]:
    """Return images brought to mean 0 and standard deviation 1 in each channel, and others by the same figures.

    Args:
        images: (N, C, ...), which give mean and deviation (the training data).
        *others: of the same kind (validation, test).

    Example:
        >>> [train, test] = normalize(np.array([[1.0], [3.0]]), np.array([[2.0]]))
        >>> train.tolist(), test.tolist()
        ([[-1.0], [1.0]], [[0.0]])
    """
    images = np.asarray(images)
    axes = (0, *range(2, images.ndim))
    mean, deviation = images.mean(axis=axes, keepdims=True), images.std(axis=axes, keepdims=True)
    deviation = np.where(deviation > 0, deviation, 1).astype(deviation.dtype)
    return [(np.asarray(array) - mean) / deviation for array in (images, *others)]
