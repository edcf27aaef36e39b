"""examples/digits.py, shortened, and row F1 of the lecture."""

import gzip
import struct

import numpy as np
import pytest

from examples import digits

PICTURES = ["confusion.png", "feature_maps.png", "filters.png", "graph.svg", "loss.png"]


def test_f1_the_digit_recognizer_has_the_lectures_shapes_and_parameters():
    model = digits.recognizer(np.random.default_rng(0)).eval()
    counts = [sum(p.size for p in model[name].parameters()) for name in ("conv1", "conv2", "dense1", "dense2")]
    assert counts == [208, 1168, 200_960, 2570]
    assert sum(p.size for p in model.parameters()) == 204_906
    x, shapes = np.zeros((1, 1, 28, 28), np.float32), []
    for layer in model:
        x = layer(x)
        shapes.append(x.shape[1:])
    assert [shapes[i] for i in (0, 2, 4, 6, 8, 9, 12)] == [
        *((8, 28, 28), (8, 14, 14), (16, 14, 14), (16, 7, 7)),
        *((784,), (256,), (10,)),
    ]


def test_small_digits_learns_and_draws(tmp_path, capsys):
    accuracy = digits.small_digits(3, tmp_path, splits=(100,))
    assert accuracy > 0.8
    assert sorted(path.name for path in tmp_path.iterdir()) == PICTURES
    assert (tmp_path / "graph.svg").read_text().count("conv1.weight") >= 1
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in PICTURES if name.endswith("png"))
    said = capsys.readouterr().out
    assert f"{accuracy:.2%} of the 359 digits held out are recognized" in said


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def test_mnist_files_are_read_and_trained_on(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for part, count in (("train", 130), ("t10k", 20)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28)))
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", np.arange(count) % 10)
    digits.main(["--mnist", str(tmp_path), "--epochs", "2", "--out", str(tmp_path / "out")])
    said = capsys.readouterr().out
    assert "130 digits of 28 x 28 pixels" in said
    assert "epoch 2: loss" in said
    assert "peak memory" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == PICTURES


def test_a_missing_directory_says_which_file_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte"):
        digits.main(["--mnist", str(tmp_path / "nowhere")])
