"""Labelled samples: scikit-learn's digits (embedded), IDX files such as MNIST's, and the user's own arrays.

A sample remembers what is exact about it. Pixels are kept as the integers they are and ``scale`` says which number is 1
(255 for 8-bit images, 16 for digits), so a point is ``x / scale`` as a rational vector and no distance needs rounding.
Float arrays are the dyadic numbers they hold, with scale 1.

>>> sample = digits()
>>> sample.name, sample.x.shape, sample.x.dtype, sample.scale, sample.classes[:3]
('digits', (1797, 64), dtype('uint8'), 16, (0, 1, 2))
>>> sample.only(3, 7).counts
{3: 183, 7: 179}
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The IDX header: two zero bytes, the type (8: unsigned byte), the number of dimensions.
_IMAGES_MAGIC, _LABELS_MAGIC = 0x0803, 0x0801

# MD5 of the published MNIST files after decompression (LeCun, Cortes and Burges); a fingerprint, not a safeguard.
_MNIST_MD5 = {
    "train-images": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels": "a25bea736e30d166cdddb491f175f624",
    "t10k-images": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSample:
    """N points with labels: ``x`` of shape (N, d), ``y`` of shape (N,); point i is ``x[i] / scale``.

    The arrays are read-only copies; images are flattened. Raises ``ValueError`` for shapes that do not fit, no points,
    an unknown type of number, NaN or infinity, or a scale below 1.

    >>> LabelledSample([[0, 255], [255, 0]], [0, 1], scale=255).counts
    {0: 1, 1: 1}
    """

    x: NDArray[Any]
    y: NDArray[Any]
    scale: int = 1
    name: str = "arrays"

    def __init__(self, x: ArrayLike, y: ArrayLike, scale: int = 1, name: str = "arrays") -> None:
        points, labels = np.asarray(x), np.asarray(y)
        if labels.ndim != 1:
            raise ValueError(f"labels have the shape {labels.shape}; allowed is one label per point, shape (N,)")
        if points.ndim < 2 or points.shape[0] != labels.shape[0] or points.size == 0:
            raise ValueError(f"points {points.shape} and labels {labels.shape} do not fit; allowed are (N, d) and (N,)")
        if isinstance(scale, bool) or not isinstance(scale, int | np.integer) or scale < 1:
            raise ValueError(f"scale {scale!r} is not a whole number above 0")
        points = check_points(points.reshape(points.shape[0], -1)).copy()
        labels = labels.copy()
        points.flags.writeable = labels.flags.writeable = False
        object.__setattr__(self, "x", points)
        object.__setattr__(self, "y", labels)
        object.__setattr__(self, "scale", int(scale))
        object.__setattr__(self, "name", name)

    def __len__(self) -> int:
        return int(self.y.shape[0])

    @property
    def classes(self) -> tuple[Any, ...]:
        """The labels that occur, ascending, as Python values."""
        return tuple(np.unique(self.y).tolist())

    @property
    def counts(self) -> dict[Any, int]:
        """How many points each label has."""
        labels, counts = np.unique(self.y, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    def of(self, label: Any) -> NDArray[Any]:
        """The points of one class. Raises ``ValueError`` when it is empty."""
        rows: NDArray[Any] = self.x[self.y == label]
        if len(rows) == 0:
            raise ValueError(f"class {label!r} has no points in {self.name}; its classes are {list(self.classes)}")
        return rows

    def only(self, *labels: Any) -> LabelledSample:
        """The part of the sample with these labels. Raises ``ValueError`` for one that does not occur."""
        for label in labels:
            self.of(label)
        keep = np.isin(self.y, labels)
        return LabelledSample(self.x[keep], self.y[keep], self.scale, self.name)

    def digest(self) -> str:
        """SHA-256 of points, labels, types and scale: names the sample in a record."""
        head = f"{self.x.dtype.str} {self.x.shape} {self.y.dtype.str} {self.scale}".encode()
        return hashlib.sha256(head + self.x.tobytes() + self.y.tobytes()).hexdigest()


def check_points(x: NDArray[Any]) -> NDArray[Any]:
    """The array itself if it holds integers or finite floats of at most 64 bits (booleans become uint8).

    Raises ``ValueError`` for any other type, NaN or infinity.
    """
    if x.dtype == np.bool_:
        return x.astype(np.uint8)
    if not (np.issubdtype(x.dtype, np.integer) or x.dtype in (np.float16, np.float32, np.float64)):
        raise ValueError(f"points have the type {x.dtype}; allowed are integers and floats of at most 64 bits")
    if np.issubdtype(x.dtype, np.floating):
        bad = np.argwhere(~np.isfinite(x))
        if len(bad):
            where = tuple(bad[0].tolist())
            raise ValueError(f"point entry {where} is {x[where]}; allowed are finite numbers")
    return x


def digits() -> LabelledSample:
    """Scikit-learn's embedded 8 x 8 digits: 1,797 points, whole numbers 0..16."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return LabelledSample(x.astype(np.uint8), y.astype(np.int64), 16, "digits")


def load_idx(images: str | Path, labels: str | Path) -> LabelledSample:
    """Images and labels from two IDX files, plain or gzip: 8-bit pixels, scale 255.

    Raises ``ValueError`` for a wrong magic number, a truncated or overlong file, or counts that differ; ``OSError`` for
    a file that cannot be read.
    """
    images, labels = Path(images), Path(labels)
    x, image_bytes = _read_idx(images, _IMAGES_MAGIC)
    y, label_bytes = _read_idx(labels, _LABELS_MAGIC)
    if len(x) != len(y):
        raise ValueError(f"{images} holds {len(x)} images but {labels} holds {len(y)} labels; allowed are equal counts")
    sums = [hashlib.md5(data, usedforsecurity=False).hexdigest() for data in (image_bytes, label_bytes)]
    for part in ("train", "t10k"):
        if sums == [_MNIST_MD5[f"{part}-images"], _MNIST_MD5[f"{part}-labels"]]:
            return LabelledSample(x, y, 255, f"MNIST {part}, published checksums")
    return LabelledSample(x, y, 255, f"{images.name}, no known checksum")


def load_mnist(folder: str | Path, part: str = "train") -> LabelledSample:
    """The "train" or "t10k" part of a folder with MNIST's four IDX files (plain or .gz). Raises as ``load_idx``."""
    if part not in ("train", "t10k"):
        raise ValueError(f"part {part!r} is unknown; allowed are 'train' and 't10k'")
    return load_idx(*(_find(Path(folder), stem) for stem in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")))


def load_sample(source: str | Path) -> LabelledSample:
    """``"digits"``, or the training part of a folder of IDX files: what a command line's ``--data`` names."""
    return digits() if str(source) == "digits" else load_mnist(source)


def _find(folder: Path, stem: str) -> Path:
    if not folder.is_dir():
        raise ValueError(f"data folder {str(folder)!r} does not exist; allowed are 'digits' and a folder of IDX files")
    # The files are published with "-idx" and often unpacked with ".idx".
    names = [name + end for name in (stem, stem.replace("-idx", ".idx")) for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{folder} has no file {names[0]}, plain or with .gz; allowed are folders of IDX files")


def _read_idx(path: Path, magic: int) -> tuple[NDArray[np.uint8], bytes]:
    """The array in one IDX file and the file's bytes after decompression."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        import gzip
        import zlib

        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file: {error}") from None
    rank = magic & 0xFF
    if len(data) < 4 or struct.unpack(">I", data[:4])[0] != magic:
        raise ValueError(f"{path} starts with {data[:4].hex() or 'nothing'}; an IDX file of this kind has {magic:08x}")
    if len(data) < 4 + 4 * rank:
        raise ValueError(f"{path} is truncated: its header has {len(data)} of {4 + 4 * rank} bytes")
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    body = int(np.prod([int(n) for n in shape], dtype=object))
    if len(data) - 4 - 4 * rank != body:
        state = "truncated" if len(data) - 4 - 4 * rank < body else "too long"
        raise ValueError(f"{path} is {state}: {len(data) - 4 - 4 * rank} bytes of data where {shape} needs {body}")
    if body == 0:
        raise ValueError(f"{path} is empty: its shape is {shape}")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape), data
