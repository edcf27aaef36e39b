"""Optimizers and training."""

from optim.adaptive import AdaGrad, Adam, AdamW, RMSProp
from optim.metrics import accuracy, confusion_matrix
from optim.optimizer import Optimizer
from optim.sgd import SGD
from optim.training import History, evaluate, fit, predict

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "History",
    "Optimizer",
    "RMSProp",
    "accuracy",
    "confusion_matrix",
    "evaluate",
    "fit",
    "predict",
]
