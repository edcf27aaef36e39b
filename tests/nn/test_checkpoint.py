"""Saving and loading: what is kept, files from PyTorch, damaged files."""

import os
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nn
import optim
from nn import CheckpointFileError


def network(seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Conv2d(1, 2, 3, rng=rng), nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(0.5, rng=rng))


def same(a, b):
    """Tell whether two nested states are equal to the bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) and getattr(a, "dtype", None) == getattr(b, "dtype", None)


@pytest.fixture
def trained():
    """A model and an optimizer with a state."""
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (model(np.random.default_rng(1).normal(size=(3, 1, 5, 5)).astype(np.float32)) ** 2).sum().backward()
        optimizer.step()
    return model, optimizer


def test_everything_comes_back(tmp_path, trained):
    model, optimizer = trained
    rng = np.random.default_rng(3)
    rng.random(5)
    history = [{"loss": 0.1}, {"loss": 1e-300}]
    batches = nn.data.Batches(np.arange(10), rng=5)
    table = np.arange(3)
    path = tmp_path / "run.safetensors"
    objects = {"model": model, "optimizer": optimizer, "rng": rng, "data": batches}
    nn.save(path, **objects, epoch=7, history=history, table=table, note=None)
    other = network(seed=9)
    restored = {
        "model": other,
        "optimizer": optim.Adam(other.parameters()),
        "rng": np.random.default_rng(),
        "data": nn.data.Batches(np.arange(10)),
    }
    rest = nn.load(path, **restored)
    assert {name: rest[name] for name in ("epoch", "history", "note")} == {"epoch": 7, "history": history, "note": None}
    assert np.array_equal(rest["table"], table)
    assert same(other.state_dict(), model.state_dict())
    assert same(restored["optimizer"].state_dict()["state"], optimizer.state_dict()["state"])
    assert restored["optimizer"].lr == 0.1
    assert restored["rng"].random() == rng.random()
    x = np.ones((4, 1, 5, 5), np.float32)
    assert np.array_equal(other(x).data, model(x).data)
    order = [np.concatenate([part for (part,) in b]) for b in (batches, restored["data"])]
    assert np.array_equal(*order)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_of_any_shape_type_and_order(tmp_path, dtype, shape):
    array = np.arange(6)[: int(np.prod(shape))].reshape(shape).astype(dtype)
    nn.save(tmp_path / "a", a=array, turned=array.T)
    found = nn.load(tmp_path / "a")
    assert found["a"].dtype == dtype
    assert np.array_equal(found["a"], array)
    assert np.array_equal(found["turned"], array.T)
    assert found["turned"].shape == array.T.shape


def test_several_models_in_one_file(tmp_path):
    pair = {"generator": network(1), "discriminator": network(2)}
    nn.save(tmp_path / "gan", **pair)
    loaded = {name: network(5) for name in pair}
    nn.load(tmp_path / "gan", **loaded)
    assert all(same(pair[name].state_dict(), loaded[name].state_dict()) for name in pair)


def test_loading_nothing_shows_what_there_is(tmp_path, trained):
    model, optimizer = trained
    nn.save(tmp_path / "a", model=model, optimizer=optimizer, epoch=1)
    found = nn.load(tmp_path / "a")
    assert sorted(found) == ["epoch", "model", "optimizer"]
    assert same(found["model"], model.state_dict())


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    nn.save(path, epoch=1)

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        nn.save(path, epoch=2)
    assert nn.load(path) == {"epoch": 1}


# --- PyTorch's files ---------------------------------------------------------------------------------------


def test_a_state_dict_of_torch_loads_into_the_same_architecture(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch makes the file")
    from safetensors.torch import load_file, save_file

    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 25, 3),
    )
    theirs(torch.rand(8, 1, 5, 5))
    theirs.eval()
    save_file(theirs.state_dict(), tmp_path / "torch.safetensors")
    ours = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dense(100, 3))
    nn.load(tmp_path / "torch.safetensors", model=ours.eval())
    x = torch.rand(2, 1, 5, 5)
    np.testing.assert_allclose(ours(x.numpy()).data, theirs(x).detach().numpy(), rtol=1e-4, atol=1e-6)
    nn.save(tmp_path / "ours.safetensors", model=ours)
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))


# --- What does not fit -------------------------------------------------------------------------------------


def test_what_is_not_in_the_file_is_named(tmp_path):
    nn.save(tmp_path / "a", epoch=1)
    with pytest.raises(CheckpointFileError, match=r"no \['model'\] in this file; it holds \['epoch'\]"):
        nn.load(tmp_path / "a", model=network())


def test_all_or_nothing(tmp_path, trained):
    model, optimizer = trained
    nn.save(tmp_path / "a", model=model, optimizer=optimizer)
    other = network(seed=4)
    before = other.state_dict()
    generator = dict(other.named_generators())["3.rng"].bit_generator.state
    with pytest.raises(ValueError, match=r"groups of \[1\] parameters, got \[4\]") as caught:
        nn.load(tmp_path / "a", model=other, optimizer=optim.Adam([other[0].weight]))
    assert any("a: optimizer" in note for note in caught.value.__notes__)
    assert same(other.state_dict(), before)
    assert dict(other.named_generators())["3.rng"].bit_generator.state == generator


def test_another_object_under_the_name(tmp_path, trained):
    model, optimizer = trained
    nn.save(tmp_path / "a", optimizer=np.random.default_rng(0), rng=optimizer, number=3)
    with pytest.raises(CheckpointFileError, match="optimizer: the file holds something else"):
        nn.load(tmp_path / "a", optimizer=optimizer)
    for name in ("rng", "number"):
        with pytest.raises(ValueError):
            nn.load(tmp_path / "a", **{name: np.random.default_rng()})
    with pytest.raises(ValueError, match=r"expected hyper-parameters .* of SGD"):
        nn.load(tmp_path / "a", rng=optim.SGD(model.parameters()))
    with pytest.raises(TypeError, match="number is a int"):
        nn.load(tmp_path / "a", number=5)
    with pytest.raises(TypeError, match="save: thing is a object"):
        nn.save(tmp_path / "b", thing=object())


# --- Damaged files -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "a"
    model = network()
    nn.save(path, model=model, optimizer=optim.Adam(model.parameters()), epoch=3)
    return path.read_bytes()


def refuses(directory, content):
    """Tell that the file is refused with our error and that nothing is changed."""
    path = directory / "bad.safetensors"
    path.write_bytes(content)
    model = network(seed=8)
    before = model.state_dict()
    with pytest.raises(CheckpointFileError, match=r"bad\.safetensors"):
        nn.load(path, model=model)
    assert same(model.state_dict(), before)


def test_a_truncated_file_is_refused(tmp_path, whole):
    for end in range(0, len(whole), 64):
        refuses(tmp_path, whole[:end])
    refuses(tmp_path, whole[:-1])
    refuses(tmp_path, whole + b"\0")


def test_a_flipped_bit_in_a_number_is_noticed(tmp_path, whole):
    for place in range(-1, -200, -11):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        refuses(tmp_path, bytes(damaged))


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(tmp_path):
    """Also in the names, shapes and types of the arrays, and in the numbers that are no arrays."""
    model = nn.Sequential(nn.Dense(2, 2, rng=0), nn.Dropout(0.5, rng=1))
    path = tmp_path / "a"
    nn.save(path, model=model, optimizer=optim.SGD(model.parameters(), lr=0.123), epoch=3)
    whole, expected = path.read_bytes(), nn.load(path)
    refused = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 7
        path.write_bytes(bytes(damaged))
        try:
            assert same(nn.load(path), expected)
        except CheckpointFileError:
            refused += 1
    assert refused > 0.9 * len(whole)


def test_a_later_format_is_refused(tmp_path):
    from safetensors.numpy import save

    (tmp_path / "a").write_bytes(save({}, {"format": "bargrad 2", "content": "{}", "crc32": "0"}))
    with pytest.raises(CheckpointFileError, match="expected the format 'bargrad 1', got 'bargrad 2'"):
        nn.load(tmp_path / "a")


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100))
def test_random_bytes_are_refused(tmp_path, content):
    refuses(tmp_path, content)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_random_damage_is_refused_or_harmless(tmp_path, whole, data):
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a"
    path.write_bytes(bytes(damaged))
    model = network(seed=8)
    before = model.state_dict()
    try:
        nn.load(path, model=model)
    except ValueError:
        assert same(model.state_dict(), before)


@pytest.mark.parametrize("content", ["[]", "{", '{"model": 3}', '{"model": {"arrays": null, "generators": 5}}'])
def test_a_file_with_a_wrong_description_is_refused(tmp_path, content):
    from safetensors.numpy import save

    checksum = str(zlib.crc32(content.encode()))
    (tmp_path / "a").write_bytes(save({}, {"format": "bargrad 1", "content": content, "crc32": checksum}))
    model = nn.Flatten()
    with pytest.raises(CheckpointFileError) as caught:
        nn.load(tmp_path / "a", model=model)
    assert "checksum" not in str(caught.value)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    import pickle

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    refuses(tmp_path, pickle.dumps(Bomb()))
    assert not (tmp_path / "exploded").exists()
