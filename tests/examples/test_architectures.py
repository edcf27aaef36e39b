"""examples/architectures.py and examples/lenet.py: rows F2 to F5 of the lecture."""

import numpy as np

import nn
from examples import architectures, lenet


def rng():
    return np.random.default_rng(0)


def test_f2_the_strided_network_has_the_lectures_parameters_and_learns():
    model = architectures.strided_network(rng())
    table = nn.summary(model, (3, 32, 32))
    assert [row.parameters for row in table.rows if row.parameters] == [224, 3216, 2_097_664, 2052]
    assert table.parameters == 2_103_156
    before, after = architectures.training_step(model, (3, 32, 32), 4)
    assert after < before


def test_f3_lenet_has_the_lectures_parameters_and_learns(tmp_path, capsys):
    assert nn.summary(lenet.lenet(rng()), (1, 32, 32)).parameters == 61_706
    assert lenet.main(["--epochs", "2", "--out", str(tmp_path)]) > 0.8
    assert (tmp_path / "lenet.png").exists()
    assert "LeNet-5 recognizes" in capsys.readouterr().out


def test_f4_alexnet_has_the_papers_parameters_and_does_a_training_step():
    model = architectures.alexnet(rng())
    assert sum(p.size for p in model.parameters()) == 60_965_224
    layers = [type(layer) for layer in model]
    assert (layers.count(nn.Conv2d), layers.count(nn.Dense)) == (5, 3)
    before, after = architectures.training_step(model, (3, 227, 227), 1000, examples=1)
    assert np.isfinite(after)
    assert after < before


def test_f5_vgg_is_made_of_3_x_3_blocks_and_learns():
    model = architectures.vgg(rng())
    kinds = [layer for layer in model if isinstance(layer, nn.Conv2d)]
    assert {(layer.kernel_size, layer.stride, layer.padding) for layer in kinds} == {(3, 1, 1)}
    expected = sum(9 * a * b + b for a, b in ((3, 16), (16, 32), (32, 64), (64, 64)))
    expected += 1024 * 128 + 128 + 128 * 128 + 128 + 1290
    assert sum(p.size for p in model.parameters()) == expected
    before, after = architectures.training_step(model, (3, 32, 32), 10)
    assert after < before


def test_the_program_prints_tables_and_draws(tmp_path, monkeypatch, capsys):
    small = {"F5, a small VGG": architectures.NETWORKS["F5, a small VGG"]}
    monkeypatch.setattr(architectures, "NETWORKS", small)
    architectures.main(["--out", str(tmp_path / "new")])
    assert (tmp_path / "new" / "architectures.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr()
    assert "100%" in shown.err
    said = shown.out
    assert "F5, a small VGG" in said
    assert "after one step" in said


def test_digits_are_enlarged_to_any_size():
    images, labels = architectures.enlarged_digits((3, 20, 24), 4, 5)
    assert images.shape == (5, 3, 20, 24)
    assert images.dtype == np.float32
    assert (images.min(), images.max(), labels.max()) == (-1, 1, 3)
    assert (images[:, 0] == images[:, 2]).all()
    assert (images[:, :, :, ::3] == images[:, :, :, 2::3]).all()


def test_images_are_brought_to_lenets_size():
    assert lenet.padded(np.ones((2, 1, 28, 28))).shape == (2, 1, 32, 32)
    image = np.arange(64.0).reshape(1, 1, 8, 8)
    assert lenet.enlarged(image).shape == (1, 1, 32, 32)
    assert (lenet.enlarged(image)[0, 0, 4:8, :4] == 8).all()
