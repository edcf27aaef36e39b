"""examples/colorization.py, shortened: row F11 of the lecture."""

import numpy as np

from examples import colorization


def test_f11_the_unet_learns_colors(tmp_path, capsys):
    found, baseline = colorization.main(["--epochs", "2", "--out", str(tmp_path)])
    assert found < 0.9 * baseline
    assert (tmp_path / "colorization.png").exists()
    assert "U-Net: mean error" in capsys.readouterr().out


def test_f11_the_unet_keeps_the_size_and_knows_both_neighbourhood_and_whole():
    model = colorization.UNet(np.random.default_rng(0), channels=4).eval()
    assert model(np.zeros((2, 1, 16, 24), np.float32)).shape == (2, 3, 16, 24)


def test_colors_depend_on_the_digit():
    colors = colorization.colored(np.ones((10, 1, 1, 1), np.float32), np.arange(10))
    assert len({tuple(color) for color in colors.reshape(10, 3).tolist()}) == 10
