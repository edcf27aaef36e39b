"""Optimizers and training."""

from optim.adaptive import AdaGrad, Adam, AdamW, RMSProp
from optim.callbacks import Callback
from optim.metrics import accuracy, confusion_matrix
from optim.optimizer import Optimizer
from optim.schedule import OneCycle, Schedule
from optim.sgd import SGD
from optim.training import History, Training, evaluate, fit, predict

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Callback",
    "History",
    "OneCycle",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "Training",
    "accuracy",
    "confusion_matrix",
    "evaluate",
    "fit",
    "predict",
]
