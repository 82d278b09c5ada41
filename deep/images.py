"""Labelled images on the device: digits, MNIST, CIFAR, folders and archives of pictures, and samples of the toy laws.

Pictures stay the 8-bit numbers they are, and `Images.batch` makes floats in [0, 1] of the few that are needed;
normalisation is a network's first layer. Points of a law stay in the law's own coordinates, in the box that the images
name. Labels are 0, ..., K - 1.

>>> images = load("digits", "test")
>>> images.name, tuple(images.x.shape), images.x.dtype, images.classes, images.low, images.high
('digits test', (599, 1, 8, 8), torch.uint8, 10, 0.0, 1.0)
>>> images.only(1, 3).counts
[56, 61]
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deep.stream import Stream
from theory import samples

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    Source = str | os.PathLike[str]

PARTS = ("train", "test")
# Every third digit is for testing: 1,198 and 599 images. A writer's digits come in runs of ten, and 3 shares no factor
# with 10, so no digit is preferred.
_DIGITS_TEST = 3
_CIFAR10 = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """N labelled samples: ``x`` uint8 [N, C, H, W], worth ``x / scale``, or float32 [N, ...]; ``y`` int64 [N].

    The adversary stays in the box [``low``, ``high``]; ``classes`` is the number of labels a network has to tell apart,
    and ``digest`` the SHA-256 of the data. Make them with `Images.new`, which checks.
    """

    x: Tensor
    y: Tensor
    scale: int
    name: str
    classes: int
    low: float
    high: float
    digest: str

    @staticmethod
    def new(
        x: Any, y: Any, *, scale: int = 1, name: str = "arrays", classes: int | None = None, low: float = 0.0,
        high: float = 1.0,
    ) -> Images:  # fmt: skip
        """Images from arrays or tensors: integers (of which ``scale`` is worth 1; kept as 8-bit numbers where they are
        such) or floats.

        Raises ``ValueError`` for shapes that do not fit, no images, values outside of the box, NaN, labels that are no
        whole numbers from 0 to ``classes`` - 1 (by default to the largest label there is).

        >>> Images.new([[0.5, 1.5]], [0])
        Traceback (most recent call last):
        ValueError: images hold the value 1.5, outside [0, 1]; divide by the largest value, or name the box
        """
        x, y = _tensor(x), _tensor(y)
        if y.dim() != 1 or x.dim() < 2 or len(x) != len(y) or not x.numel():
            raise ValueError(
                f"images of shape {tuple(x.shape)} and labels of shape {tuple(y.shape)} do not fit; allowed are "
                "(N, ...) and (N,), N at least 1"
            )
        if y.dtype.is_floating_point or y.dtype == torch.bool:
            raise ValueError(f"labels have the type {y.dtype}; allowed are whole numbers")
        y = y.to(torch.int64)
        classes = max(int(y.max()) + 1, 2) if classes is None else classes
        bad = y[(y < 0) | (y >= classes)]
        if len(bad):
            raise ValueError(f"label {int(bad[0])} is out of range; allowed are 0 to {classes - 1}")
        if not (isinstance(scale, int) and 1 <= scale <= 255):
            raise ValueError(f"scale {scale!r} is out of range; allowed are whole numbers from 1 to 255")
        if x.dtype.is_floating_point:
            x = x.to(torch.float32)
        outside = x[~((x >= low * scale) & (x <= high * scale))]  # NaN is outside of everything
        if len(outside):
            value = float(outside[0])
            hint = f" (scale {scale})" if scale > 1 else ""
            raise ValueError(
                f"images hold the value {value:g}{hint}, outside [{low:g}, {high:g}]; "
                "divide by the largest value, or name the box"
            )
        if not torch.isfinite(x).all():
            raise ValueError("images hold an infinite value; allowed are finite numbers")
        if not x.dtype.is_floating_point and (int(x.min()) < 0 or int(x.max()) > 255):
            x, scale = x.to(torch.float32) / scale, 1
        x = x.contiguous() if x.dtype.is_floating_point else x.to(torch.uint8).contiguous()
        return Images(x, y.contiguous(), scale, name, classes, float(low), float(high), _digest(x, y, scale))

    def __len__(self) -> int:
        return len(self.y)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample: (C, H, W) of an image, (d,) of a point."""
        return tuple(self.x.shape[1:])

    @property
    def counts(self) -> list[int]:
        """How many samples each label has."""
        return torch.bincount(self.y, minlength=self.classes).tolist()

    def batch(self, index: Tensor | slice) -> Tensor:
        """The samples of these numbers, float32; images in [0, 1]."""
        x = self.x[index if isinstance(index, slice) else index.to(self.x.device)]
        return x.to(torch.float32) / self.scale if self.scale > 1 else x.to(torch.float32)

    def only(self, *labels: int) -> Images:
        """The samples with these labels, which become 0, 1, ... in the order given.

        Raises ``ValueError`` for a label named twice or without samples.
        """
        place = torch.full((self.classes,), -1, dtype=torch.int64, device=self.y.device)
        for k, label in enumerate(labels):
            if not 0 <= label < self.classes or not bool((self.y == label).any()):
                raise ValueError(f"class {label} has no samples in {self.name}; allowed are 0 to {self.classes - 1}")
            place[label] = k
        if len(set(labels)) != len(labels) or len(labels) < 2:
            raise ValueError(f"classes {list(labels)} are not two or more different ones")
        keep = (place[self.y] >= 0).nonzero()[:, 0]
        return self._part(keep, place[self.y[keep]], f"{self.name} {','.join(map(str, labels))}", len(labels))

    def first(self, n: int) -> Images:
        """The first ``n`` samples (all, if there are not so many). Files are often in the order of the classes."""
        return self._of(torch.arange(len(self)), n, f"first {n}")

    def some(self, n: int) -> Images:
        """``n`` samples (all, if there are not so many) chosen at random, the same every time, in their order."""
        return self._of(Stream(0).child("some").permutation(len(self))[:n].sort().values, n, f"some {n}")

    def _of(self, numbers: Tensor, n: int, suffix: str) -> Images:
        if n < 1:
            raise ValueError(f"{n} samples are too few; allowed are whole numbers from 1")
        keep = numbers[:n].to(self.y.device)
        return self if n >= len(self) else self._part(keep, self.y[keep], f"{self.name} {suffix}", self.classes)

    def to(self, device: torch.device | str) -> Images:
        """The same samples on another device."""
        return replace(self, x=self.x.to(device), y=self.y.to(device))

    def _part(self, keep: Tensor, y: Tensor, name: str, classes: int) -> Images:
        x = self.x[keep]
        return replace(self, x=x, y=y, name=name, classes=classes, digest=_digest(x, y, self.scale))


def load(source: Source, part: str = "train", *, cache: Source | None = None) -> Images:
    """The "train" or "test" part of "digits", or of a folder with MNIST's IDX files, CIFAR's binary files, or pictures
    in ``part``/CLASS/ (or, for pictures, a tar archive of such folders).

    ``cache`` names a .npz file that keeps decoded pictures between runs. Raises ``ValueError`` for another part, a
    folder that is missing or holds nothing of the kind, and damaged files.
    """
    if part not in PARTS:
        raise ValueError(f"part {part!r} is unknown; allowed are {', '.join(map(repr, PARTS))}")
    if str(source) == "digits":
        return digits(part)
    folder = Path(source)
    if folder.is_file():
        return load_pictures(folder, part, cache=cache)
    if not folder.is_dir():
        raise ValueError(
            f"data folder {str(source)!r} does not exist; allowed are 'digits', which needs no download, a folder with "
            "MNIST's four IDX files (train-images-idx3-ubyte.gz and so on, from https://yann.lecun.com/exdb/mnist or "
            "any copy), with CIFAR's binary files (https://www.cs.toronto.edu/~kriz/cifar.html) or with pictures in "
            "train/CLASS and test/CLASS; deep.images.fetch_openml downloads others"
        )
    names = {path.name for path in folder.iterdir()}
    if names & {"data_batch_1.bin", "test_batch.bin", "train.bin", "test.bin"}:
        return load_cifar(folder, part)
    if part in names and (folder / part).is_dir():
        return load_pictures(folder, part, cache=cache)
    sample = samples.load_mnist(folder, "train" if part == "train" else "t10k")
    return from_sample(sample, name=f"MNIST {part}" if sample.name.startswith("MNIST") else f"IDX {part}")


def digits(part: str = "train") -> Images:
    """Scikit-learn's embedded 8 x 8 digits: every third of the 1,797 is for testing (599), the rest (1,198) to train.

    >>> len(digits("train")), len(digits("test"))
    (1198, 599)
    """
    whole = from_sample(samples.digits())
    number = torch.arange(len(whole))
    keep = (number % _DIGITS_TEST == 0) == (part == "test")
    return whole._part(number[keep], whole.y[keep], f"digits {part}", whole.classes)


def from_sample(sample: samples.LabelledSample, name: str | None = None) -> Images:
    """A `theory.samples.LabelledSample`, rows of integers as square images of one channel, else as points."""
    n, d = sample.x.shape
    side = math.isqrt(d)
    x = sample.x.reshape(n, 1, side, side) if sample.scale > 1 and side * side == d else sample.x
    return Images.new(x, sample.y, scale=sample.scale, name=name or sample.name)


def load_cifar(folder: Source, part: str = "train") -> Images:
    """CIFAR-10 or CIFAR-100 (fine labels) from the binary version's files.

    Raises ``ValueError`` for a missing file or one whose size is no whole number of records.
    """
    folder = Path(folder)
    ten = (folder / "test_batch.bin").exists() or (folder / "data_batch_1.bin").exists()
    if ten:
        files = [f"data_batch_{k}.bin" for k in range(1, 6)] if part == "train" else ["test_batch.bin"]
    else:
        files = [f"{part}.bin"]
    labels, blocks = 1 if ten else 2, []
    for name in files:
        if not (folder / name).is_file():
            raise ValueError(f"{folder} has no file {name}; the binary version is at cs.toronto.edu/~kriz/cifar.html")
        data = np.fromfile(folder / name, np.uint8)
        if len(data) % (labels + 3072) or not len(data):
            raise ValueError(f"{folder / name} is damaged: {len(data)} bytes are no records of {labels + 3072} bytes")
        blocks.append(data.reshape(-1, labels + 3072))
    data = np.concatenate(blocks)
    name, classes = ("CIFAR-10", 10) if ten else ("CIFAR-100", 100)
    x = data[:, labels:].reshape(-1, 3, 32, 32)
    return Images.new(x, data[:, labels - 1], scale=255, name=f"{name} {part}", classes=classes)


def load_pictures(source: Source, part: str | None = None, *, cache: Source | None = None) -> Images:
    """Pictures in CLASS/ folders (in ``part``/CLASS/ if a part is named) of a folder or a tar archive.

    The labels are the places of the classes in alphabetical order. All pictures must have the same size; they are grey
    if all files are, else of three channels. ``cache`` names a .npz file: written if missing, else read instead, after
    a check that it was made of the same files. JPEG pictures of CIFAR-10's classes and size are always called
    "cifar10-jpeg": they are no bit-exact CIFAR-10. Raises ``ValueError`` for anything else than that.
    """
    where = f"{source}" if part is None else f"{source} {part}"
    names, classes = _picture_names(Path(source), part)
    if not names:
        raise ValueError(f"{where} holds no pictures in folders of classes; allowed are {', '.join(_SUFFIXES)}")
    if len(classes) < 2:
        raise ValueError(f"{where} holds one class only, {classes[0]!r}; two or more folders are needed")
    listing = hashlib.sha256(repr(names).encode()).hexdigest()
    if cache is not None and Path(cache).exists():
        x, y, jpeg = _read_cache(Path(cache), listing)
    else:
        x, y, jpeg = _decode(Path(source), [name for name, _ in names], {name: k for k, name in enumerate(classes)})
        if cache is not None:
            _write_cache(Path(cache), x, y, jpeg, listing)
    copied = jpeg and set(classes) == _CIFAR10 and x.shape[2:] == (32, 32)
    name = "cifar10-jpeg" if copied else Path(source).name.partition(".")[0]
    return Images.new(x, y, scale=255, name=f"{name} {part}" if part else name, classes=len(classes))


def fetch_openml(
    name: str, version: int | str = "active", *, shape: tuple[int, ...], folder: Source | None = None
) -> Images:
    """Download a data set of 8-bit images from openml.org (kept in ``folder``, or in scikit-learn's own).

    ``shape`` is that of an image, for example (1, 28, 28) for "mnist_784". Labels are the places of the targets in
    order, of numbers if they are such. Nothing else here uses the network. Raises ``ValueError`` when the data do not
    have that shape or are no whole numbers from 0 to 255.
    """
    from sklearn.datasets import fetch_openml as fetch

    home = None if folder is None else str(folder)
    found = fetch(name, version=version, data_home=home, as_frame=False, parser="auto")
    x, targets = np.asarray(found.data), np.asarray(found.target)
    if x.shape[1] != math.prod(shape):
        raise ValueError(f"{name} has {x.shape[1]} numbers an image, but the shape {shape} needs {math.prod(shape)}")
    if not np.array_equal(x, x.astype(np.uint8)):
        raise ValueError(f"{name} does not hold whole numbers from 0 to 255, so it is no set of 8-bit images")
    kinds = sorted(set(targets.tolist()), key=lambda t: (0, float(t), "") if _is_number(t) else (1, 0.0, str(t)))
    y = np.array([kinds.index(target) for target in targets.tolist()])
    return Images.new(x.astype(np.uint8).reshape(-1, *shape), y, scale=255, name=f"openml {name}", classes=len(kinds))


def from_law(law: Any, n: int, seed: int, *, name: str = "law") -> Images:
    """``n`` draws from a law of `theory` or `toy` as float32 points [n, d], in the law's own coordinates.

    The labels become 0, 1, ... in ascending order, so -1, +1 are 0, 1. The box is the law's domain, a cube or all of
    R^d. A draw is rounded to float32, which may bring it onto a face. Raises ``ValueError`` for a law of another
    domain, ``TypeError`` for one that draws no points.

    >>> from toy import cheese
    >>> images = from_law(cheese.distribution(), 1000, 0, name="cheese")
    >>> images.shape, images.low, images.high, images.classes
    ((2,), 0.0, 1.0, 2)
    """
    if not hasattr(law, "sample"):
        raise TypeError(f"{type(law).__name__} cannot be sampled; allowed are laws of theory and toy")
    points, labels = law.sample(n, np.random.default_rng(seed))
    if points.ndim != 2:
        raise TypeError(f"{type(law).__name__} draws numbers of points of a finite space; allowed are laws on R^d")
    low, high = _cube(getattr(law, "domain", None))
    kinds = sorted(law.labels) if hasattr(law, "labels") else sorted(set(labels.tolist()))
    x = np.clip(points.astype(np.float32), np.float32(low), np.float32(high))
    y = np.searchsorted(np.array(kinds), labels)
    return Images.new(x, y, name=f"{name}, {n} draws, seed {seed}", classes=len(kinds), low=low, high=high)


def _cube(domain: Any) -> tuple[float, float]:
    sides = set() if domain is None else {side for cell in domain.cells() for side in cell}
    if not sides or sides == {(None, None)}:
        return -math.inf, math.inf
    whole = len(list(domain.cells())) == 1
    ((low, high),) = sides if len(sides) == 1 and whole else ((None, None),)
    if low is None or high is None:
        raise ValueError(f"the domain {domain!r} is no cube; allowed are cubes and all of R^d")
    return float(low), float(high)


def _is_number(text: object) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return True


def _tensor(values: Any) -> Tensor:
    if torch.is_tensor(values):
        return values.detach()
    return torch.from_numpy(np.array(values))  # a copy, so that nobody else writes to it


def _digest(x: Tensor, y: Tensor, scale: int) -> str:
    head = f"{x.dtype} {tuple(x.shape)} {scale}".encode()
    return hashlib.sha256(head + x.cpu().numpy().tobytes() + y.cpu().numpy().tobytes()).hexdigest()


# ---- pictures ----


def _picture_names(source: Path, part: str | None) -> tuple[list[tuple[str, int]], list[str]]:
    """The pictures as (path inside, size in bytes) in order, and the names of their classes in order."""
    found: list[tuple[str, int]] = []
    if source.is_dir():
        top = source if part is None else source / part
        for path in top.glob("*/*"):
            found.append((path.relative_to(source).as_posix(), path.stat().st_size))
    else:
        import tarfile

        if not tarfile.is_tarfile(source):
            raise ValueError(f"{source} is no folder and no tar archive; allowed are these, with pictures in them")
        with tarfile.open(source) as archive:
            found = [(m.name.removeprefix("./"), m.size) for m in archive if m.isfile()]
    root, depth = ("", 1) if part is None else (f"{part}/", 2)
    kept = sorted(
        (name, size)
        for name, size in found
        if name.startswith(root) and name.count("/") == depth and name.lower().endswith(_SUFFIXES)
    )
    return kept, sorted({name.split("/")[-2] for name, _ in kept})


def _contents(source: Path, names: list[str]) -> Iterator[tuple[int, bytes]]:
    """The place in ``names`` and the bytes of every picture; an archive is read once, in its own order."""
    if source.is_dir():
        for k, name in enumerate(names):
            yield k, (source / name).read_bytes()
        return
    import tarfile

    places = {name: k for k, name in enumerate(names)}
    with tarfile.open(source) as archive:
        for member in archive:
            place = places.get(member.name.removeprefix("./"))
            handle = archive.extractfile(member) if place is not None else None
            if place is not None and handle is not None:
                yield place, handle.read()


def _decode(
    source: Path, names: list[str], labels: dict[str, int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], bool]:
    """Pixels [N, C, H, W], labels [N], and whether all pictures are JPEG."""
    from PIL import Image, UnidentifiedImageError

    size, jpeg, grey = None, True, True
    x: NDArray[np.uint8] = np.zeros(0, np.uint8)
    for k, content in _contents(source, names):
        try:
            with Image.open(io.BytesIO(content)) as picture:
                jpeg = jpeg and picture.format == "JPEG"
                grey = grey and picture.mode in ("L", "1")
                pixels = np.asarray(picture.convert("RGB"))
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"{source}: {names[k]} is no picture that can be read ({error})") from None
        if size is None:
            size = pixels.shape
            x = np.zeros((len(names), 3, *size[:2]), np.uint8)
        if pixels.shape != size:
            raise ValueError(
                f"{source}: {names[k]} is {pixels.shape[1]} x {pixels.shape[0]} but another picture is "
                f"{size[1]} x {size[0]}; all must have one size"
            )
        x[k] = pixels.transpose(2, 0, 1)
    y = np.array([labels[name.split("/")[-2]] for name in names], np.int64)
    return (x[:, :1] if grey else x), y, jpeg


def _write_cache(cache: Path, x: NDArray[Any], y: NDArray[Any], jpeg: bool, listing: str) -> None:
    from theory.record import writing

    with writing(cache) as temporary, temporary.open("wb") as file:
        np.savez(file, x=x, y=y, jpeg=np.array(jpeg), listing=np.array(listing))


def _read_cache(cache: Path, listing: str) -> tuple[NDArray[np.uint8], NDArray[np.int64], bool]:
    import zipfile

    try:
        with np.load(cache, allow_pickle=False) as found:
            stated, x, y, jpeg = str(found["listing"]), found["x"], found["y"], bool(found["jpeg"])
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{cache} is no cache of pictures ({error}); remove it") from None
    if stated != listing:
        raise ValueError(f"{cache} was made of other pictures; remove it, or name another file")
    return x, y, jpeg
