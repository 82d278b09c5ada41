"""Six of the common image corruptions, in five severities, and the mean corruption error over them.

IAAT reports accuracy on the 19 corruptions of CIFAR-10-C and CIFAR-100-C and the mCE of ImageNet-C (Hendrycks and
Dietterich, 2019). The six here are made anew, with the strengths of CIFAR-10-C: a named subset, whose numbers compare
with each other and not with those of the benchmarks.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deep.attack.engine import parts_of
from deep.purity import inner, untouched
from deep.scores import wrong
from deep.stream import Stream
from deep.studies.judge import check_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from deep.images import Images

    Corruption = Callable[[Tensor, int, Stream, Tensor], Tensor]

SEVERITIES = (1, 2, 3, 4, 5)


def _noise(x: Tensor, severity: int, stream: Stream, index: Tensor) -> Tensor:
    deviation = (0.04, 0.06, 0.08, 0.09, 0.10)[severity - 1]
    return (x + deviation * stream.normal(index, x.shape[1:]).to(x)).clamp(0, 1)


def _brightness(x: Tensor, severity: int, stream: Stream, index: Tensor) -> Tensor:
    """More of the value V = max over channels, at the same hue and saturation."""
    del stream, index
    value = x.amax(1, keepdim=True)
    more = (value + (0.05, 0.1, 0.15, 0.2, 0.3)[severity - 1]).clamp(max=1)
    return torch.where(value > 0, x * (more / value.clamp(min=1e-12)), more.expand_as(x)).clamp(0, 1)


def _contrast(x: Tensor, severity: int, stream: Stream, index: Tensor) -> Tensor:
    """Towards each channel's mean."""
    del stream, index
    mean = x.mean((2, 3), keepdim=True)
    return ((x - mean) * (0.75, 0.5, 0.4, 0.3, 0.15)[severity - 1] + mean).clamp(0, 1)


def _blur(x: Tensor, severity: int, stream: Stream, index: Tensor) -> Tensor:
    del stream, index
    from scipy.ndimage import gaussian_filter

    width = (0.4, 0.6, 0.7, 0.8, 1.0)[severity - 1]
    blurred = gaussian_filter(x.cpu().double().numpy(), (0, 0, width, width), mode="nearest")
    return torch.as_tensor(blurred).to(x).clamp(0, 1)


def _pixelate(x: Tensor, severity: int, stream: Stream, index: Tensor) -> Tensor:
    del stream, index
    from PIL import Image

    share = (0.95, 0.9, 0.85, 0.75, 0.65)[severity - 1]

    def one(picture: Any) -> Any:
        width, height = picture.size
        small = picture.resize((max(1, int(width * share)), max(1, int(height * share))), Image.Resampling.BOX)
        return small.resize((width, height), Image.Resampling.BOX)

    return _pictures(x, one)


def _jpeg(x: Tensor, severity: int, stream: Stream, index: Tensor) -> Tensor:
    del stream, index
    from PIL import Image

    quality = (80, 65, 58, 50, 40)[severity - 1]

    def one(picture: Any) -> Any:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return _pictures(x, one)


def _pictures(x: Tensor, one: Callable[[Any], Any]) -> Tensor:
    """Each image as 8-bit numbers through a function of Pillow's pictures."""
    from PIL import Image

    pixels = (x.cpu() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    grey = x.shape[1] == 1
    done = [np.asarray(one(Image.fromarray(p[:, :, 0] if grey else p))) for p in pixels]
    found = torch.from_numpy(np.stack(done)).reshape(pixels.shape).permute(0, 3, 1, 2)
    return found.to(x) / 255


CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        "gaussian-noise": _noise,
        "gaussian-blur": _blur,
        "brightness": _brightness,
        "contrast": _contrast,
        "pixelate": _pixelate,
        "jpeg": _jpeg,
    }
)
"""Corruptions by name: images [B, C, H, W] in [0, 1] with C = 1 or 3, a severity from 1 to 5, a stream and the samples'
numbers (for the noise) -> images in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Corrupted:
    """Errors of a network on ``samples`` images: on clean ones, and under each corruption at severities 1 to 5."""

    samples: int
    clean: int
    errors: Mapping[str, tuple[int, ...]]

    @property
    def accuracy(self) -> Fraction:
        """The mean over corruptions and severities."""
        counts = [count for row in self.errors.values() for count in row]
        return 1 - Fraction(sum(counts), len(counts) * self.samples)


def corrupted(
    model: nn.Module, images: Images, kinds: Sequence[str] = tuple(CORRUPTIONS), *, stream: Stream | None = None,
    show: Callable[[int], object] | None = None,
) -> Corrupted:  # fmt: skip
    """Count errors under every corruption of ``kinds`` and every severity.

    Raises ``ValueError`` for an unknown kind, and for data that are no images of 1 or 3 channels in [0, 1].
    """
    check_shape(model, images)
    for kind in kinds:
        if kind not in CORRUPTIONS:
            raise ValueError(f"corruption {kind!r} is unknown; allowed are {', '.join(CORRUPTIONS)}")
    if len(images.shape) != 3 or images.shape[0] not in (1, 3) or (images.low, images.high) != (0.0, 1.0) or not kinds:
        raise ValueError(f"{images.name} of shape {images.shape} cannot be corrupted; allowed are grey or RGB images")
    stream = Stream(0) if stream is None else stream
    device = next(model.parameters()).device
    clean, errors = 0, {kind: [0] * len(SEVERITIES) for kind in kinds}
    with untouched(inner(model)) as net, torch.no_grad():
        for rows in parts_of(len(images), 256, device):
            x, y = images.batch(rows).to(device), images.y.to(device)[rows]
            clean += int(wrong(net(x), y).sum())
            for kind in kinds:
                for k, severity in enumerate(SEVERITIES):
                    moved = CORRUPTIONS[kind](x, severity, stream.child(kind, severity), rows)
                    errors[kind][k] += int(wrong(net(moved), y).sum())
            if show is not None:
                show(len(rows))
    return Corrupted(len(images), clean, {kind: tuple(row) for kind, row in errors.items()})


def mean_corruption_error(network: Corrupted, baseline: Corrupted) -> Fraction:
    """mCE: the mean over corruptions of the network's errors over the baseline's, each summed over severities.

    1 is as good as the baseline; less is better. Over the corruptions given, not the benchmark's. Raises ``ValueError``
    for other corruptions or samples, and for a corruption under which the baseline does not err.

    >>> network, baseline = (Corrupted(9, 1, {"jpeg": (1, k), "contrast": (2, 4)}) for k in (2, 5))
    >>> mean_corruption_error(network, baseline)
    Fraction(3, 4)
    """
    if network.errors.keys() != baseline.errors.keys() or network.samples != baseline.samples:
        raise ValueError("the networks were measured on different corruptions or samples; measure both on the same")
    shares = []
    for kind, row in network.errors.items():
        if not sum(baseline.errors[kind]):
            raise ValueError(f"the baseline does not err under {kind}, so there is nothing to divide by")
        shares.append(Fraction(sum(row), sum(baseline.errors[kind])))
    return sum(shares, Fraction(0)) / len(shares)
