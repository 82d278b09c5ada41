"""Images: what is read is what was written, and what is wrong is said in a sentence."""

from __future__ import annotations

import gzip
import struct
import tarfile
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from deep.images import Images, digits, fetch_openml, from_law, from_sample, load, load_cifar, load_pictures
from theory import BoxDistribution, samples
from toy import cheese, halves

RNG = np.random.default_rng(0)


def pictures(root: Path, sizes: dict[str, int], *, suffix: str = ".png", side: int = 6, mode: str = "RGB") -> None:
    """Folders of random pictures: so many for each class."""
    for name, count in sizes.items():
        (root / name).mkdir(parents=True)
        for k in range(count):
            pixels = RNG.integers(0, 256, (side, side, 3) if mode == "RGB" else (side, side), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{k}{suffix}")


# ---- digits, IDX ----


def test_the_two_parts_of_the_digits_are_all_of_them() -> None:
    x, y = load_digits(return_X_y=True)
    train, test = digits("train"), digits("test")
    assert (len(train), len(test)) == (1198, 599)
    rows = {(*x[i].astype(int), y[i]) for i in range(len(x))}
    parts = [{(*p.flatten().tolist(), k) for p, k in zip(d.x, d.y.tolist(), strict=True)} for d in (train, test)]
    assert parts[0] | parts[1] == rows
    assert parts[0].isdisjoint(parts[1])
    assert min(test.counts) >= 50


def test_a_batch_is_the_pixels_over_the_scale() -> None:
    images = digits("test")
    index = torch.tensor([5, 0, 598])
    exact = [Fraction(int(v), 16) for v in images.x[index].flatten()]
    assert images.batch(index).dtype == torch.float32
    assert [Fraction(v) for v in images.batch(index).flatten().tolist()] == exact
    assert torch.equal(images.batch(slice(0, 2)), images.batch(torch.tensor([0, 1])))


@pytest.mark.parametrize(("values", "low", "high"), [([-1, 1], -1.0, 1.0), ([300, 3], 0.0, 1000.0)])
def test_whole_numbers_beyond_8_bits_keep_their_values(values: list[int], low: float, high: float) -> None:
    images = Images.new([values], [0], low=low, high=high)
    assert images.batch(torch.tensor([0])).tolist() == [values]


def test_some_classes_become_the_first_labels_in_the_order_given() -> None:
    images = digits("train")
    some = images.only(3, 1)
    assert some.classes == 2
    assert some.counts == [images.counts[3], images.counts[1]]
    assert torch.equal(some.x[some.y == 0], images.x[images.y == 3])
    assert some.digest != images.digest
    assert images.only(1, 3).digest != some.digest
    with pytest.raises(ValueError, match="class 10 has no samples in digits train"):
        images.only(1, 10)
    with pytest.raises(ValueError, match="two or more different"):
        images.only(1, 1)


def test_the_first_samples_are_the_first() -> None:
    images = digits("train")
    assert torch.equal(images.first(7).x, images.x[:7])
    assert images.first(10**6) is images
    assert images.some(10**6) is images
    some = images.some(300)
    assert torch.equal(some.x, images.some(300).x)
    assert len({tuple(p.flatten().tolist()) for p in some.x}) >= 299  # without repetition
    assert min(some.counts) >= 15
    assert not torch.equal(some.x, images.x[:300])
    with pytest.raises(ValueError, match="0 samples are too few"):
        images.first(0)


def test_idx_files_are_read_as_square_images(tmp_path: Path) -> None:
    x, y = RNG.integers(0, 256, (5, 4, 4), np.uint8), np.array([0, 1, 2, 1, 0], np.uint8)
    for part in ("train", "t10k"):
        header = struct.pack(">IIII", 0x803, 5, 4, 4)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + x.tobytes()))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 5) + y.tobytes())
    images = load(tmp_path, "test")
    assert images.name == "IDX test"
    assert torch.equal(images.x[:, 0], torch.from_numpy(x))
    assert images.y.tolist() == y.tolist()


def test_mnist_knows_its_name(data_folder: Path | None) -> None:
    if data_folder is None:
        pytest.skip("optional oracle: MNIST, in the folder that --data or TIGHTROPE_DATA names")
    images = load(data_folder / "mnist", "test")
    assert (images.name, images.shape, len(images)) == ("MNIST test", (1, 28, 28), 10000)
    assert images.only(1, 3).counts == [1135, 1010]


# ---- CIFAR ----


@pytest.mark.parametrize(("files", "labels"), [([f"data_batch_{k}.bin" for k in range(1, 6)], 1), (["train.bin"], 2)])
def test_cifar_records_are_read(tmp_path: Path, files: list[str], labels: int) -> None:
    x, y = RNG.integers(0, 256, (len(files), 2, 3, 32, 32), np.uint8), RNG.integers(0, 10, (len(files), 2), np.uint8)
    for name, xs, ys in zip(files, x, y, strict=True):
        coarse = [7] * (labels - 1)
        (tmp_path / name).write_bytes(b"".join(bytes([*coarse, k]) + p.tobytes() for p, k in zip(xs, ys, strict=True)))
    images = load(tmp_path)
    assert images.name == ("CIFAR-10 train" if labels == 1 else "CIFAR-100 train")
    assert torch.equal(images.x, torch.from_numpy(x.reshape(-1, 3, 32, 32)))
    assert images.y.tolist() == y.reshape(-1).tolist()
    with pytest.raises(ValueError, match="has no file test"):
        load_cifar(tmp_path, "test")
    with (tmp_path / files[-1]).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="is damaged: "):
        load(tmp_path)


# ---- pictures ----


def test_pictures_become_images_labelled_by_folder(tmp_path: Path) -> None:
    pictures(tmp_path / "zoo/train", {"dog": 2, "cat": 3})
    images = load(tmp_path / "zoo")
    assert (images.name, images.shape, images.counts) == ("zoo train", (3, 6, 6), [3, 2])
    stored = np.asarray(Image.open(tmp_path / "zoo/train/dog/1.png"))
    assert np.array_equal(images.x[4].numpy(), stored.transpose(2, 0, 1))


def test_an_archive_holds_what_the_folder_holds(tmp_path: Path) -> None:
    pictures(tmp_path / "zoo/train", {"dog": 2, "cat": 3})
    with tarfile.open(tmp_path / "zoo.tar.xz", "w:xz") as archive:
        for path in sorted((tmp_path / "zoo").rglob("*.png"), reverse=True):
            archive.add(path, path.relative_to(tmp_path / "zoo"))
    assert load(tmp_path / "zoo.tar.xz").digest == load(tmp_path / "zoo").digest


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    pictures(tmp_path, {"a": 1, "b": 1}, mode="L")
    assert load_pictures(tmp_path).shape == (1, 6, 6)


def test_the_cache_is_used_and_is_checked(tmp_path: Path) -> None:
    pictures(tmp_path / "zoo", {"dog": 2, "cat": 3})
    cache = tmp_path / "cache.npz"
    first = load_pictures(tmp_path / "zoo", cache=cache)
    with np.load(cache) as found:
        changed = {name: found[name] for name in found.files}
    np.savez(cache, **{**changed, "x": 255 - changed["x"]})
    assert torch.equal(load_pictures(tmp_path / "zoo", cache=cache).x, 255 - first.x)  # so it was read
    (tmp_path / "zoo/dog/new.png").write_bytes((tmp_path / "zoo/dog/0.png").read_bytes())
    with pytest.raises(ValueError, match="was made of other pictures"):
        load_pictures(tmp_path / "zoo", cache=cache)
    cache.write_bytes(b"PK")
    with pytest.raises(ValueError, match="is no cache of pictures"):
        load_pictures(tmp_path / "zoo", cache=cache)


CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.mark.parametrize(
    ("classes", "suffix", "side", "name"),
    [
        (CIFAR, ".jpg", 32, "cifar10-jpeg"),
        (CIFAR, ".png", 32, "my"),
        (CIFAR, ".jpg", 8, "my"),
        (CIFAR[:9], ".jpg", 32, "my"),
    ],
)
def test_a_lossy_copy_of_cifar_is_always_called_so(
    tmp_path: Path, classes: tuple[str, ...], suffix: str, side: int, name: str
) -> None:
    pictures(tmp_path / "my/train", dict.fromkeys(classes, 1), suffix=suffix, side=side)
    assert load(tmp_path / "my").name == f"{name} train"
    cache = tmp_path / "cache.npz"
    assert {load(tmp_path / "my", cache=cache).name for _ in range(2)} == {f"{name} train"}


def test_what_is_no_folder_of_pictures_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'.*gone' does not exist; allowed are 'digits', which needs no download"):
        load(tmp_path / "gone")
    (tmp_path / "empty/train").mkdir(parents=True)
    with pytest.raises(ValueError, match="holds no pictures in folders of classes"):
        load(tmp_path / "empty")
    pictures(tmp_path / "one/train", {"cat": 1})
    with pytest.raises(ValueError, match="one class only, 'cat'"):
        load(tmp_path / "one")
    pictures(tmp_path / "mixed", {"cat": 1})
    pictures(tmp_path / "mixed2", {"dog": 1}, side=7)
    (tmp_path / "mixed2/dog").rename(tmp_path / "mixed/dog")
    with pytest.raises(ValueError, match=r"dog/0\.png is 7 x 7 but another picture is 6 x 6"):
        load_pictures(tmp_path / "mixed")
    (tmp_path / "mixed/dog/0.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"dog/0\.png is no picture that can be read"):
        load_pictures(tmp_path / "mixed")
    (tmp_path / "file").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is no folder and no tar archive"):
        load(tmp_path / "file")
    with pytest.raises(ValueError, match="part 'validation' is unknown; allowed are 'train', 'test'"):
        load("digits", "validation")


# ---- arrays, openml, laws ----


@pytest.mark.parametrize(
    ("x", "y", "options", "sentence"),
    [
        ([[0.0, 1.5]], [0], {}, r"the value 1.5, outside \[0, 1\]"),
        ([[0.0, -0.1]], [0], {}, r"the value -0.1, outside \[0, 1\]"),
        ([[0.0, float("nan")]], [0], {}, "the value nan"),
        ([[float("inf")]], [0], {"high": float("inf")}, "infinite value"),
        ([[17]], [0], {"scale": 16}, r"the value 17 \(scale 16\), outside \[0, 1\]"),
        ([[1]], [2], {"classes": 2}, "label 2 is out of range; allowed are 0 to 1"),
        ([[1]], [-1], {}, "label -1 is out of range; allowed are 0 to 1"),
        ([[1]], [0.0], {}, "labels have the type torch.float64"),
        ([[1]], [0, 1], {}, r"images of shape \(1, 1\) and labels of shape \(2,\) do not fit"),
        ([[1]], [0], {"scale": 0}, "scale 0 is out of range"),
    ],
)
def test_bad_arrays_are_refused(x: object, y: object, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Images.new(x, y, **options)  # type: ignore[arg-type]


def test_the_arrays_of_the_user_are_copied() -> None:
    x = np.array([[0.25, 0.5]])
    images = Images.new(x, [1])
    x[:] = 0
    assert images.x.tolist() == [[0.25, 0.5]]


def test_openml_data_get_their_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    x = RNG.integers(0, 256, (4, 12)).astype(float)
    calls = {}

    def fetch(name: str, **options: object) -> SimpleNamespace:
        calls.update(options, name=name)
        return SimpleNamespace(data=x, target=np.array(["10", "9", "10", "2"]))

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    images = fetch_openml("three", 1, shape=(1, 3, 4), folder="kept")
    assert (calls["name"], calls["version"], calls["data_home"]) == ("three", 1, "kept")
    assert images.name == "openml three"
    assert images.y.tolist() == [2, 1, 2, 0]  # 2 < 9 < 10 as numbers
    assert np.array_equal(images.x.reshape(4, 12).numpy(), x)
    with pytest.raises(ValueError, match="has 12 numbers an image"):
        fetch_openml("three", shape=(1, 3, 5))
    x[0, 0] = 0.5
    with pytest.raises(ValueError, match="whole numbers from 0 to 255"):
        fetch_openml("three", shape=(1, 3, 4))


def test_draws_from_a_law_are_its_own() -> None:
    law = cheese.distribution(restricted=True)
    images = from_law(law, 200, 3, name="cheese")
    points, labels = law.sample(200, np.random.default_rng(3))
    assert np.array_equal(images.x.numpy(), points.astype(np.float32))
    assert np.array_equal(2 * images.y.numpy() - 1, labels)
    assert (images.low, images.high, images.name) == (0.0, 1.0, "cheese, 200 draws, seed 3")
    assert images.digest == from_law(law, 200, 3).digest != from_law(law, 200, 4).digest


def test_the_box_is_the_domain_of_the_law() -> None:
    square = [[0, 2], [0, 2]]
    whole = BoxDistribution.of_masses({-1: [(square, "1/2")], 1: [([[2, 4], [0, 2]], "1/2")]})
    assert (from_law(whole, 5, 0).low, from_law(whole, 5, 0).high) == (-float("inf"), float("inf"))
    oblong = BoxDistribution.of_masses({-1: [(square, "1/2")], 1: [([[2, 4], [0, 2]], "1/2")]}, [[0, 4], [0, 2]])
    with pytest.raises(ValueError, match="is no cube"):
        from_law(oblong, 5, 0)
    assert from_law(halves.distribution(), 5, 0).high == 1
    with pytest.raises(TypeError, match="int cannot be sampled"):
        from_law(3, 5, 0)


def test_a_sample_of_theory_keeps_its_numbers() -> None:
    sample = samples.LabelledSample([[0.5, 0.25]], [1])
    assert from_sample(sample).x.tolist() == [[0.5, 0.25]]
    assert from_sample(samples.LabelledSample([[0, 255, 3, 4]], [1], 255)).shape == (1, 2, 2)
