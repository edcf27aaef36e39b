"""`Tensor`, the handle: an array and the node that made it.

What is here reads and writes the handle. `backward`, arithmetic and the methods that NumPy's arrays have, too, are put
on the class by `autograd.methods`, from the transforms and the operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, final

import numpy as np

from autograd.program import GraphError, Node, describe, leaf, next_index, note_of, stamp

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_DTYPES = "float16, float32, float64, an integer type or bool"


@final
class Tensor:
    """An array with a memory of how it was computed.

    Args:
        data: what `numpy.array` takes; copied. An array keeps its dtype, Python floats become float64.
        requires_grad: whether `backward()` is to leave dL/d(this) in `.grad`; floating point only.
        dtype: convert to this type.

    Raises:
        TypeError: a dtype that is not supported, an integer tensor that requires a gradient, or a tensor
            that requires a gradient as `data` (use `clone()` or `detach()`).

    Example:
        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        array([2., 4.])
    """

    __slots__ = ("_node", "_value")
    __hash__ = object.__hash__

    _value: Any
    _node: Node | None

    def __init__(self, data: Any, *, requires_grad: bool = False, dtype: DTypeLike | None = None) -> None:
        if type(data) is Tensor:
            if data.requires_grad:
                raise TypeError(
                    "Tensor(t): t requires a gradient and would lose its record here; write t.clone() to keep it, "
                    "or t.detach() for a constant"
                )
            data = data._value
        array = np.array(data, dtype=_checked_dtype(dtype))
        _checked_dtype(array.dtype)
        self._value = array if array.ndim else array[()]
        self._node = None
        if requires_grad:
            _check_differentiable(array.dtype)
            self._node = leaf(self._value, requires_grad=True)

    # --- What it holds -------------------------------------------------------------------------------------

    @property
    def data(self) -> NDArray[Any]:
        """The array itself, not a copy.

        `t.data = array` on a leaf writes the values in place, past the graph; a later sweep over results that
        kept the old values raises. Writing into `t.data[...]` is noticed only under `detect_anomaly()`.
        """
        node = self._node
        array: NDArray[Any] = self._value
        if type(array) is not np.ndarray or (
            node is not None and node.plan is None and node.note is not None and node.note.shared
        ):
            self._value = array = np.array(array)
            if node is not None and node.plan is None and node.note is not None:
                node.note.value = array
                node.note.shared = False
        return array

    @data.setter
    def data(self, value: Any) -> None:
        node = self._node
        if node is not None and node.plan is not None:
            raise TypeError(
                f"data: {describe(node)} is the result of a computation, whose value is part of the record; "
                "write a leaf, or t.detach()"
            )
        if value is not self._value:  # an optimizer hands back the array itself, which it has written to
            array = raw(value)
            if array.shape != self.shape:
                raise ValueError(f"data: expected shape {self.shape}, got {array.shape}")
            np.copyto(self.data, array, casting="same_kind")
        if not self._value.shape:
            self._value = self._value[()]  # a NumPy scalar again: arithmetic on it is faster
        if node is not None and node.note is not None:
            node.note.value = self._value
            stamp(node)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._value.size  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return self._value.nbytes  # type: ignore[no-any-return]

    def item(self) -> Any:
        """Return the one element as a Python number.

        Raises:
            ValueError: there is not exactly one element.
        """
        return self._value.item()

    def numpy(self) -> NDArray[Any]:
        """Return a copy of the value as an array."""
        return np.array(self._value)

    def tolist(self) -> Any:
        """Return the value as nested Python lists."""
        return self._value.tolist()

    # --- The record ----------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to here. Can be set on a leaf."""
        return self._node is not None and self._node.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self._node
        if node is not None and node.plan is not None:
            raise TypeError(f"requires_grad: {describe(node)} is not a leaf; use t.detach()")
        if value:
            _check_differentiable(self.dtype)
        if node is None and value:
            self._node = leaf(self._value, requires_grad=True)
        elif node is not None:
            node.requires_grad = value

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by hand, not by a recorded operation."""
        return self._node is None or self._node.plan is None

    @property
    def name(self) -> str | None:
        """What `named` called it, or None."""
        return None if self._node is None else self._node.name

    def named(self, name: str) -> Tensor:
        """Give the quantity a name for drawings, equations and messages; returns the tensor itself."""
        if self._node is None:
            self._node = leaf(self._value, requires_grad=False)
        note_of(self._node).name = name
        return self

    @property
    def grad(self) -> NDArray[Any] | None:
        """dL/d(this), summed over the calls of `backward()`: an array of its own, or None.

        Results of operations keep theirs only under `record()`, where each sweep replaces it.

        Raises:
            GraphError: the result of an operation that was not computed under `record()`.
        """
        node = self._node
        if node is None:
            return None
        note = node.note
        if node.plan is None or (note is not None and note.recorded):
            if note is not None and note.bar is not None and type(note.bar) is not np.ndarray:
                note.bar = np.array(note.bar)
            return None if note is None else note.bar
        raise GraphError(
            f"the bar of {describe(node)} was not kept: compute it inside `with autograd.record():`, or ask for "
            "it with `autograd.grad(loss, [it])` or a hook (`it.register_hook(print)`)"
        )

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._node
        if node is None or node.plan is not None or node.note is None:
            raise TypeError("grad: only a leaf that requires a gradient holds one that can be set")
        if value is None:
            node.note.bar = None
            return
        bar = np.array(raw(value), dtype=node.dtype, order="C")
        if bar.shape != node.shape:
            raise ValueError(f"grad: expected shape {node.shape}, got {bar.shape}")
        node.note.bar = bar

    bar = grad
    """The lecture's name for `grad`."""

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHook:
        """Call `hook(bar)` in every sweep, once the bar is complete; what it returns replaces the bar.

        Args:
            hook: takes an array (a Tensor under create_graph) and returns one of its shape, or None.

        Returns:
            An object whose `remove()` takes the hook off again.

        Raises:
            GraphError: the tensor does not require a gradient.
        """
        if self._node is None or not self._node.requires_grad:
            raise GraphError("register_hook: this tensor does not require a gradient, so no bar reaches it")
        note = note_of(self._node)
        note.hooks = note.hooks if note.hooks is not None else {}
        return RemovableHook(note.hooks, hook)

    def detach(self) -> Tensor:
        """Return a constant with the same value: no gradient flows through it."""
        return Tensor(self._value)

    # --- Python's protocols --------------------------------------------------------------------------------

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self._value), separator=", ", prefix="Tensor(", threshold=100)
        extra = ""
        if self.dtype not in (np.float64, np.int64, np.bool_):
            extra += f", dtype={self.dtype}"
        if self.name:
            extra += f", name={self.name!r}"
        if self._node is not None and self._node.plan is not None:
            extra += f", operation={self._node.plan.primitive.name}"
        elif self.requires_grad:
            extra += ", requires_grad=True"
        return f"Tensor({text}{extra})"

    def _repr_html_(self) -> str | None:
        from autograd.view.forms import tensor_repr

        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        return format(self._value.item(), spec) if spec and self.size == 1 else format(str(self), spec)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"the truth value of a tensor with {self.size} elements is ambiguous: use .any() or .all() of its .data"
            )
        return bool(self._value)

    def __float__(self) -> float:
        return float(self._untracked("float()").item())

    def __int__(self) -> int:
        return int(self._untracked("int()").item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.size != 1:
            raise TypeError("only an integer tensor of one element can be used as an index by itself")
        return int(self._value)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        value = self._untracked("conversion to an array")
        if copy is False and (dtype is None or value.dtype == dtype):
            return value
        return np.array(value, dtype=dtype)

    def _untracked(self, what: str) -> NDArray[Any]:
        if self.requires_grad:
            raise TypeError(
                f"{what} of a tensor that requires a gradient would lose its record without a word: use .item() "
                "for a number, .numpy() for a copy, .detach() for a constant, or an autograd function on it"
            )
        return np.asarray(self._value)

    def __reduce__(self) -> tuple[Any, ...]:
        self._require_leaf("copy or pickle")
        grad = None if self._node is None else self.grad
        return _rebuild, (np.asarray(self._value), self.requires_grad, self.name, grad)

    def _require_leaf(self, what: str) -> None:
        if not self.is_leaf:
            raise TypeError(f"{what}: only leaves can be copied, and this is a computed tensor: use t.detach()")

    # --- Operators and methods: put on the class by autograd.methods -----------------------------------------

    if TYPE_CHECKING:

        def backward(self, gradient: Any = None, *, retain_graph: bool = False) -> None: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __iadd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __isub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __imul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __itruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __ifloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __imod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __ipow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __imatmul__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __iand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __ior__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __ixor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def max(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def min(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def argmax(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def argmin(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def all(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def any(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor: ...
        def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor: ...
        def cumsum(self, axis: int | None = None) -> Tensor: ...
        def cumprod(self, axis: int | None = None) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def transpose(self, *axes: Any) -> Tensor: ...
        def swapaxes(self, axis1: int, axis2: int) -> Tensor: ...
        def squeeze(self, axis: Any = None) -> Tensor: ...
        def ravel(self) -> Tensor: ...
        def flatten(self) -> Tensor: ...
        def repeat(self, repeats: Any, axis: int | None = None) -> Tensor: ...
        def take(self, indices: Any, axis: int | None = None) -> Tensor: ...
        def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
        def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
        def sort(self, axis: int = -1) -> Tensor: ...
        def argsort(self, axis: int = -1) -> Tensor: ...
        def partition(self, kth: Any, axis: int | None = -1) -> Tensor: ...
        def argpartition(self, kth: Any, axis: int | None = -1) -> Tensor: ...
        def nonzero(self) -> tuple[Tensor, ...]: ...
        def clip(self, min: Any = None, max: Any = None) -> Tensor: ...
        def round(self, decimals: int = 0) -> Tensor: ...
        def dot(self, other: Any) -> Tensor: ...
        def astype(self, dtype: DTypeLike) -> Tensor: ...
        def clone(self) -> Tensor: ...
        def copy(self) -> Tensor: ...
        def conj(self) -> Tensor: ...
        def tanh(self) -> Tensor: ...
        def exp(self) -> Tensor: ...
        def log(self) -> Tensor: ...
        def sqrt(self) -> Tensor: ...
        def sigmoid(self) -> Tensor: ...
        def relu(self) -> Tensor: ...
        @property
        def T(self) -> Tensor: ...
        @property
        def mT(self) -> Tensor: ...


class RemovableHook:
    """A registered hook; `remove()` takes it off."""

    def __init__(self, hooks: dict[int, Callable[[Any], Any]], hook: Callable[[Any], Any]) -> None:
        self._hooks = hooks
        self._key = next_index()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        self._hooks.pop(self._key, None)


def raw(value: Any) -> NDArray[Any]:
    """Return the array of a tensor, or of anything that NumPy takes."""
    return np.asarray(value._value if type(value) is Tensor else value)


def as_array(value: Any) -> Any:
    """Return a tensor or an array (or a NumPy scalar) as it is, and anything else as an array."""
    return value if type(value) is Tensor or hasattr(value, "ndim") else np.asarray(value)


def _rebuild(data: NDArray[Any], requires_grad: bool, name: str | None, grad: Any) -> Tensor:
    out = Tensor(data, requires_grad=requires_grad)
    if name is not None:
        out.named(name)
    if grad is not None:
        out.grad = grad
    return out


def _checked_dtype(dtype: DTypeLike | None) -> np.dtype[Any] | None:
    if dtype is None:
        return None
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise TypeError(f"unknown dtype {dtype!r}: expected {_DTYPES}") from error
    if found.kind not in "fiub" or found.itemsize > 8:
        raise TypeError(f"dtype {found} is not supported: expected {_DTYPES}")
    return found


def _check_differentiable(dtype: np.dtype[Any]) -> None:
    if dtype.kind != "f":
        raise TypeError(f"requires_grad: only floating-point tensors have gradients, got {dtype}; pass dtype=float")
