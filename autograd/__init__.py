"""Automatic differentiation on NumPy arrays, with a computation graph to look at.

A `Tensor` remembers how it was computed; `backward()` walks that record from the loss to the inputs and leaves
in each leaf its bar, dL/d(leaf).
"""

from collections.abc import Mapping as _Mapping

from autograd import linalg as linalg
from autograd import methods as _methods
from autograd import process as _process
from autograd.modes import detect_anomaly as detect_anomaly
from autograd.modes import enable_grad as enable_grad
from autograd.modes import grad_enabled as grad_enabled
from autograd.modes import no_grad as no_grad
from autograd.modes import record as record
from autograd.ops.broadcast import *
from autograd.ops.convolution import *
from autograd.ops.creation import *
from autograd.ops.elementwise import *
from autograd.ops.indexing import *
from autograd.ops.joining import *
from autograd.ops.ordering import *
from autograd.ops.pooling import *
from autograd.ops.products import *
from autograd.ops.reduce import *
from autograd.ops.shape import *
from autograd.ops.windows import *
from autograd.primitive import primitive as primitive
from autograd.program import Graph as Graph
from autograd.program import GraphError as GraphError
from autograd.program import Node as Node
from autograd.tensor import Tensor as Tensor
from autograd.transforms import CheckpointError as CheckpointError
from autograd.transforms import checkpoint as checkpoint
from autograd.transforms import grad as grad
from autograd.transforms import hessian as hessian
from autograd.transforms import hvp as hvp
from autograd.transforms import jacobian as jacobian
from autograd.transforms import jvp as jvp
from autograd.transforms import value_and_grad as value_and_grad
from autograd.transforms import vjp as vjp

_methods.install(globals())
_process.prepare()


def graph(*outputs: Tensor, names: _Mapping[str, object] | None = None) -> Graph:
    """Return the recorded computation of one or several tensors as a `Graph`, to read, draw or run again.

    Args:
        *outputs: results whose computation is wanted.
        names: what to call tensors that have no name of their own, as `names=locals()`.

    Raises:
        GraphError: an output was not recorded.
        TypeError: an output is no Tensor.
    """
    return Graph(outputs, names)
