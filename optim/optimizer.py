"""`Optimizer`, what all optimizers by gradient share: groups of parameters, one state each, saving and loading.

An optimizer is two functions of one parameter: `init`, its state before the first step, and `update`, transcribed from
the paper, which writes into the parameter's array. Nothing here is recorded.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor

Array = NDArray[Any]
State = dict[str, Any]


class Optimizer:
    """Base of the optimizers; see `update` for what a subclass writes.

    Args:
        parameters: tensors that require a gradient; or groups of them: dicts with "params" and hyper-parameters of
            their own, such as `{"params": head.parameters(), "lr": 1e-2}`.
        **defaults: hyper-parameters for the groups that do not set them.

    Attributes:
        param_groups: dicts of "params" and hyper-parameters; change `group["lr"]` for another rate.
        state: one dict for each parameter, in the order of the groups.

    Raises:
        ValueError: no parameters, one twice, or a hyper-parameter out of range.
        TypeError: something that is not a leaf Tensor, or an unknown hyper-parameter.
    """

    def __init__(self, parameters: Iterable[Any], **defaults: Any) -> None:
        given = list(parameters)
        if not given:
            raise ValueError(f"{type(self).__name__}: got no parameters to optimize")
        if not isinstance(given[0], Mapping):
            given = [{"params": given}]
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = [self._group(group) for group in given]
        self._refuse_twice()
        self.state: list[State] = [{} for _ in self.parameters]
        self.schedule: Any = None  # the learning-rate schedule made last for this optimizer

    def _group(self, group: Mapping[str, Any]) -> dict[str, Any]:
        unknown = group.keys() - self.defaults.keys() - {"params"}
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: unknown hyper-parameters {sorted(unknown)}; it has {[*self.defaults]}"
            )
        params = group["params"]
        parameters = [params] if isinstance(params, Tensor) else list(params)
        for parameter in parameters:
            if not isinstance(parameter, Tensor) or not parameter.is_leaf:
                raise TypeError(f"{type(self).__name__}: expected leaf Tensors as parameters, got {parameter!r}")
        complete = {**self.defaults, **group, "params": parameters}
        self.check(**{name: value for name, value in complete.items() if name != "params"})
        return complete

    def _refuse_twice(self) -> None:
        if len({id(parameter) for parameter in self.parameters}) < len(self.parameters):
            raise ValueError(f"{type(self).__name__}: a parameter was given twice, it would be updated twice a step")

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters, in the order of the groups."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    @property
    def lr(self) -> float:
        """The learning rate of the first group; setting it sets that of all groups."""
        return float(self.param_groups[0]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.param_groups:
            group["lr"] = value

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add a group of parameters, e.g. layers that are unfrozen later."""
        self.param_groups.append(self._group(group))
        self._refuse_twice()
        self.state.extend({} for _ in self.param_groups[-1]["params"])

    # --- What a subclass writes ----------------------------------------------------------------------------

    def check(self, lr: float, **hyper: Any) -> None:  # noqa: ARG002 (those of a subclass)
        """Raise ValueError for a hyper-parameter that is out of range.

        Args:
            lr: step size per update.
            **hyper: the group's other hyper-parameters.
        """
        require(self, lr >= 0, "lr", "at least 0", lr)

    def init(self, w: Array) -> State:  # noqa: ARG002 (subclasses use it)
        """Return the state of a parameter with the values `w` before its first step."""
        return {}

    def update(self, w: Array, g: Array, state: State, **hyper: Any) -> None:
        """Do one step: write new values into `w`, and into `state`.

        Args:
            w: the parameter's array.
            g: its gradient; not to be written to.
            state: what `init` returned, as the last step left it.
            **hyper: the group's hyper-parameters.
        """
        raise NotImplementedError

    # --- Steps ---------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Update every parameter that requires a gradient and has one."""
        position = 0
        for group in self.param_groups:
            hyper = {name: value for name, value in group.items() if name != "params"}
            for parameter in group["params"]:
                bar = parameter.grad if parameter.requires_grad else None
                if bar is not None:
                    w = parameter.data
                    if not self.state[position]:
                        self.state[position] = self.init(w)
                    self.update(w, bar, self.state[position], **hyper)
                    parameter.data = w
                position += 1

    def zero_grad(self) -> None:
        """Drop the gradients of all parameters."""
        for parameter in self.parameters:
            if parameter.requires_grad:
                parameter.grad = None

    # --- Saving --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the states, and of the groups with the numbers of their parameters."""
        numbers = iter(range(len(self.parameters)))
        groups = [{**group, "params": [next(numbers) for _ in group["params"]]} for group in self.param_groups]
        return {"state": copy.deepcopy(dict(enumerate(self.state))), "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which `state_dict` returned, for the same parameters in the same groups.

        Raises:
            ValueError: other groups, or states of other shapes; nothing is changed then.
        """
        groups, states = state["param_groups"], {int(number): entry for number, entry in state["state"].items()}
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in groups] != sizes:
            given = [len(group["params"]) for group in groups]
            raise ValueError(f"load_state_dict: expected groups of {sizes} parameters, got {given}")
        for own, group in zip(self.param_groups, groups, strict=True):
            if own.keys() != group.keys():
                raise ValueError(
                    f"load_state_dict: expected hyper-parameters {sorted(own)} of {type(self).__name__}, "
                    f"got {sorted(group)}"
                )
        loaded: list[State] = [dict(states.get(number, {})) for number in range(len(self.parameters))]
        for number, (parameter, entry) in enumerate(zip(self.parameters, loaded, strict=True)):
            self._check_state(number, parameter, entry)
        for own, group in zip(self.param_groups, groups, strict=True):
            own.update({name: value for name, value in group.items() if name != "params"})
        self.state = copy.deepcopy(loaded)

    def _check_state(self, number: int, parameter: Tensor, entry: State) -> None:
        expected = self.init(parameter.data) if entry else {}
        shapes = {name: np.shape(value) for name, value in expected.items()}
        given = {name: np.shape(value) for name, value in entry.items()}
        if shapes != given:
            name = parameter.name or f"number {number}"
            raise ValueError(f"load_state_dict: parameter {name}: expected a state of shapes {shapes}, got {given}")

    def __repr__(self) -> str:
        count = len(self.parameters)
        hyper = ", ".join(f"{name}={self.param_groups[0][name]!r}" for name in self.defaults)
        return f"{type(self).__name__}({count} parameters, {hyper})"


def require(optimizer: Any, holds: bool, name: str, expected: str, value: Any) -> None:
    """Raise ValueError unless a condition on a hyper-parameter holds."""
    if not holds:
        raise ValueError(f"{type(optimizer).__name__}: expected {name} to be {expected}, got {value!r}")
