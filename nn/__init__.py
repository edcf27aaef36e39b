"""Layers, losses, initial values and data for neural networks on `autograd`."""

from nn import data, functional, init
from nn.layers.activation import (
    ELU,
    GELU,
    GeneralizedReLU,
    LeakyReLU,
    LogSoftmax,
    Maxout,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Swish,
    Tanh,
)
from nn.layers.convolution import Conv2d
from nn.layers.dense import Dense, Linear
from nn.layers.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from nn.layers.pooling import MaxPool, MaxPool2d
from nn.layers.regularization import Dropout
from nn.layers.shape import Flatten, Reshape
from nn.module import Module, ModuleList, Sequential

__all__ = [
    "ELU",
    "GELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Conv2d",
    "CrossEntropyLoss",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianNLLLoss",
    "GeneralizedReLU",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool",
    "MaxPool2d",
    "Maxout",
    "Module",
    "ModuleList",
    "NLLLoss",
    "PReLU",
    "ReLU",
    "Reshape",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Swish",
    "Tanh",
    "data",
    "functional",
    "init",
]
