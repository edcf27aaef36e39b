"""Layers, losses, initial values and data for neural networks on `autograd`."""

from nn import data, functional, init
from nn.layers.activation import ReLU, Softmax
from nn.layers.convolution import Conv2d
from nn.layers.dense import Dense, Linear
from nn.layers.pooling import MaxPool, MaxPool2d
from nn.layers.regularization import Dropout
from nn.layers.shape import Flatten, Reshape
from nn.module import Module, ModuleList, Sequential

__all__ = [
    "Conv2d",
    "Dense",
    "Dropout",
    "Flatten",
    "Linear",
    "MaxPool",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "ReLU",
    "Reshape",
    "Sequential",
    "Softmax",
    "data",
    "functional",
    "init",
]
