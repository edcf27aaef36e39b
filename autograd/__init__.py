"""Automatic differentiation on NumPy arrays, with a computation graph to look at.

A `Tensor` remembers how it was computed; `backward()` walks that record from the loss to the inputs and leaves
in each leaf its bar, dL/d(leaf).
"""

from autograd import linalg as linalg
from autograd import methods as _methods
from autograd.modes import detect_anomaly, enable_grad, grad_enabled, no_grad, record
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
from autograd.primitive import primitive
from autograd.program import Graph, GraphError, Node
from autograd.tensor import Tensor
from autograd.transforms import CheckpointError, checkpoint, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

_methods.install(globals())


def graph(*outputs: Tensor) -> Graph:
    """Return the recorded computation of one or several tensors as a `Graph`, to read, draw or run again."""
    return Graph(outputs)
