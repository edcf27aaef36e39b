"""What check_gradients takes, finds and says."""

import math
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd import Tensor, primitive
from autograd.tensor import raw
from autograd.testing import GradientError, check_gradients, examine

X = np.array([0.4, -1.2, 0.9])


def kinds(report):
    return [problem.kind for problem in report.problems]


cube = primitive(lambda x: x * x * x, name="cube", x=lambda ybar, x: 3.003 * ybar * x * x)


# --- What it takes ---------------------------------------------------------------------------------------------


def test_nested_inputs_are_named_after_the_parameters():
    def model(weights, x):
        return {"y": [weights["w"] @ x + weights["b"][0]], "n": 3}

    report = check_gradients(model, {"w": np.ones((2, 3)), "b": [np.zeros(2)]}, X)
    assert report.inputs == ["weights['w'] (2, 3) float64", "weights['b'][0] (2,) float64", "x (3,) float64"]


def test_integers_and_numbers_are_passed_on():
    report = check_gradients(lambda x, index, power: x[index] ** power, X[[0, 2]], np.array([0, 1, 1]), 2.5)
    assert report.inputs == ["x (2,) float64"]


def test_tensors_are_taken_by_value():
    x = Tensor(X, requires_grad=True)
    check_gradients(lambda x: np.exp(x), x)
    assert x.grad is None


class Layer:
    def __init__(self):
        self.w, self.frozen = Tensor(np.float32([[1, 2, 0.5]]), requires_grad=True), Tensor(np.float32([2]))

    def named_parameters(self):
        return {"w": self.w, "frozen": self.frozen}.items()

    def __call__(self, x):
        return np.tanh(self.w @ x) * self.frozen


def test_parameters_of_a_layer_are_inputs():
    layer = Layer()
    report = check_gradients(layer, X.astype(np.float32))
    assert report.inputs == ["x (3,) float32", "w (1, 3) float32"]
    assert report.accuracy < 1e-2
    assert layer.w.dtype == np.float32
    assert layer.w.is_leaf


def test_a_wrong_layer_is_found_by_its_parameter():
    class Wrong(Layer):
        def __call__(self, x):
            return cube(self.w) @ x.detach()

    report = examine(Wrong(), X)
    assert report.blame.operation == "cube"


def test_bad_calls():
    with pytest.raises(TypeError, match="no floating-point array to differentiate by"):
        check_gradients(lambda x: x, np.array([1, 2]))
    with pytest.raises(TypeError, match="returned no floating-point"):
        check_gradients(lambda x: x > 0, X)
    with pytest.raises(ValueError, match="expected mode to be one of"):
        check_gradients(np.sin, X, mode="fast")
    with pytest.raises(ValueError, match="order to be 1 or more"):
        check_gradients(np.sin, X, order=0)
    with pytest.raises(ValueError, match="is finite at this point"), np.errstate(all="ignore"):
        check_gradients(lambda x: np.log(x), -abs(X))


def test_what_the_function_raises_comes_through():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_gradients(broken, X)


def test_third_order():
    report = check_gradients(lambda x: np.tanh(x), X, order=3)
    assert report.ok
    assert report.counts["ok"] > 30


def test_functions_that_take_gradients_themselves():
    def slope(x):
        (g,) = ag.grad((x**4).sum(), x, create_graph=True)
        return g

    check_gradients(slope, X)


def test_it_also_works_under_no_grad():
    with ag.no_grad():
        assert check_gradients(lambda x: np.sin(x), X).ok


# --- What it finds ---------------------------------------------------------------------------------------------


def test_the_error_carries_the_report_and_names_operation_and_line():
    with pytest.raises(GradientError, match="operation to blame: cube, the rule for 'x'") as caught:
        check_gradients(lambda x: np.sin(cube(x)), X)
    report = caught.value.report
    worst = report.worst
    assert worst.ratio == pytest.approx(1.001)
    assert worst.error < 1e-9
    assert report.blame.line.rpartition(":")[0].endswith("test_check.py")
    assert "NOT RIGHT" in str(report)
    assert "central difference" in str(report)
    assert isinstance(caught.value, AssertionError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_coordinate_is_traced_in_a_large_input():
    def half(ybar, x):
        factor = np.ones(5000)
        factor[1234] = 1.01
        return 2 * ybar * x * factor

    square = primitive(lambda x: x * x, name="square_", x=half)
    report = examine(lambda x: square(x).sum(), np.linspace(-1, 1, 5000))
    assert report.worst.index == (1234,)
    assert report.worst.ratio == pytest.approx(1.01)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * x.detach(),
        lambda x: x * float(x.numpy()[0]),
        lambda x: x * x.data.max(),
        lambda x: ag.where(x > 0, x, x.numpy()),
    ],
)
def test_what_was_computed_past_the_record_is_blamed(function):
    report = examine(function, X)
    assert "past the record" in report.blame.finding
    assert "test_check.py" in report.blame.line


def test_a_result_without_a_record():
    report = examine(lambda x: np.sin(x.numpy()), X)
    assert kinds(report) == ["detached"]
    report = examine(lambda x: x.sum().item(), X)
    assert kinds(report) == ["detached"]


def test_a_constant_is_not_detached():
    assert check_gradients(lambda x: np.ones(3), X).ok


def test_random_functions_are_not_repeatable():
    rng = np.random.default_rng(0)
    report = examine(lambda x: x * rng.normal(size=3), X)
    assert kinds(report) == ["non-deterministic"]
    assert report.blame.operation == "multiply"
    assert "changes from call to call" in report.blame.finding


def test_a_function_that_writes_to_its_arguments():
    def write(x, indices):
        indices += 1
        return np.sin(x)

    report = examine(write, X, np.array([1, 2]))
    assert kinds(report) == ["mutation"]


def scaled_after(x):
    y = np.tanh(x)
    y.data[...] *= 1.001
    return y


def set_before_use(x):
    y = np.tanh(x)
    y.data[0] = 3.0
    return y * y


def set_after_use(x):
    y = np.tanh(x)
    z = y * x
    y.data[:] = 7.0
    return z


def rounded(x):
    y = np.tanh(x)
    y.data[...] = np.round(y.data, 3)
    return y * x


@pytest.mark.parametrize("function", [scaled_after, set_before_use, set_after_use, rounded])
def test_a_recorded_value_that_is_written_to_is_found(function):
    report = examine(function, X)
    assert kinds(report) == ["mutation"]
    assert "what tanh kept was written to" in str(report)
    assert report.blame.operation == "tanh"
    assert "test_check.py:" in report.blame.line


def test_a_layer_that_clamps_what_is_recorded():
    class Clamped(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Dense(2, 2, rng=0)

        def forward(self, x):
            h = self.dense(x)
            h.data[:] = np.clip(h.data, -0.1, 0.1)
            return h * h

    report = examine(Clamped(), np.float32([[0.3, 0.5]]))
    assert kinds(report) == ["mutation"]
    assert report.blame.operation == "linear"


def test_a_constant_that_is_written_to_after_use():
    def reused(x):
        buffer = np.ones(3)
        y = x * buffer
        buffer[:] = 3
        return y

    assert examine(reused, X).blame.operation == "multiply"


def test_a_number_that_is_written_to():
    def doubled(x):
        y = x.sum()
        y.data[...] *= 2
        return y

    report = examine(doubled, X)
    assert kinds(report) == ["mutation"]
    assert "fault of the engine" not in str(report)


def test_writes_that_change_no_derivative_are_right():
    def free(x):
        y = x + 1
        z = 2 * y
        y.data[...] = 0  # nothing kept it
        return z

    def items(x):
        y = x * 2
        z = np.sin(y)
        y[0] = x[1]
        y *= 2
        return y * z

    def leaf(x):
        w = Tensor(np.ones(3))
        y = x * w
        w += 1
        return y * w

    for function in (free, items, leaf):
        assert check_gradients(function, X).ok


def test_a_missing_rule_is_an_error_with_a_name():
    half = primitive(lambda x, y: x * y, name="half", x=lambda bar, y: bar * y)
    report = examine(lambda x: half(x, x), X)
    assert kinds(report) == ["error"]
    assert report.blame.operation == "half"
    assert "no rule for argument 'y'" in str(report)


@pytest.mark.parametrize("mode", ["auto", "directions"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite(bad, mode):
    broken = primitive(lambda x: x * x, name="broken", x=lambda ybar, x: ybar * np.where(x > 0.8, bad, 2 * x))
    report = examine(broken, X, mode=mode)
    assert kinds(report) == ["not finite"]
    assert report.worst.index == (2,)
    assert report.blame.operation == "broken"


def test_a_rule_that_cannot_be_differentiated_again():
    once = primitive(np.sin, name="once", x=lambda bar, x: bar * np.asarray([math.cos(v) for v in np.array(x)]))
    assert check_gradients(lambda x: 2 * once(x), X, order=1).ok
    report = examine(lambda x: 2 * once(x), X)
    assert kinds(report) == ["error"]
    assert report.problems[0].message.startswith("order 2: ")
    assert report.blame.operation == "once"


def test_wrong_in_second_order_inside_a_rule():
    slope = primitive(lambda x: 3 * x * x, name="slope", x=lambda bar, x: 5 * bar * x)
    third_power = primitive(lambda x: x**3, name="third_power", x=lambda bar, x: bar * slope(x))
    assert examine(third_power, X, order=1).ok
    report = examine(third_power, X, order=2)
    assert report.worst.order == 2
    assert report.blame.operation == "slope"


# --- What it does not call wrong ---------------------------------------------------------------------------------


def test_an_infinite_slope_spoils_nothing_else():
    """Where a function is not finite, or its slope is not, zero times infinity is nobody's fault."""
    assert check_gradients(lambda x: np.sqrt(x).sum(), np.array([0.0, 1.0, 4.0])).ok
    assert check_gradients(lambda x: np.log(x), np.array([-1.0, 2.0])).ok
    assert check_gradients(lambda x: np.log(x), np.array([1.0, 3e-162])).ok  # 1 / x^2 is too large for float64


@pytest.mark.parametrize("size", [5e-324, 3.52e-133, 1e-12, 1e12, 1e150])
def test_sizes_at_the_ends_of_the_range(size):
    for function in (lambda x: x * x, lambda x: (x * x).sum(), np.sqrt, np.tanh, lambda x: 3 * x):
        assert check_gradients(function, np.array([size, 1.0])).ok
        assert check_gradients(function, np.array(size)).ok


def test_a_power_whose_differences_settle_slowly():
    for dtype in (np.float64, np.float32):
        assert check_gradients(lambda x: x**1.5, np.array([0.0, 1.0], dtype)).ok


def test_not_a_number_at_a_finite_slope_is_told():
    report = examine(lambda x: np.sqrt((x * x).sum()), np.zeros(3))
    assert kinds(report) == ["not finite"]
    assert "infinite slope times zero" in str(report)
    assert "sqrt at" in str(report)


def test_lost_digits_are_undecided():
    report = check_gradients(lambda x: ((1 - np.cos(x)) / x**2).sum(), np.array([1e-4, 1e-6]))
    assert any("loses its digits" in c.note for c in report.undecided)


@pytest.mark.parametrize("frequency", [1e4, 1e6, 1e8, 1e10])
def test_fast_oscillation_is_not_called_wrong(frequency):
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=2)
        assert check_gradients(lambda x: np.sin(frequency * x).sum(), x).ok


def test_a_forward_that_writes_is_blamed():
    def cut(x):
        x[x < 0] = 0
        return 2 * x

    writing = primitive(cut, name="writing", x=lambda bar: 2 * bar)
    for function in (writing, lambda x: np.sin(writing(x * 1))):
        report = examine(function, X)
        assert report.blame.operation == "writing"
        assert "writes to an array" in report.blame.finding


def test_not_a_number_from_what_was_not_selected():
    report = examine(lambda x: np.where(x > 0, np.sqrt(x), -x), np.array([-1.0, 2.0]))
    assert kinds(report) == ["not finite"]
    assert "values of sqrt at" in str(report)
    assert "choose a safe argument first" in str(report)


def test_saturated_functions_in_single_precision():
    """1 - out * out has no digits left where out is nearly 1, and no rule could have them."""
    assert check_gradients(np.tanh, np.float32([8, 9.2, 12])).ok
    assert check_gradients(lambda x: np.tanh(x).sum(), np.float32([8, 9.2, 12])).ok
    assert check_gradients(ag.sigmoid, np.float32([8, 16.2, 17, 30, -20])).ok
    x = np.random.default_rng(11).normal(size=(2, 4, 3)) * 1000
    assert check_gradients(nn.LSTM(3, 4, rng=11), x.astype(np.float32)).ok


def test_a_wrong_rule_is_found_beside_saturated_elements():
    off = primitive(np.tanh, name="off", x=lambda bar, out: 1.001 * bar * (1 - out * out))
    report = examine(lambda x: 2 * off(x), np.float32([0.5, 9.2, 12]))
    assert report.blame.operation == "off"


def test_what_is_far_below_the_rounding_of_the_values_is_undecided():
    x = np.random.default_rng(2).normal(size=(2, 3)) * 1000
    report = check_gradients(lambda x: F.cross_entropy(x, np.array([0, 1])), x)  # a probability of 1e-262
    assert any("too small to show" in c.note for c in report.undecided)


def test_an_operation_is_looked_at_output_by_output():
    lost = primitive(np.exp, name="lost", x=lambda bar, out: bar * out * np.where(out < 1e-8, 0, 1))
    report = examine(lambda x: lost(x), np.array([-30.0, 0, 5]))
    assert report.worst.index == (0,)
    assert report.blame.operation == "lost"


def test_batch_normalization_in_training():
    """The gradient by the bias in front of it is nothing but rounding; its size is not a size to divide by."""
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    layers = nn.Sequential(nn.Dense(4, 6, rng=0), nn.BatchNorm1d(6), nn.Tanh(), nn.Dense(6, 2, rng=1))
    before = [buffer.copy() for buffer in layers.buffers()]
    report = check_gradients(layers, x)
    assert all(map(np.array_equal, before, layers.buffers()))  # the running mean is as it was
    assert report.inputs[:2] == ["x (5, 4) float32", "0.weight (6, 4) float32"]


def test_dropout_is_random():
    report = examine(nn.Sequential(nn.Dense(4, 6), nn.Dropout(0.5)), np.ones((3, 4)))
    assert kinds(report) == ["non-deterministic"]
    assert "model.eval()" in str(report)
    assert "multiply, the operand for 'y'" in str(report.blame)


def test_notes():
    assert "nothing to compare" in str(examine(np.sin, np.zeros((0, 3))))
    w = Tensor(np.ones(3), requires_grad=True).named("w")
    assert "no inputs were not checked: w of shape (3,)" in str(examine(lambda x: x * w, X))


# --- Kinks -----------------------------------------------------------------------------------------------------


def absolute_with(slope):
    return primitive(lambda x: abs(x), name="absolute_", x=lambda bar, x: bar * (np.sign(x) + slope * (x == 0)))


def test_any_slope_between_left_and_right_is_right_at_a_kink():
    for slope in (-1, -0.3, 0, 1):
        report = check_gradients(absolute_with(slope), np.array([0.0, 2.0]), order=1)
        assert len(report.kinks) >= 1
        assert report.kinks[-1].left == pytest.approx(-1)
        assert report.kinks[-1].right == pytest.approx(1)


@pytest.mark.parametrize("slope", [-1.01, 1.01, 3])
def test_a_slope_outside_is_wrong(slope):
    report = examine(absolute_with(slope), np.array([0.0, 2.0]))
    assert not report.ok
    assert "outside of the slopes" in str(report)


def test_kinks_that_meet_are_named():
    report = check_gradients(lambda x: ag.relu(x) - ag.relu(-x), np.array([0.0, 1.0]))
    assert any("several kinks meet" in c.note for c in report.kinks)
    assert "relu at" in str(report)


def test_a_wrong_rule_is_wrong_beside_a_kink_too():
    report = examine(lambda x: cube(x) + ag.relu(x), np.array([0.0, 1.0]))
    assert report.blame.operation == "cube"


# --- What it says ----------------------------------------------------------------------------------------------


def test_taylor_orders():
    assert check_gradients(lambda x: np.exp(x), X).orders == pytest.approx((1, 2, 3), abs=0.05)
    wrong = examine(lambda x: cube(x), X)
    assert wrong.orders[1] < 1.7
    assert len(check_gradients(lambda x: x * x, X, order=1).orders) == 2


def test_the_complex_step_where_it_applies():
    assert check_gradients(lambda x: np.exp(np.sin(x)) / x, X).complex_step < 1e-14
    assert check_gradients(lambda x: abs(x) * x, X).complex_step is None
    assert check_gradients(lambda x: x.sigmoid(), X).complex_step is None


def test_float32_is_judged_at_its_own_accuracy():
    report = check_gradients(lambda x: np.tanh(2 * x), X.astype(np.float32))
    assert 1e-8 < report.accuracy < 1e-2
    off = primitive(np.tanh, name="off", x=lambda bar, out: 1.0001 * bar * (1 - out * out))
    assert not examine(lambda x: off(x), X.astype(np.float32)).ok


def test_a_page_with_plot_and_drawing():
    report = examine(lambda x: np.sin(cube(x)), X)
    assert report.svg().startswith("<svg")
    assert "1e-" in report.svg()
    page = report.html()
    assert "operation to blame: cube" in page
    assert "<svg" in report._repr_html_()
    assert "<style" not in report._repr_html_()  # it stands in other pages
    assert repr(report) == str(report)
    assert page.rstrip().endswith("</html>")
    assert check_gradients(np.sin, X).svg() == ""


# --- One direction -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_quick_accepts_what_is_right_after_one_comparison_an_order(dtype, order):
    x, w = np.linspace(-1, 2, 12).reshape(3, 4).astype(dtype), np.linspace(0.5, 1, 8).reshape(4, 2).astype(dtype)
    report = examine(lambda x, w: [np.tanh(x @ w), (x * x).sum()], x, w, order=order, mode="quick")
    assert report.ok
    assert sum(report.counts.values()) == order
    assert report.accuracy < (1e-8 if dtype == np.float64 else 1e-3)


def test_quick_checks_the_parameters_of_a_layer():
    layer = nn.Dense(3, 2, rng=0)
    before = layer.weight
    assert examine(layer, np.ones((4, 3), np.float32), mode="quick").counts == {"ok": 2}
    assert layer.weight is before


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.0001])
def test_quick_finds_a_wrong_rule_and_then_checks_all(factor):
    wrong = primitive(np.exp, name="wrong", x=lambda ybar, out: ybar * out * factor)
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x: wrong(np.sin(x)), np.linspace(0, 1, 100), order=1, mode="quick")
    assert caught.value.report.blame.operation == "wrong"


def test_quick_finds_what_is_wrong_only_at_second_order():
    """The rule takes x for a constant."""
    wrong = primitive(lambda x: x * x, name="wrong", x=lambda ybar, x: ybar * (2 * raw(x)))
    assert examine(wrong, np.linspace(1, 2, 5), order=1, mode="quick").ok
    report = examine(wrong, np.linspace(1, 2, 5), order=2, mode="quick")
    assert not report.ok
    assert report.blame.operation == "wrong"


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.abs, np.zeros(3)),
        (np.floor, np.linspace(0.1, 2.1, 4)),
        (lambda x: np.sqrt(x - 1), np.array([1.0, 2.0])),
        (lambda x: x * 0 + 1e300 * x, np.array([1.0])),
        (lambda x: x[:0], np.ones(3)),
    ],
    ids=["kink", "flat", "edge of the domain", "huge", "no output"],
)
def test_quick_says_what_the_whole_check_says_where_it_cannot_tell(f, x):
    quick, whole = (examine(f, x, order=1, mode=mode) for mode in ("quick", "auto"))
    assert quick.ok == whole.ok
    assert quick.counts == whole.counts or sum(quick.counts.values()) == 1


def test_quick_raises_what_the_function_raises():
    def broken(x):
        raise KeyError("a")

    with pytest.raises(KeyError):
        examine(broken, np.ones(2), mode="quick")


third = primitive(lambda x: x * x, name="third", x=lambda ybar, x: 3 * ybar * x)
crooked = primitive(lambda x: x * x, name="crooked", x=lambda ybar, x: 2 * x * abs(ybar))


def write(ybar, x):
    share = 2 * x * ybar
    np.add(x, 1, out=x)
    return share


writing = primitive(lambda x: x * x, name="writing", x=write)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: (a * 1e7).sum() + third(b).sum(),
        lambda a, b: (a * 1e3).sum() + third(b).sum(),
        lambda a, b: a.sum() + crooked(b).sum(),
        lambda a, b: a.sum() + writing(b).sum(),
    ],
    ids=["behind far larger shares", "behind larger shares", "not linear in the bar", "a rule that writes"],
)
def test_quick_finds_what_is_hidden(f):
    assert not examine(f, np.linspace(1, 2, 3), np.linspace(1, 2, 4), order=1, mode="quick").ok
