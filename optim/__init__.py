"""Optimizers, schedules and training."""

from optim.adaptive import AdaGrad, Adam, AdamW, RMSProp
from optim.callbacks import Callback, Checkpoint, ClipGradients, EarlyStopping
from optim.clipping import clip_grad_norm, clip_grad_value
from optim.metrics import accuracy, confusion_matrix
from optim.minimizing import Minimization, minimize
from optim.optimizer import Optimizer
from optim.schedule import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    Schedule,
    SequentialLR,
    StepLR,
)
from optim.searching import Trial, search
from optim.sgd import SGD
from optim.training import History, Training, evaluate, fit, predict

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Callback",
    "Checkpoint",
    "ClipGradients",
    "CosineAnnealingLR",
    "EarlyStopping",
    "ExponentialLR",
    "History",
    "LambdaLR",
    "LinearLR",
    "Minimization",
    "OneCycleLR",
    "Optimizer",
    "RMSProp",
    "ReduceLROnPlateau",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "Training",
    "Trial",
    "accuracy",
    "clip_grad_norm",
    "clip_grad_value",
    "confusion_matrix",
    "evaluate",
    "fit",
    "minimize",
    "predict",
    "search",
]
