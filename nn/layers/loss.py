"""Losses as modules, under PyTorch's names; the functions are in `nn.losses`."""

from __future__ import annotations

from typing import Any

from nn import losses
from nn.module import Module


class _Loss(Module):
    def __init__(self, *, reduction: str = "mean") -> None:
        losses.check_reduction(reduction)
        self.reduction = reduction


class MSELoss(_Loss):
    """The squared error, (x - target)^2; see `F.mse_loss`.

    Args:
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another reduction.
    """

    def forward(self, x: Any, target: Any) -> Any:
        """Return the squared error of predictions and a target of their shape."""
        return losses.mse_loss(x, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute error, |x - target|; see `F.l1_loss`.

    Args:
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another reduction.
    """

    def forward(self, x: Any, target: Any) -> Any:
        """Return the absolute error of predictions and a target of their shape."""
        return losses.l1_loss(x, target, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """The negative log-likelihood of normal observations; see `F.gaussian_nll_loss`.

    Args:
        full: whether to add the constant log(2 pi) / 2.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, *, full: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full

    def forward(self, x: Any, target: Any, variance: Any) -> Any:
        """Return the negative log-likelihood of observations of x's shape, under means x and the variance."""
        return losses.gaussian_nll_loss(x, target, variance, full=self.full, reduction=self.reduction)


class BCELoss(_Loss):
    """The binary cross-entropy of probabilities; see `F.binary_cross_entropy`.

    Args:
        weight: factor for each element, of a shape that broadcasts with the probabilities, or None.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = weight

    def forward(self, p: Any, target: Any) -> Any:
        """Return the binary cross-entropy of probabilities."""
        return losses.binary_cross_entropy(p, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The binary cross-entropy of logits; see `F.binary_cross_entropy_with_logits`.

    Args:
        pos_weight: factor for the part of class 1, or None.
        weight: factor for each element, of a shape that broadcasts with the logits, or None.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, pos_weight: Any = None, *, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.pos_weight = pos_weight
        self.weight = weight

    def forward(self, z: Any, target: Any) -> Any:
        """Return the binary cross-entropy of logits."""
        return losses.binary_cross_entropy_with_logits(
            z, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(_Loss):
    """The cross-entropy of logits and labels, with the softmax in it; see `F.cross_entropy`.

    Args:
        weight: (classes,): factor for the examples of each class, or None.
        label_smoothing: share of the probability to spread evenly.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, *, label_smoothing: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = weight
        self.label_smoothing = label_smoothing

    def forward(self, logits: Any, labels: Any) -> Any:
        """Return the cross-entropy of logits (N, classes, ...) and labels (N, ...), or probabilities."""
        return losses.cross_entropy(
            logits, labels, weight=self.weight, label_smoothing=self.label_smoothing, reduction=self.reduction
        )


class NLLLoss(_Loss):
    """Minus the log-probabilities at the labels; see `F.nll_loss`.

    Args:
        weight: (classes,): factor for the examples of each class, or None.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = weight

    def forward(self, log_p: Any, labels: Any) -> Any:
        """Return minus the log-probabilities (N, classes, ...) at the labels (N, ...)."""
        return losses.nll_loss(log_p, labels, weight=self.weight, reduction=self.reduction)
