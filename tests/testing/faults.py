"""Faults that can be planted in the engine itself, one at a time, while a `with` block runs."""

import contextlib
import inspect
import textwrap

import numpy as np

import autograd.ops.broadcast
import autograd.ops.elementwise
import autograd.ops.indexing
import autograd.program
import autograd.sweep
from autograd.testing.mutation import _install


@contextlib.contextmanager
def rewritten(module, name, old, new):
    """Replace part of the source of a function."""
    original = getattr(module, name)
    source = textwrap.dedent(inspect.getsource(original))
    assert source.count(old) == 1, f"{name}: {old!r} is there {source.count(old)} times"
    exec(compile(source.replace(old, new), f"<faulty {name}>", "exec"), vars(module))
    try:
        yield
    finally:
        setattr(module, name, original)


@contextlib.contextmanager
def replaced(module, name, value):
    """Replace a function."""
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


@contextlib.contextmanager
def rule(operation, argument, faulty):
    """Replace the rule of an argument; it must take the same."""
    original = operation.primitive.rules[argument]
    _install(operation.primitive, argument, faulty)
    try:
        yield
    finally:
        _install(operation.primitive, argument, original)


@contextlib.contextmanager
def forward(operation, faulty):
    """Replace what an operation computes, also in the recorder that was made for it."""
    definition = operation.primitive
    cells = [c for c in operation.__closure__ if c.cell_contents is definition.forward]
    before = definition.forward
    for cell in cells:
        cell.cell_contents = faulty
    definition.forward = faulty
    try:
        yield
    finally:
        for cell in cells:
            cell.cell_contents = before
        definition.forward = before


def in_order_of_discovery(outputs, *, wanted_only, floor=0, stop=frozenset()):
    """Give the nodes in the order in which a search from the outputs meets them."""
    found = autograd.program.reached(outputs, wanted_only=wanted_only, floor=floor, stop=stop)
    inside, order = set(found), list(dict.fromkeys(outputs))
    for node in order:
        for parent in node.parents if node.plan is not None else ():
            if isinstance(parent, autograd.program.Node) and parent in inside and parent not in order:
                order.append(parent)
    return order[::-1]


BUFFERS = {}


def into_a_buffer(x):
    """Compute tanh into memory that the next call with this shape uses again."""
    out = BUFFERS.setdefault((np.shape(x), np.asarray(x).dtype), np.empty(np.shape(x)))
    return np.tanh(x, out=out)


def assigned(values, *arrays, index, shape):
    """Let the last of several values that go to one place win, instead of adding them."""
    out = np.zeros(shape, np.asarray(values).dtype)
    out[autograd.ops.indexing._joined(index, arrays)] = values
    return out


SWEEP, INDEXING = autograd.sweep, autograd.ops.indexing

ADDED = "                else:\n                    bars[parent] = total = other + share"

FAULTS = {
    "sweep in the order of discovery": lambda: replaced(SWEEP, "reached", in_order_of_discovery),
    "fan-out: the last contribution wins": lambda: rewritten(
        SWEEP, "_walk", "            if other is None:", "            if True:"
    ),
    "fan-out: the first contribution wins": lambda: rewritten(
        SWEEP, "_walk", "bars[parent] = total = other + share", "total = other"
    ),
    "an argument that occurs twice counted once": lambda: rewritten(
        SWEEP,
        "_walk",
        "            if rule is None:",
        "            if any(parent is p for p in parents[:position]):\n                continue\n            if rule is None:",
    ),
    "bars added up in memory that others hold": lambda: rewritten(
        SWEEP, "_walk", "elif parent in summed and type(share) is _ndarray:", "elif type(share) is _ndarray:"
    ),
    "broadcasting undone by taking the first": lambda: rewritten(
        SWEEP,
        "_fitted",
        "share = sum_to(share, shape=parent.shape)",
        "share = share[(0,) * (share.ndim - len(parent.shape))]\n"
        "        share = share[tuple(slice(0, n) for n in parent.shape)]",
    ),
    "create_graph detaches what rules use": lambda: replaced(SWEEP, "lifted", lambda node: node.kept),
    "create_graph detaches bars": lambda: rewritten(
        SWEEP,
        "_walk",
        "        parents = node.parents\n",
        "        parents = node.parents\n        bar = bar.detach() if hasattr(bar, 'detach') else bar\n",
    ),
    "item assignment in place": lambda: rewritten_forward_of_setitem(),
    "item assignment: the old value's bar not cleared": lambda: rule(
        INDEXING._setitem, "x", lambda ybar, arrays, index: ybar
    ),
    "repeated index: the last contribution wins": lambda: forward(INDEXING._scatter_add, assigned),
    "a kept array overwritten by a later call": lambda: forward(autograd.ops.elementwise.tanh, into_a_buffer),
    "a result that is also used: its own bar lost": lambda: rewritten(
        SWEEP, "_walk", "            if other is None:", "            if other is None or parent in outputs:"
    ),
}


def rewritten_forward_of_setitem():
    """Let item assignment write to the array that it is given."""
    source = inspect.getsource(INDEXING._forward_setitem).replace("out = np.array(x)", "out = np.asarray(x)")
    namespace = dict(vars(INDEXING))
    exec(compile(source, "<faulty setitem>", "exec"), namespace)
    return forward(INDEXING._setitem, namespace["_forward_setitem"])
