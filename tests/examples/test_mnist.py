"""examples/mnist.py, shortened, on files of MNIST's form made from scikit-learn's digits."""

import struct

import numpy as np

import nn
from examples import mnist


def write_idx(path, array):
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def test_f1_with_augmentation_plateau_early_stopping_and_checkpoint(tmp_path, capsys):
    images, labels = nn.data.digits()
    large = np.pad((images[:, 0] * 255).astype(np.uint8).repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    for part, chosen in (("train", slice(0, 600)), ("t10k", slice(600, 700))):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", large[chosen])
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", labels[chosen].astype(np.uint8))
    options = ["--mnist", str(tmp_path), "--out", str(tmp_path / "out")]
    mnist.main([*options, "--epochs", "2"])
    accuracy = mnist.main([*options, "--epochs", "4", "--resume"])
    assert accuracy > 0.5
    said = capsys.readouterr().out
    assert "after 4 epochs" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["mnist.png", "mnist.safetensors"]
