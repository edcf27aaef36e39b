"""Special values, ties, zeros and bad input of autograd.ops.reduce; its values and derivatives are in tests/specs."""

import itertools
import math
import warnings

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

inf, nan = math.inf, math.nan


def gradient(function, *xs, bar=None):
    """Return the gradient by the first of xs."""
    tensors = [Tensor(np.array(x, float), requires_grad=True) for x in xs]
    y = function(*tensors)
    y.backward(np.ones(y.shape) if bar is None else np.array(bar, float))
    return tensors[0].grad


# --- Values where the spec has a formula of its own, and types other than floats -----------------------------


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("keywords", [{}, {"axis": 1}, {"axis": (0, 2), "ddof": 1}, {"axis": -1, "keepdims": True}])
def test_moments_are_numpys(name, keywords):
    a = np.random.default_rng(0).normal(3, 1, (3, 4, 5))
    np.testing.assert_allclose(getattr(ag, name)(a, **keywords), getattr(np, name)(a, **keywords), rtol=1e-13)


NAMES = (
    "sum mean var std prod max min ptp median nansum nanmean average cumsum cumprod argmax argmin any all count_nonzero"
)


@pytest.mark.parametrize("name", NAMES.split())
@pytest.mark.parametrize(
    "a", [np.arange(-3, 3).reshape(2, 3), np.array([[True, False]]), np.int8([100, 100]), 3, [1, 2, 4]]
)
def test_integers_booleans_and_lists_are_as_in_numpy(name, a):
    if name == "ptp" and np.asarray(a).dtype == bool:
        pytest.skip("NumPy does not subtract booleans")
    expected = getattr(np, name)(a)
    for found in (getattr(ag, name)(a), getattr(ag, name)(Tensor(a)).data):
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found, expected)


def test_a_tensor_gives_a_0d_tensor_and_an_array_a_numpy_scalar():
    for function in (ag.sum, ag.mean, ag.std, ag.max, ag.median, ag.prod, ag.logsumexp, ag.average, ag.argmax, ag.any):
        y = function(Tensor([1.0, 2.0]))
        assert type(y) is Tensor
        assert (y.shape, type(y.data)) == ((), np.ndarray)
        assert isinstance(function(np.array([1.0, 2.0])), np.generic)


@pytest.mark.parametrize("function", [ag.sum, ag.mean, ag.prod, ag.max, ag.median, ag.logsumexp, ag.cumsum, ag.cumprod])
def test_a_number_has_derivative_one(function):
    assert gradient(function, 0.7) == 1


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("function", [ag.sum, ag.prod, ag.max, ag.min, ag.nansum, ag.nanmean, ag.logsumexp])
def test_a_number_has_an_axis_as_in_numpy(function, axis):
    assert gradient(lambda t: function(t, axis=axis), 0.7) == 1
    assert gradient(lambda t: ag.softmax(t, axis=axis) + ag.log_softmax(t, axis=axis), 0.7) == 0


# --- NumPy's ways to call ------------------------------------------------------------------------------------

A = np.random.default_rng(1).uniform(0.5, 2, (3, 4))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.sum(a=t),
        lambda t: np.sum(t, 0),
        lambda t: np.sum(t, axis=(0, 1), keepdims=True),
        lambda t: np.mean(t, axis=-1),
        lambda t: np.var(t, 0, None, None, 1),
        lambda t: np.std(t, ddof=1),
        lambda t: np.prod(t, axis=1),
        lambda t: np.amax(t, 1),
        lambda t: np.min(t, keepdims=True),
        lambda t: np.ptp(t, axis=0),
        lambda t: np.median(t, axis=0),
        lambda t: np.nansum(t, axis=0),
        np.nanmean,
        lambda t: np.average(t, 0, [1.0, 2.0, 5.0]),
        lambda t: np.average(t, weights=t),
        lambda t: np.cumsum(t, axis=1),
        np.cumprod,
    ],
)
def test_numpy_functions_record(call):
    t = Tensor(A, requires_grad=True)
    y = call(t)
    assert y.requires_grad
    np.testing.assert_allclose(y.data, call(A), rtol=1e-14, strict=True)


def test_methods_take_the_axis_by_position():
    t = Tensor(A, requires_grad=True)
    for name in (
        "sum",
        "mean",
        "var",
        "std",
        "prod",
        "max",
        "min",
        "cumsum",
        "cumprod",
        "argmax",
        "argmin",
        "any",
        "all",
    ):
        np.testing.assert_allclose(getattr(t, name)(0).data, getattr(A, name)(0), rtol=1e-14, strict=True)
    np.testing.assert_array_equal(t.sum(axis=1, keepdims=True).data, A.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.sum(t, dtype=np.float32),
        lambda t: np.sum(t, 0, np.float32),
        lambda t: np.max(t, initial=0.0),
        lambda t: np.mean(t, where=A > 1),
        lambda t: np.sum(t, out=np.zeros(())),
        lambda t: ag.sum(t, 0, True),
        lambda t: np.average(t, returned=True),
    ],
)
def test_what_we_do_not_have_is_refused(call):
    with pytest.raises(TypeError):
        call(Tensor(A, requires_grad=True))


@pytest.mark.parametrize(
    "function",
    [
        *(ag.sum, ag.mean, ag.var, ag.std, ag.prod, ag.max, ag.min, ag.median, ag.nansum, ag.nanmean),
        *(ag.cumsum, ag.cumprod, ag.logsumexp, ag.softmax, ag.log_softmax),
        *(ag.argmax, ag.argmin, ag.any, ag.all, ag.count_nonzero),
    ],
)
def test_bad_axis_names_the_operation(function):
    for x in (A, Tensor(A, requires_grad=True)):
        with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds") as caught:
            function(x, axis=2)
        assert f"in {function.__name__}(" in caught.value.__notes__[0]


# --- Nothing to reduce ---------------------------------------------------------------------------------------


def test_empty_input():
    empty = Tensor(np.zeros((0, 3)), requires_grad=True)
    assert ag.sum(empty).item() == 0
    assert ag.prod(empty).item() == 1
    assert ag.logsumexp(empty).item() == -inf
    assert ag.logsumexp(empty, axis=0).data.tolist() == [-inf] * 3
    assert ag.cumsum(empty).shape == ag.cumprod(empty).shape == (0,)
    assert (ag.any(empty).item(), ag.all(empty).item(), ag.count_nonzero(empty).item()) == (False, True, 0)
    for function in (ag.max, ag.min, ag.ptp, ag.argmax):
        with pytest.raises(ValueError, match=r"zero-size|empty sequence"):
            function(empty)


@pytest.mark.parametrize("function", [ag.mean, ag.var, ag.std, ag.median, ag.nanmean])
def test_moments_of_nothing_are_nan_with_numpys_warning(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        empty = Tensor(np.zeros((3, 0)), requires_grad=True)
        y = function(empty, axis=1)
        y.backward(np.ones(3))
    assert np.isnan(y.data).all()
    assert empty.grad.shape == (3, 0)
    assert any(w.category is RuntimeWarning for w in caught)


def test_mean_of_nothing_does_not_warn_in_the_sweep():
    empty = Tensor(np.zeros((3, 0)), requires_grad=True)
    with pytest.warns(RuntimeWarning, match=r"empty slice|invalid value"):
        y = ag.mean(empty, axis=1)
    y.backward(np.ones(3))
    assert empty.grad.shape == (3, 0)


# --- Ties, kinks, NaN ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (ag.max, [1, 3, 2, 3], [0, 1 / 2, 0, 1 / 2]),
        (ag.max, [2, 2, 2], [1 / 3, 1 / 3, 1 / 3]),
        (ag.min, [1, 3, 1, 1], [1 / 3, 0, 1 / 3, 1 / 3]),
        (ag.ptp, [1, 3, 1, 3], [-1 / 2, 1 / 2, -1 / 2, 1 / 2]),
        (ag.ptp, [2, 2], [0, 0]),
        (ag.max, [inf, 1, inf], [1 / 2, 0, 1 / 2]),
        (ag.max, [nan, 1, 3], [0, 0, 0]),
        (ag.min, [nan, nan], [0, 0]),
        (ag.median, [4, 1, 2], [0, 0, 1]),
        (ag.median, [4, 1, 2, 3], [0, 0, 1 / 2, 1 / 2]),
        (ag.median, [1, 2, 2, 3], [0, 1 / 2, 1 / 2, 0]),
        (ag.median, [1, 2, 2, 2, 3], [0, 1 / 3, 1 / 3, 1 / 3, 0]),
        (ag.median, [1, 1, 2, 5], [1 / 4, 1 / 4, 1 / 2, 0]),
        (ag.median, [1, nan, 2], [0, 0, 0]),
        (ag.nansum, [1, nan, 2], [1, 0, 1]),
        (ag.nanmean, [1, nan, 2], [1 / 2, 0, 1 / 2]),
    ],
)
def test_ties_share_evenly_and_nan_gets_nothing(function, x, expected):
    np.testing.assert_allclose(gradient(function, x), expected, rtol=1e-15)
    np.testing.assert_allclose(
        gradient(lambda t: function(t, axis=1), [x, x], bar=[1, -2])[1], np.multiply(-2, expected)
    )
    reference = getattr(np, function.__name__)
    np.testing.assert_array_equal(function(np.array(x, float)), reference(np.array(x, float)))


def test_ties_over_several_axes():
    x = [[[1, 5], [5, 2]], [[3, 0], [3, 3]]]
    expected = [[[0, 1 / 2], [1 / 2, 0]], [[1 / 3, 0], [1 / 3, 1 / 3]]]
    np.testing.assert_allclose(gradient(lambda t: ag.max(t, axis=(1, 2)), x), expected)
    np.testing.assert_allclose(gradient(lambda t: ag.max(t, axis=(2, -2), keepdims=True), x), expected)


def test_all_nan_has_mean_nan():
    t = Tensor([nan, nan], requires_grad=True)
    with pytest.warns(RuntimeWarning, match="empty slice"):
        y = ag.nanmean(t)
    y.backward()
    assert math.isnan(y.item())
    assert t.grad.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "x", [np.full(3, 0.1), np.full(1000, 0.7), np.full(10, -1e-3), np.zeros(4), np.full((3, 5), 0.3)]
)
def test_std_of_equal_elements_is_flat(x, dtype):
    t = Tensor(x.astype(dtype), requires_grad=True)
    y = ag.std(t, axis=0)
    g = ag.grad(ag.sum(y), [t], create_graph=True)[0]
    assert np.all(y.data == 0)
    assert np.all(g.data == 0)
    assert g.dtype == dtype
    assert np.all(ag.grad(ag.sum(g * t), [t])[0] == 0)


def test_too_few_degrees_of_freedom():
    t = Tensor([[1.0], [2.0]], requires_grad=True)
    for function in (ag.var, ag.std):
        t.grad = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y = function(t, axis=1, ddof=1)
        assert "Degrees of freedom <= 0" in str(caught[0].message)
        y.backward(np.ones(2))
        assert np.isnan(y.data).all()
        assert np.isnan(t.grad).all()


# --- Products with zeros -------------------------------------------------------------------------------------


def product_without(x, *places):
    return math.prod(v for i, v in enumerate(x) if i not in places)


ZEROS = [[2, 3, 5, 7], [2, 0, 5, 7], [0, 3, 5, 0], [0, 0, 5, 0], [0, -2], [3]]


@pytest.mark.parametrize("x", ZEROS)
def test_derivatives_of_a_product_are_exact_with_zeros(x):
    n = len(x)
    array = np.array(x, float)
    assert gradient(ag.prod, x).tolist() == [product_without(x, i) for i in range(n)]
    second = [[0 if i == j else product_without(x, i, j) for j in range(n)] for i in range(n)]
    assert ag.hessian(ag.prod)(array).tolist() == second
    third = np.zeros((n, n, n))
    for i, j, k in itertools.permutations(range(n), 3):
        third[i, j, k] = product_without(x, i, j, k)
    np.testing.assert_array_equal(ag.jacobian(ag.hessian(ag.prod))(array), third)


@pytest.mark.parametrize("x", ZEROS)
def test_derivatives_of_running_products_are_exact_with_zeros(x):
    n = len(x)
    expected = [[product_without(x[: k + 1], i) if i <= k else 0 for i in range(n)] for k in range(n)]
    assert ag.jacobian(ag.cumprod)(np.array(x, float)).tolist() == expected
    weights = np.arange(1.0, n + 1)
    second = np.zeros((n, n))
    for i, j in itertools.permutations(range(n), 2):
        second[i, j] = sum(weights[k] * product_without(x[: k + 1], i, j) for k in range(max(i, j), n))
    hessian = ag.hessian(lambda t: ag.sum(ag.cumprod(t) * weights))
    np.testing.assert_array_equal(hessian(np.array(x, float)), second)


def test_products_over_several_axes_with_zeros():
    x = np.array([[[0.0, 2], [3, 4]], [[0, 0], [5, 6]]])
    expected = [[[24, 0], [0, 0]], [[0, 0], [0, 0]]]
    assert gradient(lambda t: ag.prod(t, axis=(1, 2)), x).tolist() == expected
    assert gradient(lambda t: ag.prod(t, axis=(-1, 1), keepdims=True), x).tolist() == expected


# --- Softmax and its kin -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shift", [1000, -1000])
def test_large_inputs_are_as_good_as_small_ones(shift, dtype):
    x = np.array([[0, 1, 3], [2, 2, 0]])
    small, large = (Tensor(values.astype(dtype), requires_grad=True) for values in (x, x + shift))
    for function in (ag.softmax, ag.log_softmax, lambda t, axis: ag.softmax_cross_entropy(t, [0, 2], axis=axis)):
        ys = [function(t, axis=1) for t in (small, large)]
        assert ys[1].dtype == dtype
        np.testing.assert_array_equal(ys[1].data, ys[0].data)
        weights = np.arange(ys[0].size).reshape(ys[0].shape).astype(dtype)
        gradients = [ag.grad(ag.sum(y * weights), [t])[0] for y, t in zip(ys, (small, large), strict=True)]
        np.testing.assert_array_equal(*gradients)
    np.testing.assert_array_equal(ag.logsumexp(x[1] + 1000.0), 1000 + ag.logsumexp(x[1] * 1.0))


def test_log_softmax_where_softmax_underflows():
    assert ag.log_softmax(np.array([0.0, -1000.0])).tolist() == [0, -1000]
    assert gradient(lambda t: ag.log_softmax(t)[1], [0, -1000]).tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("x", "value", "expected"),
    [
        ([-inf, -inf], -inf, [0, 0]),
        ([-inf, 1], 1, [0, 1]),
        ([-1000, -inf, -1000], -1000 + math.log(2), [1 / 2, 0, 1 / 2]),
        ([1000, 1000], 1000 + math.log(2), [1 / 2, 1 / 2]),
    ],
)
def test_logsumexp_at_infinity(x, value, expected):
    assert ag.logsumexp(np.array(x, float)) == value
    np.testing.assert_allclose(gradient(ag.logsumexp, x), expected, rtol=4e-16)
    second = ag.hessian(ag.logsumexp)(np.array(x, float))
    np.testing.assert_allclose(second, np.diag(expected) - np.outer(expected, expected), rtol=1e-12, atol=1e-15)


def test_logsumexp_of_plus_infinity_is_infinite():
    with np.errstate(over="ignore"):
        assert ag.logsumexp(np.array([inf, 1])) == inf


@pytest.mark.parametrize(
    "function",
    [
        lambda t: ag.sum(ag.softmax(t)[:1] * 3 + ag.softmax(t)[-1:] * 5),
        lambda t: ag.log_softmax(t)[0],
        lambda t: ag.softmax_cross_entropy(t, np.array(0), axis=0),
    ],
)
def test_minus_infinity_masks_a_class(function):
    left_out = gradient(function, [1.0, 2.0])
    np.testing.assert_allclose(gradient(function, [1.0, -inf, 2.0]), [left_out[0], 0, left_out[1]], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_weights_of_logsumexp_sum_to_one_for_large_inputs(dtype):
    t = Tensor(np.array([1000, 1000, 999]).astype(dtype), requires_grad=True)
    ag.logsumexp(t).backward()
    np.testing.assert_allclose(t.grad, ag.softmax(np.array([1.0, 1.0, 0.0])), rtol=2 * np.finfo(dtype).eps)


# --- Cross-entropy -------------------------------------------------------------------------------------------

LOGITS = np.random.default_rng(2).normal(size=(5, 3))
LABELS = np.array([0, 2, 1, 1, 0])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 2, 1, 1, 3], ValueError, r"expected labels in 0 \.\. 2, got 0 \.\. 3"),
        ([0, -1, 1, 1, 0], ValueError, r"expected labels in 0 \.\. 2, got -1 \.\. 1"),
        (
            LABELS.astype(float),
            TypeError,
            r"expected labels integers \(5,\) or probabilities \(5, 3\).*got float64 \(5,\)",
        ),
        (LABELS[:4], ValueError, r"expected labels integers \(5,\).*got int64 \(4,\)"),
        (LABELS[:, None], ValueError, r"got int64 \(5, 1\)"),
        (np.eye(3, dtype=int)[LABELS], ValueError, r"probabilities \(5, 3\).*got int64 \(5, 3\)"),
        (np.eye(4)[LABELS], ValueError, r"probabilities \(5, 3\).*got float64 \(5, 4\)"),
        (np.eye(3)[LABELS] > 0, TypeError, r"got bool \(5, 3\)"),
    ],
)
def test_bad_labels(labels, error, message):
    for logits in (LOGITS, Tensor(LOGITS, requires_grad=True)):
        with pytest.raises(error, match=message):
            ag.softmax_cross_entropy(logits, labels)


def test_bad_axis_of_cross_entropy():
    with pytest.raises(np.exceptions.AxisError):
        ag.softmax_cross_entropy(LOGITS[0], 0)


def test_labels_as_tensor_list_and_probabilities_agree():
    losses = [
        ag.softmax_cross_entropy(Tensor(LOGITS, requires_grad=True), labels)
        for labels in (LABELS, Tensor(LABELS), LABELS.tolist(), LABELS.astype(np.uint8), np.eye(3)[LABELS])
    ]
    for loss in losses[1:]:
        np.testing.assert_allclose(loss.data, losses[0].data, rtol=1e-14)


@pytest.mark.parametrize("dtype", [">i4", ">u2", ">i8", np.int8, np.uint8])
def test_labels_of_any_integer_type(dtype):
    labels = LABELS.astype(dtype)
    np.testing.assert_array_equal(ag.softmax_cross_entropy(LOGITS, labels), ag.softmax_cross_entropy(LOGITS, LABELS))
    if np.dtype(dtype).kind == "i":
        with pytest.raises(ValueError, match=r"got -2 \.\. -1|got -2 \.\. 0"):
            ag.softmax_cross_entropy(LOGITS, np.minimum(-labels, 0))
    with pytest.raises(ValueError, match=r"expected labels in 0 \.\. 2, got 0 \.\. 100"):
        ag.softmax_cross_entropy(LOGITS, np.where(LABELS == 2, 100, LABELS).astype(dtype))


def test_no_examples_and_no_classes():
    assert ag.softmax_cross_entropy(np.zeros((0, 0)), np.zeros(0, int)).shape == (0,)


def test_new_labels_are_checked_when_the_graph_runs_again():
    labels = Tensor(LABELS)
    with ag.record():
        loss = ag.softmax_cross_entropy(Tensor(LOGITS), labels)
    others = ag.graph(loss).evaluate({labels: 2 - LABELS})
    np.testing.assert_allclose(others, ag.softmax_cross_entropy(LOGITS, 2 - LABELS))
    with pytest.raises(ValueError, match="expected labels in"):
        ag.graph(loss).evaluate({labels: LABELS + 1})


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("labels", [LABELS, np.eye(3)[LABELS]], ids=["integers", "probabilities"])
def test_nothing_of_the_logits_size_is_float64(labels, dtype):
    logits = Tensor(LOGITS.astype(dtype), requires_grad=True)
    loss = ag.softmax_cross_entropy(logits, labels)
    assert loss.dtype == dtype
    (g,) = ag.grad(ag.sum(loss), [logits], create_graph=True)
    (gg,) = ag.grad(ag.sum(g * g), [logits], create_graph=True)
    assert g.dtype == gg.dtype == dtype
    computed = [node for node in ag.graph(gg) if node.plan is not None and node.shape == LOGITS.shape]
    assert computed
    assert {node.dtype for node in computed} <= {np.dtype(dtype), np.dtype(bool)}


def test_probabilities_that_require_a_gradient_keep_their_own_dtype():
    p = Tensor(np.eye(3)[LABELS], requires_grad=True)
    loss = ag.softmax_cross_entropy(Tensor(LOGITS.astype(np.float32), requires_grad=True), p)
    ag.sum(loss).backward()
    assert (loss.dtype, p.grad.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(p.grad, -ag.log_softmax(LOGITS, axis=1), rtol=1e-5)


# --- Weighted means ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axis", "weights", "error", "message"),
    [
        (
            None,
            [1.0, 2.0, 3.0, 4.0],
            TypeError,
            r"a \(3, 4\) and weights \(4,\), of other shape, the axis must be given",
        ),
        (0, [1.0, 2.0, 3.0, 4.0], ValueError, r"expected weights \(3,\) or \(3, 4\).*axis 0, got \(4,\)"),
        (1, [1.0, -1.0, 2.0, -2.0], ZeroDivisionError, "sum to 0"),
    ],
)
def test_bad_weights(axis, weights, error, message):
    with pytest.raises(error, match=message):
        ag.average(Tensor(A), axis, weights)


def test_average_is_numpys():
    rng = np.random.default_rng(3)
    a = rng.normal(size=(2, 3, 4))
    for axis in (None, 0, -1, (0, 2), (2, 0)):
        shape = a.shape if axis is None else tuple(a.shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))
        for weights in (None, rng.uniform(1, 2, shape), rng.uniform(1, 2, a.shape)):
            for keepdims in (False, True):
                expected = np.average(a, axis, weights, keepdims=keepdims)
                np.testing.assert_allclose(ag.average(a, axis, weights, keepdims=keepdims), expected, strict=True)


# --- Beside torch --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is the oracle here and is not installed")


TIED = np.array([[2.0, 1, 2, 0.5], [1, 1, 1, 1], [0, 3, -1, 2.5]])


@pytest.mark.parametrize(
    ("ours", "theirs", "x"),
    [
        (lambda t: ag.max(t, axis=1), lambda torch, t: torch.amax(t, 1), TIED),
        (lambda t: ag.min(t, axis=(0, 1)), lambda torch, t: torch.amin(t, (0, 1)), TIED),
        (ag.max, lambda torch, t: torch.max(t), TIED),
        (lambda t: ag.median(t.reshape(-1)[:11]), lambda torch, t: torch.median(t.reshape(-1)[:11]), TIED),
        (lambda t: ag.prod(t, axis=1), lambda torch, t: torch.prod(t, 1), TIED),
        (lambda t: ag.cumprod(t, axis=1), lambda torch, t: torch.cumprod(t, 1), TIED),
        (lambda t: ag.logsumexp(t, axis=1), lambda torch, t: torch.logsumexp(t, 1), np.where(TIED == 0.5, -inf, TIED)),
        (lambda t: ag.softmax(t, axis=0), lambda torch, t: torch.softmax(t, 0), TIED * 500),
        (lambda t: ag.log_softmax(t, axis=0), lambda torch, t: torch.log_softmax(t, 0), TIED * 500),
        (lambda t: ag.std(t[::2], axis=1, ddof=1), lambda torch, t: torch.std(t[::2], 1), TIED),
        (
            lambda t: ag.softmax_cross_entropy(t, [3, 0, 2]),
            lambda torch, t: torch.nn.functional.cross_entropy(t, torch.tensor([3, 0, 2]), reduction="none"),
            TIED,
        ),
        (
            lambda t: ag.softmax_cross_entropy(t.reshape((1, 3, 2, 2)), [[[0, 1], [2, 1]]]),
            lambda torch, t: torch.nn.functional.cross_entropy(
                t.reshape(1, 3, 2, 2), torch.tensor([[[0, 1], [2, 1]]]), reduction="none"
            ),
            TIED,
        ),
    ],
)
def test_values_and_gradients_are_torchs(torch, ours, theirs, x):
    t, u = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, v = ours(t), theirs(torch, u)
    bar = np.random.default_rng(4).normal(size=y.shape)
    y.backward(bar)
    v.backward(torch.tensor(bar))
    np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(t.grad, u.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("function", [ag.mean, ag.max])
def test_float16_with_more_elements_than_it_can_count(function):
    x = Tensor(np.ones(70_000, np.float16), requires_grad=True)
    function(x).backward()
    np.testing.assert_allclose(x.grad, np.float16(1 / 70_000))


def test_mean_of_a_number_has_no_axis_as_in_numpy():
    for x in (np.array(2.0), ag.Tensor(2.0, requires_grad=True)):
        with pytest.raises(np.exceptions.AxisError):
            ag.mean(x, axis=0)
