"""The jobs in PyTorch with torch.compile: those where compiling ends in reasonable time."""

from benchmarks.libraries import pytorch
from benchmarks.libraries.pytorch import digits, epoch, lenet, mlp, transformer, xor

pytorch.COMPILED = True
__all__ = ["digits", "epoch", "lenet", "mlp", "transformer", "xor"]
