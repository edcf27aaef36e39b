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
    """See `F.mse_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        """Return the squared error."""
        return losses.mse_loss(x, target, reduction=self.reduction)


class L1Loss(_Loss):
    """See `F.l1_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        """Return the absolute error."""
        return losses.l1_loss(x, target, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """See `F.gaussian_nll_loss`.

    Args:
        full: whether to add the constant log(2 pi) / 2.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, *, full: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full

    def forward(self, x: Any, target: Any, variance: Any) -> Any:
        """Return the negative log-likelihood of normal observations."""
        return losses.gaussian_nll_loss(x, target, variance, full=self.full, reduction=self.reduction)


class BCELoss(_Loss):
    """See `F.binary_cross_entropy`.

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
    """See `F.binary_cross_entropy_with_logits`.

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
    """See `F.cross_entropy`.

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
        """Return the cross-entropy of logits and labels."""
        return losses.cross_entropy(
            logits, labels, weight=self.weight, label_smoothing=self.label_smoothing, reduction=self.reduction
        )


class NLLLoss(_Loss):
    """See `F.nll_loss`.

    Args:
        weight: (classes,): factor for the examples of each class, or None.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = weight

    def forward(self, log_p: Any, labels: Any) -> Any:
        """Return minus the log-probabilities at the labels."""
        return losses.nll_loss(log_p, labels, weight=self.weight, reduction=self.reduction)
