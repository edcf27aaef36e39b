"""stub while the lead starts: to be replaced by its owner."""
import numpy as np
from autograd.primitive import primitive
__all__ = ["matmul"]
matmul = primitive(np.matmul, x=lambda zbar, y: zbar @ y.T, y=lambda zbar, x: x.T @ zbar)
