"""minimize: Rosenbrock and other known minima, the conditions of the line search, beside scipy, bad input."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import optim
from autograd import Tensor
from optim.line_search import StrongWolfe
from optim.newton import conjugate_gradients
from optim.objective import LeastSquares, Objective

SCALAR = ["newton", "cg", "bfgs", "lbfgs"]
WAYS = [*((method, {}) for method in SCALAR), ("newton", {"dense": False})]
WAY = pytest.mark.parametrize(("method", "options"), WAYS, ids=[*SCALAR, "newton by products"])
START = np.array([-1.2, 1.0])


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_residuals(x):
    return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def beale(x):
    return (
        (1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2 + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2
    )


def wood(x):
    wells = 100 * (x[0] ** 2 - x[1]) ** 2 + 90 * (x[2] ** 2 - x[3]) ** 2 + (x[0] - 1) ** 2 + (x[2] - 1) ** 2
    return wells + 10.1 * ((x[1] - 1) ** 2 + (x[3] - 1) ** 2) + 19.8 * (x[1] - 1) * (x[3] - 1)


# --- Known minima ----------------------------------------------------------------------------------------------


@WAY
def test_rosenbrock_from_the_usual_start(method, options):
    found = optim.minimize(rosenbrock, START, method, **options)
    np.testing.assert_allclose(found.x, 1, atol=1e-8)
    assert found.success
    assert found.fun == pytest.approx(0, abs=1e-16)
    assert found.message == "the gradient is within gtol = 1e-08"
    assert np.array_equal(START, [-1.2, 1.0])


@pytest.mark.parametrize("damping", [1e-8, 1e-3, 1e6])
def test_rosenbrock_by_levenberg_marquardt(damping):
    found = optim.minimize(rosenbrock_residuals, START, "levenberg-marquardt", damping=damping)
    np.testing.assert_allclose(found.x, 1, atol=1e-8)
    assert found.success


@WAY
@pytest.mark.parametrize(
    ("f", "start", "minimum"),
    [
        (beale, [1.0, 1.0], [3, 0.5]),
        (wood, [-3.0, -1.0, -3.0, -1.0], [1, 1, 1, 1]),
        (rosenbrock, np.zeros(20), np.ones(20)),
        (lambda x: (x - np.log(x)).sum(), [3.0, 1e-3], [1, 1]),  # the first steps lead to where f is nan
        (lambda x: rosenbrock(x) + 1e6, START, [1, 1]),  # near the minimum f's rounding hides what a step gains
    ],
    ids=["beale", "wood", "rosenbrock 20", "logarithm", "offset"],
)
def test_known_minima(f, start, minimum, method, options):
    found = optim.minimize(f, np.array(start), method, **options)
    assert found.success, found.message
    np.testing.assert_allclose(found.x, minimum, atol=1e-6)


@WAY
@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
def test_any_convex_quadratic(method, options, n, seed):
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(n, n)), rng.normal(size=n)
    A = A @ A.T + np.eye(n)
    found = optim.minimize(lambda x: x @ A @ x / 2 - b @ x, rng.normal(size=n), method, **options)
    assert found.success
    np.testing.assert_allclose(found.x, np.linalg.solve(A, b), atol=1e-6)
    if method == "newton" and not options:
        assert found.iterations == 1


@pytest.mark.parametrize("m", [3, 4, 12])
def test_a_linear_least_squares_problem(m):
    """Fewer residuals than unknowns as well as more: the Jacobian is computed row by row or column by column."""
    rng = np.random.default_rng(m)
    A, b = rng.normal(size=(m, 4)), rng.normal(size=m)
    found = optim.minimize(lambda x: A @ x - b, np.zeros(4), "levenberg-marquardt")
    assert found.success
    best = np.linalg.lstsq(A, b)[0]
    assert found.fun == pytest.approx(((A @ best - b) ** 2).sum() / 2, abs=1e-12)
    if m >= 4:
        np.testing.assert_allclose(found.x, best, atol=1e-7)


def test_a_curve_is_fitted_to_its_points():
    t = np.linspace(0, 3, 40)
    noise = 1e-3 * np.random.default_rng(0).normal(size=40)
    y = 2.5 * np.exp(-1.3 * t) + 0.5 + noise

    def residuals(p):
        return p["height"] * np.exp(-p["rate"] * t) + p["floor"] - y

    found = optim.minimize(residuals, {"height": 1.0, "rate": 0.1, "floor": 0.0}, "levenberg-marquardt")
    assert found.success
    assert [round(float(found.x[name]), 2) for name in ("height", "rate", "floor")] == [2.5, 1.3, 0.5]
    assert found.iterations < 20


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("method", ["cg", "bfgs", "lbfgs"])
def test_the_slope_decides_where_the_decrease_drowns_in_rounding(method, seed):
    """f is 1e10, rounded to about 1e-6; what the last steps gain is a millionth of that."""
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(300, 6)) / 1e4, rng.normal(size=300)
    found = optim.minimize(lambda x: 1e8 * np.cosh(A @ x - b).sum(), np.zeros(6), method, gtol=1e-5)
    assert found.message == "the gradient is within gtol = 1e-05"


def test_newton_leaves_a_saddle_where_its_plain_step_would_go_to_it():
    found = optim.minimize(lambda x: x[0] ** 2 + (x[1] ** 2 - 1) ** 2, np.array([1.0, 0.1]), "newton")
    np.testing.assert_allclose(np.abs(found.x), [0, 1], atol=1e-8)


def test_newton_goes_downhill_where_the_hessian_tells_nothing():
    found = optim.minimize(lambda x: (x**4).sum() + (1 - x).sum(), np.zeros(3), "newton")
    assert found.success
    np.testing.assert_allclose(found.x, 0.25 ** (1 / 3), atol=1e-8)


def test_many_numbers():
    target = np.linspace(-1, 1, 2000)
    for method in ("lbfgs", "cg", "newton"):
        found = optim.minimize(lambda x: (np.cosh(x - target)).sum(), np.zeros(2000), method)
        assert found.success
        np.testing.assert_allclose(found.x, target, atol=1e-7)


# --- What goes in and what comes out ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", SCALAR)
def test_nested_numbers_keep_nesting_shapes_and_types(method):
    x0 = {"w": np.zeros((2, 3), np.float32), "rest": [Tensor(1.0), (np.array([3]),)]}
    calls = []

    def f(x):
        calls.append((type(x["rest"][1]), x["w"].dtype, x["w"].shape, x["rest"][0].shape))
        return ((x["w"] - 2) ** 2).sum() + (x["rest"][0] - 5) ** 2 + ((x["rest"][1][0] + 1) ** 4).sum()

    found = optim.minimize(f, x0, method, gtol=1e-4)
    assert found.success
    assert set(calls) == {(tuple, np.dtype(np.float32), (2, 3), ())}
    np.testing.assert_allclose(found.x["w"], np.full((2, 3), 2), atol=1e-4)
    np.testing.assert_allclose(found.x["rest"][0], 5, atol=1e-4)
    np.testing.assert_allclose(found.x["rest"][1][0], [-1], atol=0.05)
    assert (found.x["w"].dtype, found.x["rest"][1][0].dtype) == (np.float32, np.float64)
    assert type(found.x["rest"][0]) is np.ndarray
    assert found.x["w"].flags.writeable


@WAY
def test_counts_are_the_calls(method, options):
    calls = []

    def f(x):
        calls.append(1)
        return rosenbrock(x)

    found = optim.minimize(f, START, method, **options)
    hessians = found.iterations if method in ("newton", "cg") else 0
    assert len(calls) == found.function_evaluations + hessians
    assert found.iterations < found.gradient_evaluations <= found.function_evaluations
    assert (found.hessian_evaluations > 0) is (hessians > 0)


@WAY
def test_the_trace_starts_at_x0_ends_at_x_and_never_rises(method, options):
    seen = []
    found = optim.minimize(rosenbrock, START, method, callback=seen.append, **options)
    assert len(found.trace) == found.iterations + 1
    assert found.trace[1:] == seen
    assert np.array_equal(found.trace[0].x, START)
    assert found.trace[0].fun == pytest.approx(24.2)
    assert found.trace[0].gradient_norm == pytest.approx(215.6)
    last = found.trace[-1]
    assert (last.fun, last.gradient_norm) == (found.fun, found.gradient_norm)
    assert np.array_equal(last.x, found.x)
    found.x[:] = 0
    assert last.x.all()
    values = [step.fun for step in found.trace]
    assert values == sorted(values, reverse=True)
    short = optim.minimize(rosenbrock, START, method, keep_trace=False, **options)
    assert [short.trace[0].fun, short.trace[1].fun, len(short.trace)] == [values[0], values[-1], 2]


def test_parameters_outside_get_no_gradient_and_can_be_used():
    scale = Tensor(2.0, requires_grad=True)
    found = optim.minimize(lambda x: ((scale * x - 1) ** 2).sum(), np.zeros(3))
    np.testing.assert_allclose(found.x, 0.5)
    assert scale.grad is None
    assert type(found.x) is np.ndarray


def test_works_under_no_grad():
    with ag.no_grad():
        assert optim.minimize(rosenbrock, START, "newton").success


# --- How it ends -----------------------------------------------------------------------------------------------


def test_at_a_minimum_nothing_is_done():
    found = optim.minimize(rosenbrock, np.ones(2))
    assert (found.success, found.iterations, found.function_evaluations) == (True, 0, 1)


@WAY
def test_max_iterations(method, options):
    found = optim.minimize(rosenbrock, START, method, max_iterations=3, **options)
    assert (found.success, found.iterations) == (False, 3)
    assert found.message.startswith("after 3 iterations the gradient is ")
    assert optim.minimize(rosenbrock, START, method, max_iterations=0, **options).fun == pytest.approx(24.2)


@WAY
@pytest.mark.parametrize("f", [lambda x: x.sum(), lambda x: x[0] ** 2 - x[1] ** 2, lambda x: -np.exp(x).sum()])
def test_a_function_without_a_minimum(f, method, options):
    found = optim.minimize(f, np.array([1.0, 1e-3]), method, **options)
    assert not found.success
    assert found.message.startswith("f seems to have no minimum: it has fallen to -")
    assert found.function_evaluations < 500


@WAY
def test_where_f_cannot_be_lowered_further_that_is_the_minimum(method, options):
    """No gradient is as small as gtol here; without that ending the search would go on for ever."""
    found = optim.minimize(lambda x: 1e10 * rosenbrock(x) + 1e16, START, method, **options)
    np.testing.assert_allclose(found.x, 1, atol=1e-6)
    assert found.success
    assert found.iterations < 200


@WAY
def test_float32(method, options):
    found = optim.minimize(rosenbrock, START.astype(np.float32), method, gtol=1e-3, **options)
    assert found.x.dtype == np.float32
    assert found.success
    np.testing.assert_allclose(found.x, 1, atol=1e-2)


def test_a_kink_is_no_minimum_to_be_sure_of():
    for method in SCALAR:
        found = optim.minimize(lambda x: abs(x).sum(), np.array([1.0, 1e-3]), method)
        assert not found.success
        assert found.message.startswith("no step lowers f")
        np.testing.assert_allclose(found.x, 0, atol=1e-6)
    found = optim.minimize(lambda x: abs(x) ** 0.5 + 1, np.array([1.0, 1e-3]), "levenberg-marquardt")
    assert not found.success


def test_callback_and_ctrl_c_end_it():
    found = optim.minimize(rosenbrock, START, callback=lambda step: step.fun < 1)
    assert (found.success, found.message) == (False, "the callback ended it")
    assert found.fun < 1 <= found.trace[-2].fun

    calls = []

    def interrupted(x):
        calls.append(1)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return rosenbrock(x)

    found = optim.minimize(interrupted, START)
    assert (found.success, found.message) == (False, "interrupted")
    assert found.fun == found.trace[-1].fun < 24.2


def test_an_error_in_f_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        optim.minimize(lambda x: x.sum() / 0 if False else 1 // 0, START)


BAD = [
    (
        rosenbrock,
        {"method": "powell"},
        ValueError,
        r"one of \['newton', 'cg', 'bfgs', 'lbfgs', 'levenberg-marq.*'powell'",
    ),
    (rosenbrock, {"memory": 5}, TypeError, r"'bfgs' has no option 'memory'; it has \['c1', 'c2'\]"),
    (rosenbrock, {"method": "lbfgs", "memory": 0}, ValueError, "memory to be at least 1, got 0"),
    (rosenbrock, {"c1": 0.5, "c2": 0.4}, ValueError, r"0 < c1 < c2 < 1, got c1 = 0.5 and c2 = 0.4"),
    (rosenbrock, {"method": "newton", "c1": 0}, ValueError, "0 < c1"),
    (rosenbrock, {"method": "cg", "c2": math.nan}, ValueError, "c2 = nan"),
    (rosenbrock, {"gtol": -1e-8}, ValueError, "gtol to be at least 0, got -1e-08"),
    (rosenbrock, {"gtol": math.nan}, ValueError, "gtol"),
    (rosenbrock, {"max_iterations": -1}, ValueError, "max_iterations to be at least 0"),
    (rosenbrock, {"x0": []}, ValueError, "x0 holds no number"),
    (rosenbrock, {"x0": np.array([1j, 2])}, TypeError, "expected x0 to hold floats, got complex128"),
    (rosenbrock, {"x0": np.array(["a"])}, TypeError, "expected x0 to hold floats"),
    (rosenbrock, {"x0": np.array([np.nan, 1])}, ValueError, "not finite at x0: f = inf"),
    (lambda x: np.sqrt(x).sum(), {"x0": np.array([0.0])}, ValueError, "not finite at x0: f = 0"),
    (lambda x: x * 2, {}, ValueError, r"a tensor with one element, got shape \(2,\)"),
    (lambda x: x.sum().item(), {}, TypeError, r"computed from x, got -0.19.*no gradient; did f use .item"),
    (lambda x: None, {}, TypeError, "computed from x, got None"),
    (rosenbrock, {"method": "levenberg-marquardt"}, ValueError, "expects f to return the residuals"),
    (
        rosenbrock_residuals,
        {"method": "levenberg-marquardt", "damping": 0},
        ValueError,
        "damping to be positive",
    ),
    (rosenbrock_residuals, {"method": "levenberg-marquardt", "c1": 1}, TypeError, r"it has \['damping'\]"),
]


@pytest.mark.parametrize(("f", "options", "error", "message"), BAD)
def test_bad_input(f, options, error, message):
    with pytest.raises(error, match=message):
        optim.minimize(f, **{"x0": START, **options})


# --- The parts -------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    first=st.floats(1e-6, 1e4),
    c=st.sampled_from([(1e-4, 0.9), (1e-4, 0.1), (0.3, 0.5), (1e-3, 2e-3)]),
)
def test_line_search_fulfils_the_strong_wolfe_conditions(seed, first, c):
    """Along a random direction of a wavy function that is bounded below, from any first trial."""
    c1, c2 = c
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 3))
    objective = Objective(lambda x: np.sin(3 * x + a).sum() + ((x - b) ** 2).sum(), rng.normal(size=3))
    start = objective.at(objective.start)
    direction = -start.gradient * rng.uniform(0.1, 2, size=3)
    slope = start.gradient @ direction
    found = StrongWolfe(c1, c2)(start, direction, first)
    assert found is not None
    step = (found.x - start.x) @ direction / (direction @ direction)
    assert step > 0
    np.testing.assert_allclose(found.x, start.x + step * direction, atol=1e-12)
    assert found.value <= start.value + c1 * step * slope + 1e-12
    assert abs(found.gradient @ direction) <= c2 * abs(slope) + 1e-12


def test_line_search_gives_up():
    objective = Objective(lambda x: abs(x).sum(), np.array([1.0]))
    start = objective.at(objective.start)
    assert StrongWolfe(max_trials=1)(start, np.array([-1.0]), 3.0) is None
    assert StrongWolfe(max_trials=2)(start, np.array([-1.0]), 3.0).value < 1
    with pytest.raises(ValueError, match="max_trials to be at least 1"):
        StrongWolfe(max_trials=0)


@pytest.mark.parametrize("n", [1, 2, 10, 40])
def test_linear_conjugate_gradients_need_at_most_n_products(n):
    rng = np.random.default_rng(n)
    vectors, _ = np.linalg.qr(rng.normal(size=(n, n)))
    A = vectors * rng.uniform(1, 3, n) @ vectors.T
    b = rng.normal(size=n)
    products = []

    def product(v):
        products.append(v)
        return A @ v

    x = conjugate_gradients(product, b, 1e-9)
    np.testing.assert_allclose(A @ x, b, atol=1e-8)
    assert len(products) <= n


def test_linear_conjugate_gradients_stop_at_negative_curvature():
    b = np.array([1.0, 2.0])
    assert np.array_equal(conjugate_gradients(lambda v: -v, b, 0.0), b)
    found = conjugate_gradients(lambda v: np.array([1.0, -0.1]) * v, b, 0.0)
    assert found @ b > 0


@pytest.mark.parametrize("m", [1, 2, 3, 7])
def test_jacobian_of_residuals(m):
    rng = np.random.default_rng(m)
    A = rng.normal(size=(m, 3))
    objective = LeastSquares(lambda x: [np.tanh(A @ x), x * x], rng.normal(size=3))
    point = objective.at(objective.start)
    x = objective.start
    expected = np.vstack([A * (1 - np.tanh(A @ x) ** 2)[:, None], np.diag(2 * x)])
    np.testing.assert_allclose(point.jacobian, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(point.gradient, expected.T @ point.r, rtol=1e-12)
    assert point.value == pytest.approx((point.r**2).sum() / 2)


# --- Beside scipy ----------------------------------------------------------------------------------------------


class Calls(NamedTuple):
    ours: int
    scipy: int


PEERS = {"newton": "Newton-CG", "cg": "CG", "bfgs": "BFGS", "lbfgs": "L-BFGS-B"}
TIGHT = {
    "newton": {"xtol": 1e-12},
    "cg": {"gtol": 1e-8},
    "bfgs": {"gtol": 1e-8},
    "lbfgs": {"gtol": 1e-8, "ftol": 1e-20},
}


def calls_beside_scipy():
    """Return how often each method calls Rosenbrock's function to reach the same precision."""
    peer = pytest.importorskip("scipy.optimize", reason="scipy, an extra, is the peer here")
    gradient = ag.value_and_grad(rosenbrock)
    counts = {}
    for method, name in PEERS.items():
        ours = optim.minimize(rosenbrock, START, method)
        hess = ag.hessian(rosenbrock) if method == "newton" else None
        theirs = peer.minimize(gradient, START, jac=True, hess=hess, method=name, options=TIGHT[method])
        np.testing.assert_allclose(theirs.x, ours.x, atol=1e-6)
        counts[f"{method} ({name})"] = Calls(ours.function_evaluations, theirs.nfev)
    ours = optim.minimize(rosenbrock_residuals, START, "levenberg-marquardt")
    theirs = peer.least_squares(
        lambda x: rosenbrock_residuals(np.asarray(x)), START, ag.jacobian(rosenbrock_residuals), method="lm", xtol=1e-12
    )
    counts["levenberg-marquardt (lm)"] = Calls(ours.function_evaluations, theirs.nfev)
    return counts


def test_function_calls_beside_scipy():
    counts = calls_beside_scipy()
    print("\ncalls of Rosenbrock's function from (-1.2, 1)    ours  scipy")
    for name, calls in counts.items():
        print(f"{name:48} {calls.ours:4} {calls.scipy:6}")
    for calls in counts.values():
        assert calls.ours <= 1.5 * calls.scipy


# --- Beside PyTorch --------------------------------------------------------------------------------------------


def soft(x, A, b):
    return (((A @ x - b) ** 2 + 1) ** 0.5).sum() + (x**4).sum()


@pytest.mark.parametrize("n", [2, 5])
def test_lbfgs_finds_the_minimum_that_torchs_finds(n):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    rng = np.random.default_rng(n)
    constants = rng.normal(size=(30, n)), rng.normal(size=30)
    for f, start, arrays in ((rosenbrock, np.tile(START, n)[:n], ()), (soft, np.zeros(n), constants)):
        x = torch.tensor(start, requires_grad=True)
        tensors = [torch.tensor(array) for array in arrays]
        options = {"max_iter": 300, "tolerance_grad": 1e-11, "tolerance_change": 1e-16}
        theirs = torch.optim.LBFGS([x], line_search_fn="strong_wolfe", **options)

        def closure(f=f, x=x, tensors=tensors, theirs=theirs):
            theirs.zero_grad()
            value = f(x, *tensors)
            value.backward()
            return value

        theirs.step(closure)
        found = optim.minimize(lambda x, f=f, arrays=arrays: f(x, *arrays), start, "lbfgs", gtol=1e-9)
        np.testing.assert_allclose(found.x, x.detach().numpy(), atol=1e-7)
