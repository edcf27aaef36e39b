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
from nn.layers.attention import (
    MultiHeadAttention,
    MultiheadAttention,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from nn.layers.convolution import Conv2d
from nn.layers.dense import Dense, Linear
from nn.layers.embedding import Embedding, PositionalEncoding
from nn.layers.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from nn.layers.normalization import BatchNorm, BatchNorm1d, BatchNorm2d, LayerNorm
from nn.layers.pooling import MaxPool, MaxPool2d
from nn.layers.recurrent import GRU, LSTM, RNN, Elman, Jordan
from nn.layers.regularization import Dropout
from nn.layers.shape import Flatten, Reshape
from nn.module import Module, ModuleList, Sequential

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dense",
    "Dropout",
    "Elman",
    "Embedding",
    "Flatten",
    "GaussianNLLLoss",
    "GeneralizedReLU",
    "Jordan",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool",
    "MaxPool2d",
    "Maxout",
    "Module",
    "ModuleList",
    "MultiHeadAttention",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "PositionalEncoding",
    "ReLU",
    "Reshape",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Swish",
    "Tanh",
    "TransformerDecoderLayer",
    "TransformerEncoderLayer",
    "data",
    "functional",
    "init",
]
