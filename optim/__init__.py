"""Optimizers for the parameters of models."""

from optim.adaptive import AdaGrad, Adam, AdamW, RMSProp
from optim.optimizer import Optimizer
from optim.sgd import SGD

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Optimizer", "RMSProp"]
