"""examples/transfer.py, shortened: row F10 of the lecture."""

from examples import transfer


def test_f10_frozen_parameters_stay_to_the_bit_and_the_new_head_learns(tmp_path, capsys):
    found = transfer.main(["--epochs", "15", "--out", str(tmp_path)])
    assert found["identical"]
    assert found["transferred"] > 0.7
    assert (tmp_path / "transfer.png").exists()
    assert "the same to the bit" in capsys.readouterr().out
