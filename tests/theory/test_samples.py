"""theory.samples: what loads is what the file says, and bad files are refused in one sentence."""

from __future__ import annotations

import gzip
import hashlib
import struct

import numpy as np
import pytest

from theory import samples
from theory.samples import LabelledSample, digits, load_idx, load_mnist, load_sample


def idx_bytes(array):
    header = struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def toy_files(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (5, 3, 4)), np.array([3, 7, 7, 3, 1])
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(x))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(y)))
    return tmp_path, x, y


def test_digits_are_the_whole_numbers_scikit_learn_ships():
    from sklearn.datasets import load_digits

    sample = digits()
    x, y = load_digits(return_X_y=True)
    assert np.array_equal(sample.x, x)
    assert np.array_equal(sample.y, y)
    assert sample.x.dtype == np.uint8
    assert len(load_sample("digits")) == 1797


def test_plain_and_gzip_idx_files_load_as_written(toy_files):
    folder, x, y = toy_files
    sample = load_mnist(folder)
    assert np.array_equal(sample.x, x.reshape(5, 12))
    assert np.array_equal(sample.y, y)
    assert (sample.scale, sample.counts) == (255, {1: 1, 3: 2, 7: 2})
    assert "no known checksum" in sample.name


def test_a_published_checksum_is_recognised_and_a_changed_byte_is_not(toy_files, monkeypatch):
    folder, x, y = toy_files
    sums = {f"train-{k}": hashlib.md5(idx_bytes(a)).hexdigest() for k, a in (("images", x), ("labels", y))}
    monkeypatch.setattr(samples, "_MNIST_MD5", {**samples._MNIST_MD5, **sums})
    assert load_mnist(folder).name == "MNIST train, published checksums"
    x[0, 0, 0] ^= 1
    (folder / "train-images-idx3-ubyte").write_bytes(idx_bytes(x))
    assert "no known checksum" in load_mnist(folder).name


def test_mnist_itself_carries_the_published_checksums(data_folder):
    if data_folder is None:
        pytest.skip("optional oracle: MNIST, in the folder that --data or TIGHTROPE_DATA names")
    folder = data_folder / "mnist"
    train, test = load_mnist(folder), load_mnist(folder, "t10k")
    assert (train.name, test.name) == ("MNIST train, published checksums", "MNIST t10k, published checksums")
    assert (len(train), len(test), train.counts[3], train.counts[7]) == (60_000, 10_000, 6131, 6265)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("train-images-idx3-ubyte", lambda b: b[:-1], "truncated: 59 bytes of data where"),
        ("train-images-idx3-ubyte", lambda b: b[:9], "header has 9 of 16 bytes"),
        ("train-images-idx3-ubyte", lambda b: b + b"0", "too long"),
        ("train-images-idx3-ubyte", lambda b: b"\0\0\x08\x01" + b[4:], "starts with 00000801.*has 00000803"),
        ("train-images-idx3-ubyte", lambda b: b"", "starts with nothing"),
        ("train-images-idx3-ubyte", lambda b: b[:4] + struct.pack(">3I", 0, 3, 4), "is empty"),
        ("train-images-idx3-ubyte", lambda b: b[:4] + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1), "truncated"),
        ("train-labels-idx1-ubyte.gz", lambda b: b[:-9], "not a whole gzip file"),
        ("train-labels-idx1-ubyte.gz", lambda b: gzip.compress(idx_bytes(np.ones(4))), "5 images but .* 4 labels"),
    ],
)
def test_a_spoiled_file_is_refused(toy_files, name, change, message):
    path = toy_files[0] / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        load_mnist(toy_files[0])


def test_missing_places_are_named(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        load_sample(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no file train-images"):
        load_sample(tmp_path)
    with pytest.raises(ValueError, match="part 'valid'"):
        load_mnist(tmp_path, "valid")
    with pytest.raises(OSError, match="No such file"):
        load_idx(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("x", "y", "scale", "message"),
    [
        ([[1.0, float("nan")]], [0], 1, "nan"),
        ([[1.0], [float("inf")]], [0, 1], 1, r"\(1, 0\) is inf"),
        ([[1], [2]], [0], 1, "do not fit"),
        ([1, 2], [0, 1], 1, "do not fit"),
        (np.zeros((0, 3)), [], 1, "do not fit"),
        ([[1], [2]], [[0], [1]], 1, "one label per point"),
        ([["a"], ["b"]], [0, 1], 1, "type <U1"),
        ([[1j], [2]], [0, 1], 1, "type complex128"),
        ([[1], [2]], [0, 1], 0, "scale 0"),
        ([[1], [2]], [0, 1], 1.5, "scale 1.5"),
    ],
)
def test_bad_arrays_are_refused(x, y, scale, message):
    with pytest.raises(ValueError, match=message):
        LabelledSample(x, y, scale)


def test_a_sample_is_immutable_and_keeps_nothing_of_the_callers_array():
    x = np.array([[1, 2], [3, 4]], np.uint8)
    sample = LabelledSample(x, [0, 1], 255)
    before = sample.digest()
    x[0, 0] = 9
    assert sample.x[0, 0] == 1
    assert sample.digest() == before
    with pytest.raises(ValueError, match="read-only"):
        sample.x[0, 0] = 5


def test_the_digest_depends_on_points_labels_type_and_scale():
    base = ([[1, 2], [3, 4]], [0, 1])
    made = [
        LabelledSample(*base),
        LabelledSample(*base, scale=2),
        LabelledSample(base[0], [0, 2]),
        LabelledSample([[1, 2], [3, 5]], base[1]),
        LabelledSample(np.array(base[0], np.uint8), base[1]),
    ]
    assert len({sample.digest() for sample in made}) == len(made)


def test_an_absent_class_is_named():
    with pytest.raises(ValueError, match=r"class 9 has no points in arrays; its classes are \[0, 1\]"):
        LabelledSample([[1], [2]], [0, 1]).only(0, 9)
