"""The public names: every operation is `autograd.<name>`, where NumPy has it the NumPy function, and a method."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, numpy_api

OPERATIONS = """
    add subtract multiply divide negative positive power square reciprocal remainder mod fmod floor_divide
    exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 sqrt cbrt
    sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh hypot arctan2
    deg2rad rad2deg degrees radians
    abs absolute fabs sign copysign maximum minimum fmax fmin clip where sinc
    floor ceil trunc rint round greater greater_equal less less_equal equal not_equal logical_and logical_or logical_not
    isnan isinf isfinite
    sum mean var std prod max min median cumsum cumprod nansum ptp average argmax argmin all any
    sort argsort take take_along_axis
    reshape ravel transpose moveaxis swapaxes expand_dims squeeze broadcast_to flip fliplr flipud roll rot90 repeat tile
    concatenate stack vstack hstack split pad diag diagonal tril triu trace atleast_1d atleast_2d
    matmul dot vdot inner outer tensordot einsum kron cross
    zeros_like ones_like full_like diff interp
"""
"""Those that NumPy has, under NumPy's names."""

OTHERS = """
    sigmoid relu leaky_relu elu softplus swish gelu erf softmax log_softmax logsumexp clone getitem scatter_add
    windows fold conv1d conv2d conv_transpose1d conv_transpose2d max_pool2d avg_pool2d sum_pool2d median_pool2d
"""

LINEAR_ALGEBRA = "inv solve det slogdet cholesky qr svd eigh norm pinv matrix_power"

VERBS = """
    Tensor Graph GraphError primitive grad value_and_grad vjp jvp jacobian hessian hvp checkpoint no_grad enable_grad
    grad_enabled record detect_anomaly graph
"""

METHODS = """
    sum mean var std prod max min argmax argmin cumsum cumprod all any reshape transpose swapaxes squeeze ravel flatten
    repeat diagonal trace take sort argsort clip round dot astype T
"""


@pytest.mark.parametrize("name", OPERATIONS.split())
def test_operation_of_numpy(name):
    ours = getattr(ag, name)
    assert numpy_api.FUNCTIONS[getattr(np, name)] is ours


@pytest.mark.parametrize("name", [*OTHERS.split(), *VERBS.split()])
def test_name_of_ours(name):
    assert hasattr(ag, name)


@pytest.mark.parametrize("name", LINEAR_ALGEBRA.split())
def test_linear_algebra(name):
    assert numpy_api.FUNCTIONS[getattr(np.linalg, name)] is getattr(ag.linalg, name)


@pytest.mark.parametrize("name", METHODS.split())
def test_method(name):
    assert hasattr(Tensor, name)
    assert hasattr(np.ndarray, name)


PUBLIC = {name: value for name, value in vars(ag).items() if hasattr(value, "primitive") or inspect.isfunction(value)}


@pytest.mark.parametrize("name", [name for name in PUBLIC if not name.startswith("_")])
def test_every_public_function_says_what_it_does(name):
    doc = inspect.getdoc(PUBLIC[name])
    assert doc, f"autograd.{name} has no docstring"
    assert doc[0].isupper() or not doc[0].isalpha() or doc.split()[0] == name, doc


def numpys_parameters(name: str) -> list[str]:
    """Return the names of the NumPy function's parameters; none where it does not tell."""
    try:
        return list(inspect.signature(getattr(np, name)).parameters)
    except ValueError:
        return []


FUNCTIONS = [name for name in OPERATIONS.split() if not isinstance(getattr(np, name), np.ufunc)]
TOLD_IN_PART = ("pad", "clip")  # pad takes **kwargs; clip's min and max are NumPy's from 2.1 on


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if numpys_parameters(name) and name not in TOLD_IN_PART])
def test_parameters_have_numpys_names(name):
    """Those of ours that NumPy's function has too come in NumPy's order; ours adds none by position."""
    known = numpys_parameters(name)
    ours = inspect.signature(getattr(ag, name)).parameters.values()
    static = [p.name for p in ours if p.default is not p.empty and p.name in known]
    assert static == sorted(static, key=known.index)
    strange = [p.name for p in ours if p.default is not p.empty and p.name not in known]
    assert not strange, f"NumPy's {name} has no {strange}"
