"""minimize: rows G6 to G10 of the lecture, other functions, function calls beside scipy's."""

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import optim
from optim.line_search import Point, wolfe

SCALAR = ["newton", "cg", "bfgs", "lbfgs"]
ALL = [*SCALAR, "levenberg-marquardt"]


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def rosenbrock_residuals(x):
    return np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]]) * 2**0.5


@pytest.mark.parametrize("method", ALL)
def test_g6_to_g9_rosenbrock(method, capsys):
    function = rosenbrock_residuals if method == "levenberg-marquardt" else rosenbrock
    found = optim.minimize(function, [-1.2, 1.0], method=method)
    assert found.converged
    assert np.abs(found.x - 1).max() < 1e-8
    assert found.trace[0] == pytest.approx(24.2)
    assert found.trace[-1] == found.value < 1e-16
    assert len(found.trace) == found.iterations + 1
    theirs = scipy_calls(method)
    with capsys.disabled():
        print(f"\n{method}: {found.calls} calls of the function, {found.curvatures} of its curvature; scipy {theirs}")
    assert found.calls <= 1.5 * theirs


def scipy_calls(method):
    """Return how often scipy's counterpart calls Rosenbrock's function."""
    start = [-1.2, 1.0]
    if method == "levenberg-marquardt":
        jacobian = lambda x: [[-20 * x[0], 10], [-1, 0]]
        return scipy.optimize.least_squares(
            lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], start, jac=jacobian, method="lm"
        ).nfev
    name = {"newton": "Newton-CG", "cg": "CG", "bfgs": "BFGS", "lbfgs": "L-BFGS-B"}[method]
    options = {"hess": scipy.optimize.rosen_hess} if method == "newton" else {}
    return scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method=name, **options
    ).nfev


def quadratic(n, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    matrix, b = root @ root.T + np.eye(n), rng.normal(size=n)
    return (lambda x: 0.5 * (x @ (matrix @ x)) - (b * x).sum()), np.linalg.solve(matrix, b)


def test_g6_newton_solves_a_quadratic_in_one_step():
    function, solution = quadratic(6)
    found = optim.minimize(function, np.zeros(6), method="newton")
    assert found.iterations == 1
    np.testing.assert_allclose(found.x, solution, atol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_g7_conjugate_gradients_need_at_most_n_steps_on_a_quadratic(n):
    function, solution = quadratic(n)
    found = optim.minimize(function, np.zeros(n), method="cg", tolerance=1e-8)
    assert found.converged
    assert found.iterations <= n
    np.testing.assert_allclose(found.x, solution, atol=1e-7)


def test_g9_levenberg_marquardt_fits_a_curve():
    t = np.linspace(0, 3, 40)
    y = 2.5 * np.exp(-1.3 * t) + 0.5
    found = optim.minimize(lambda p: p[0] * np.exp(p[1] * t) + p[2] - y, [1.0, -0.5, 0.0], method="levenberg-marquardt")
    np.testing.assert_allclose(found.x, [2.5, -1.3, 0.5], atol=1e-8)


def saddle(x):
    return x[0] ** 2 - x[1] ** 2


def test_g10_saddle_and_conditioning():
    matrix = autograd.hessian(saddle)(np.zeros(2))
    assert np.linalg.eigvalsh(matrix).tolist() == [-2, 2]
    well = autograd.hessian(lambda x: (x * x).sum())(np.zeros(2))
    poorly = autograd.hessian(lambda x: x[0] ** 2 + 1000 * x[1] ** 2)(np.zeros(2))
    assert np.linalg.cond(well) == pytest.approx(1)
    assert np.linalg.cond(poorly) == pytest.approx(1000)


@pytest.mark.parametrize("method", SCALAR)
def test_g10_a_poorly_conditioned_valley_is_no_problem(method):
    found = optim.minimize(lambda x: x[0] ** 2 + 1e4 * x[1] ** 2, [1.0, 1.0], method=method)
    assert found.converged
    assert found.iterations < 20


def test_g10_newton_leaves_a_saddle():
    found = optim.minimize(lambda x: saddle(x) + x[1] ** 4, [0.5, 1e-3], method="newton")
    assert found.converged
    np.testing.assert_allclose(np.abs(found.x), [0, 0.5**0.5], atol=1e-8)


# --- Other functions ---------------------------------------------------------------------------------------


def long_valley(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def beale(x):
    a, b = x[0], x[1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


PROBLEMS = {
    "long valley": (long_valley, np.full(12, 0.5), np.ones(12)),
    "beale": (beale, np.array([1.0, 1.0]), np.array([3.0, 0.5])),
    "shifted": (lambda x: ((x - 1e3) ** 2).sum() + 1e6, np.zeros((2, 3)), np.full((2, 3), 1e3)),
    "quartic": (lambda x: ((x - 1) ** 4).sum() + (x * x).sum(), np.full(3, 4.0), None),
}


@pytest.mark.parametrize("method", SCALAR)
@pytest.mark.parametrize("name", PROBLEMS)
def test_other_functions(method, name):
    function, start, solution = PROBLEMS[name]
    found = optim.minimize(function, start, method=method, tolerance=1e-7)
    assert found.converged, found.message
    assert found.x.shape == start.shape
    if solution is not None:
        np.testing.assert_allclose(found.x, solution, atol=1e-6)
    assert sorted(found.trace, reverse=True) == pytest.approx(found.trace)


@pytest.mark.parametrize("method", SCALAR)
def test_logistic_regression_has_scipys_minimum(method):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)

    def loss(w):
        z = x @ w
        return (autograd.softplus(z) - t * z).mean() + 0.05 * (w * w).sum()

    def raw_loss(w):
        z = x @ w
        return (np.logaddexp(0, z) - t * z).mean() + 0.05 * (w * w).sum()

    found = optim.minimize(loss, np.zeros(4), method=method)
    theirs = scipy.optimize.minimize(raw_loss, np.zeros(4), tol=1e-12)
    np.testing.assert_allclose(found.x, theirs.x, atol=1e-5)


def test_lbfgs_reaches_torchs_minimum():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    w = torch.full((12,), 0.5, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.LBFGS([w], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        theirs.zero_grad()
        loss = (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()
        loss.backward()
        return loss

    theirs.step(closure)
    found = optim.minimize(long_valley, np.full(12, 0.5), method="lbfgs")
    np.testing.assert_allclose(found.x, w.detach().numpy(), atol=1e-8)


def test_callback_float32_and_the_limit_of_steps():
    seen = []
    start = np.array([-1.2, 1.0], np.float32)
    found = optim.minimize(rosenbrock, start, iterations=3, callback=seen.append)
    assert found.x.dtype == np.float32
    assert (found.iterations, len(seen), found.converged) == (3, 3, False)
    assert found.message == "3 steps were not enough"
    assert start.tolist() == np.array([-1.2, 1.0], np.float32).tolist()


def test_no_step_is_needed_at_the_minimum():
    found = optim.minimize(lambda x: (x * x).sum(), [0, 0])
    assert (found.iterations, found.calls, found.converged) == (0, 1, True)


def test_no_progress_is_said():
    found = optim.minimize(lambda x: np.abs(x).sum(), [1e-3, 2.0], tolerance=0.0, method="bfgs")
    assert not found.converged
    assert "no smaller value" in found.message or "not enough" in found.message


def test_bad_input():
    with pytest.raises(ValueError, match="got 'simplex'"):
        optim.minimize(rosenbrock, [0.0, 0.0], method="simplex")
    with pytest.raises(ValueError, match="not finite at the start"):
        optim.minimize(lambda x: (x * np.inf).sum(), [1.0])
    with pytest.raises(ValueError, match="one element"):
        optim.minimize(lambda x: x * 2, [1.0, 2.0])


# --- The line search ---------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(0.1, 3.0), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 10))
def test_the_step_satisfies_the_strong_wolfe_conditions(first, steepness, curvature, seed):
    a, b, c = np.random.default_rng(seed).uniform(0.5, 2, 3)

    def line(t):
        return -a * t + b * np.cosh(steepness * t) + c * np.sin(t)

    def both(x):
        t = x[0]
        with np.errstate(over="ignore"):
            return line(t), np.array([-a + b * steepness * np.sinh(steepness * t) + c * np.cos(t)])

    value, gradient = both(np.zeros(1))
    direction = -np.sign(gradient)
    start = Point(0.0, value, float(gradient @ direction), np.zeros(1), gradient)
    if start.slope == 0:
        return
    with np.errstate(over="ignore", invalid="ignore"):
        found = wolfe(both, start, direction, first=first, curvature=curvature)
    assert found is not None
    assert found.value <= start.value + 1e-4 * found.step * start.slope + 1e-12
    assert abs(found.slope) <= -curvature * start.slope + 1e-12
