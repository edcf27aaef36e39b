"""Readers, splits and batches."""

import contextlib
import gc
import gzip
import io
import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.data import (
    Batches,
    DataError,
    digits,
    image_folder,
    mnist,
    normalize,
    one_hot,
    read_csv,
    read_idx,
    split,
)


def idx(array):
    code = {"uint8": 0x08, "int8": 0x09, ">i2": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}[str(array.dtype)]
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float32", "float64"])
@pytest.mark.parametrize("compressed", [False, True])
def test_idx_is_read_back(tmp_path, dtype, compressed):
    path = tmp_path / ("a.gz" if compressed else "a")
    body = idx(IMAGES.astype(dtype))
    path.write_bytes(gzip.compress(body) if compressed else body)
    found = read_idx(path)
    assert found.dtype == dtype
    assert np.array_equal(found, IMAGES)


DAMAGED = [
    (b"", "offset 0: expected the magic number .* got an empty file"),
    (b"\x89PNG\r\n", "offset 0: expected the magic number .* got 89 50 4e 47"),
    (b"\0\0\x42\x01\0\0\0\1", "offset 0: expected the magic number"),
    (b"\0\0\x08\x03\0\0\0\3", "offset 4: expected the lengths of 3 axes"),
    (idx(IMAGES)[:-1], "offset 16: expected 60 bytes for an array of shape .3, 4, 5., found 59"),
    (idx(IMAGES) + b"\0", "offset 16: expected 60 bytes .* found more"),
    (b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", "offset 12: expected"),
]


@pytest.mark.parametrize(("content", "message"), DAMAGED)
def test_damaged_idx_says_where(tmp_path, content, message):
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"bad: {message}"):
        read_idx(path)


def test_damaged_gzip(tmp_path):
    path = tmp_path / "bad.gz"
    whole = gzip.compress(idx(IMAGES))
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match="bad.gz"):
            read_idx(path)


def test_truncated_idx(tmp_path):
    path = tmp_path / "bad"
    whole = idx(np.zeros((9, 10, 11), np.uint8))
    for end in range(0, len(whole), 64):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match="bad: offset"):
            read_idx(path)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("idx")
    for name in ("a", "a.gz"):
        (directory / name).write_bytes(content)
        with contextlib.suppress(DataError):
            assert isinstance(read_idx(directory / name), np.ndarray)


@pytest.fixture
def mnist_files(tmp_path):
    for part, count in (("train", 6), ("t10k", 3)):
        images = np.full((count, 28, 28), 255, np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(count, dtype=np.uint8))))
    return tmp_path


def test_mnist(mnist_files):
    (images, labels), (test_images, _) = mnist(mnist_files)
    assert images.shape == (6, 1, 28, 28)
    assert test_images.shape == (3, 1, 28, 28)
    assert images.dtype == np.float32
    assert images.max() == 1
    assert labels.tolist() == [0, 1, 2, 3, 4, 5]


def test_mnist_refuses_what_does_not_belong_together(mnist_files):
    labels = mnist_files / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(np.arange(5, dtype=np.uint8))))
    with pytest.raises(DataError, match="expected 6 labels"):
        mnist(mnist_files)
    labels.write_bytes(gzip.compress(idx(np.array([0, 1, 2, 3, 77, 5], np.uint8))))
    with pytest.raises(DataError, match="offset 12: the label is 77, expected 0 to 9"):
        mnist(mnist_files)
    labels.unlink()
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte"):
        mnist(mnist_files)


def test_mnist_refuses_labels_in_place_of_images(mnist_files):
    images = mnist_files / "train-images-idx3-ubyte"
    images.write_bytes(idx(np.arange(6, dtype=np.uint8)))
    with pytest.raises(DataError, match="expected images"):
        mnist(mnist_files)


def test_digits():
    images, labels = digits()
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.shape == (1797,)


# --- Splits and batches ------------------------------------------------------------------------------------


def test_split_keeps_examples_together_and_uses_each_once():
    x = np.arange(50)
    kept, held, kept_y, held_y = split(x, 10 * x, fraction=0.2, rng=1)
    assert len(held) == 10
    assert sorted([*kept, *held]) == list(range(50))
    assert np.array_equal(kept_y, 10 * kept)
    assert np.array_equal(held_y, 10 * held)
    assert not np.array_equal(np.sort(held), held)
    again = split(x, fraction=0.2, rng=1)
    assert np.array_equal(again[0], kept)


def test_stratified_split_holds_out_each_class_in_proportion():
    labels = np.array([0] * 50 + [1] * 30 + [2] * 21)
    kept, held = split(labels, fraction=0.2, stratify=labels, rng=0)
    assert np.bincount(held).tolist() == [10, 6, 4]
    assert len(kept) == 81


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.floats(0.05, 0.95))
def test_a_stratified_split_has_the_size_asked_for(labels, fraction):
    kept, held = split(np.array(labels), fraction=fraction, stratify=labels, rng=0)
    assert len(held) == round(len(labels) * fraction)
    assert sorted([*kept, *held]) == sorted(labels)


def test_split_refuses():
    with pytest.raises(ValueError, match="fraction"):
        split(np.arange(3), fraction=1)
    with pytest.raises(ValueError, match="lengths .3, 2."):
        split(np.arange(3), np.arange(2))


def test_g5_epoch_arithmetic():
    batches = Batches(np.arange(10), batch_size=2, rng=0)
    assert len(batches) == 5
    assert sum(1 for _ in range(3) for _ in batches) == 15


def test_batches_reshuffle_each_epoch_and_repeat_with_the_seed():
    x = np.arange(20)
    batches = Batches(x, 2 * x, batch_size=8, rng=3)
    epochs = [np.concatenate([part for part, _ in batches]) for _ in range(2)]
    assert not np.array_equal(*epochs)
    assert all(sorted(epoch) == list(x) for epoch in epochs)
    again = Batches(x, batch_size=8, rng=3)
    assert np.array_equal(np.concatenate([part for (part,) in again]), epochs[0])
    assert all(np.array_equal(b, 2 * a) for a, b in batches)


def test_batches_drop_last_and_transform():
    batches = Batches(np.arange(10.0), batch_size=4, drop_last=True, transform=lambda x, rng: x + 100)
    assert len(batches) == 2
    assert [len(part) for (part,) in batches] == [4, 4]
    assert min(part.min() for (part,) in batches) >= 100
    with pytest.raises(ValueError, match="batch size"):
        Batches(np.arange(3), batch_size=0)


def test_prefetched_batches_are_the_same():
    x = np.arange(100)
    options = {"batch_size": 7, "transform": lambda part, rng: part + rng.random(part.shape)}
    plain, early = Batches(x, rng=1, **options), Batches(x, rng=1, prefetch=3, **options)
    for _ in range(2):
        for (a,), (b,) in zip(plain, early, strict=True):
            assert np.array_equal(a, b)
    assert plain.state_dict() == early.state_dict()


def prefetching():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_prefetch_ends_its_thread_and_hands_errors_on():
    for (part,) in Batches(np.arange(1000), batch_size=2, prefetch=2):
        assert len(part) == 2
        break
    gc.collect()
    assert not prefetching()

    def fail(part, rng):
        raise KeyError("broken transform")

    with pytest.raises(KeyError, match="broken transform"):
        list(Batches(np.arange(10), prefetch=2, transform=fail))
    assert not prefetching()


def test_normalize_uses_the_training_figures():
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 2, (50, 2, 4, 4)).astype(np.float32), rng.normal(3, 2, (9, 2, 4, 4)).astype(np.float32)
    a, b = normalize(train, test)
    np.testing.assert_allclose(a.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(a.std(axis=(0, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(b[:, 1], (test[:, 1] - train[:, 1].mean()) / train[:, 1].std(), rtol=1e-3, atol=1e-4)
    assert a.dtype == np.float32
    assert not normalize(np.ones((3, 2)))[0].any()


# --- CSV ---------------------------------------------------------------------------------------------------


def csv_text(table, labelled=True):
    count = len(table[0]) - labelled
    header = ["label"] * labelled + [f"pixel{i}" for i in range(count)]
    return "\n".join(",".join(map(str, row)) for row in [header, *table]) + "\n"


@pytest.mark.parametrize("labelled", [True, False])
def test_g19_csv_with_and_without_labels(tmp_path, labelled):
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (1200, 9)), rng.integers(0, 10, 1200)
    table = np.column_stack([labels, pixels]) if labelled else pixels
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(table.tolist(), labelled))
    images, found = read_csv(path)
    assert images.shape == (1200, 1, 3, 3)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.reshape(1200, 9) * 255, pixels, rtol=1e-6)
    assert (found is None) if not labelled else np.array_equal(found, labels)


def test_csv_of_other_shapes_line_ends_and_no_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbflabel,pixel0,pixel1,pixel2,pixel3,pixel4,pixel5\r\n1, 0,1,2,3,4,255\r\n\r\n")
    images, labels = read_csv(path, shape=(2, 3))
    assert images.shape == (1, 1, 2, 3)
    assert images[0, 0, 1, 2] == 1
    assert labels.tolist() == [1]
    assert read_csv(path, shape=(1, 3, 2))[0].shape == (1, 1, 3, 2)
    path.write_text("pixel0\n")
    images, labels = read_csv(path)
    assert images.shape == (0, 1, 1, 1)
    assert labels is None


GOOD = "label,pixel0,pixel1,pixel2,pixel3\n" + "3,1,2,3,4\n" * 3

BAD_TABLES = [
    ("", "line 1: expected the header"),
    ("a,b\n1,2\n", "line 1: expected the header"),
    ("label,pixel0,pixel2\n", "line 1: expected the header"),
    ("label\n1\n", "line 1: expected the header"),
    ("label,pixel0,pixel1,pixel2\n", "line 1: 3 pixels make no square"),
    (GOOD + "3,1,2,3\n", "line 5: expected 5 numbers, got 4"),
    (GOOD + "3,1,2,3,4,5\n", "line 5: expected 5 numbers, got 6"),
    (GOOD + "\n" + GOOD[34:], "line 5: expected 5 numbers, got 0"),
    (GOOD + "3,1,2,3,x\n", "line 5, column 5: expected a whole number in 0 .. 255, got 'x'"),
    (GOOD + "3,1,,3,4\n", "line 5, column 3: expected a whole number in 0 .. 255, got ''"),
    (GOOD + "3,1,2.5,3,4\n", "line 5, column 3: expected a whole number in 0 .. 255, got '2.5'"),
    (GOOD + "3,1,-2,3,4\n", "line 5, column 3: expected a whole number in 0 .. 255, got '-2'"),
    (GOOD + "3,1,256,3,4\n", "line 5, column 3: expected a whole number in 0 .. 255, got '256'"),
    (GOOD + "3,1,nan,3,4\n", "line 5, column 3: expected a whole number in 0 .. 255, got 'nan'"),
    (GOOD + "3,1,99999999999999999999,3,4\n", "line 5, column 3: expected a whole number"),
    (GOOD + "12,1,2,3,4\n", "line 5: the label is 12, expected 0 to 9"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TABLES)
def test_bad_csv_names_the_line(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"bad\.csv: {message}"):
        read_csv(path)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_after_the_header_are_read_or_refused(tmp_path_factory, content, header):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(GOOD.encode() * header + content)
    with contextlib.suppress(DataError):
        images, labels = read_csv(path)
        assert len(images) == len(labels)
        assert images.min() >= 0
        assert images.max() <= 1


def test_csv_truncated_anywhere_is_read_up_to_a_line_or_refused(tmp_path):
    path = tmp_path / "a.csv"
    for end in range(len(GOOD)):
        path.write_text(GOOD[:end])
        with contextlib.suppress(DataError):
            images, _ = read_csv(path)
            assert len(images) == GOOD[:end].rstrip().count("\n")


# --- Image folders -----------------------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path):
    from PIL import Image

    for name, level in (("cats", 51), ("dogs", 255)):
        (tmp_path / name).mkdir()
        for number in range(2):
            pixels = np.zeros((4, 6, 3), np.uint8)
            pixels[number, :, 0] = level
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    return tmp_path


def test_image_folder(folders):
    images, labels, names = image_folder(folders)
    assert images.shape == (4, 3, 4, 6)
    assert images.dtype == np.float32
    assert (labels.tolist(), names) == ([0, 0, 1, 1], ["cats", "dogs"])
    np.testing.assert_allclose(images[1, 0, 1], 0.2)
    assert not images[:, 1:].any()
    gray, _, _ = image_folder(folders, size=(8, 5), color=False)
    assert gray.shape == (4, 1, 8, 5)


def test_bad_image_folders(folders, tmp_path_factory):
    from PIL import Image

    with pytest.raises(DataError, match="expected folders with images"):
        image_folder(tmp_path_factory.mktemp("empty"))
    with pytest.raises(FileNotFoundError):
        image_folder(folders / "nowhere")
    Image.fromarray(np.zeros((5, 6), np.uint8)).save(folders / "dogs" / "2.png")
    with pytest.raises(DataError, match=r"2\.png: expected 4 x 6 pixels as in 0\.png, got 5 x 6; pass size="):
        image_folder(folders)
    whole = (folders / "dogs" / "2.png").read_bytes()
    for content in (b"", b"no image", whole[:40], whole[:-20]):
        (folders / "dogs" / "2.png").write_bytes(content)
        with pytest.raises(DataError, match=r"2\.png: this cannot be read as an image"):
            image_folder(folders, size=(4, 6))


FORMATS = ["PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP"]


def picture(form):
    """Return the bytes of an image of noise."""
    from PIL import Image

    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (17, 12, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_truncated_images(tmp_path, form):
    path = tmp_path / "a" / f"bad.{form.lower()}"
    path.parent.mkdir()
    whole = picture(form)
    for end in range(0, len(whole) - 64, 64):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match=r"bad\."):
            image_folder(tmp_path)


def test_an_image_of_far_too_many_pixels_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bomb.ppm").write_bytes(b"P6 10000 10000 255\n")
    with pytest.raises(DataError, match=r"bomb\.ppm: .*100000000 pixels"):
        image_folder(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(deadline=None, max_examples=100)
@given(st.data())
@pytest.mark.parametrize("form", FORMATS)
def test_damaged_images_are_read_or_refused(tmp_path_factory, form, data):
    damaged = bytearray(picture(form))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    directory = tmp_path_factory.mktemp("folder")
    (directory / "a").mkdir()
    (directory / "a" / f"bad.{form.lower()}").write_bytes(damaged)
    with contextlib.suppress(DataError):
        images, labels, _ = image_folder(directory, size=(5, 4))
        assert (images.shape, labels.tolist()) == ((1, 3, 5, 4), [0])


def test_one_hot_is_there_too():
    assert one_hot([1], 2).tolist() == [[0, 1]]
