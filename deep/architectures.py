"""The papers' larger networks: SENSE's capacities, ODDS' CNN and ResNet, the ResNets, PGN's classifier and generator.

The builders are those of `deep.models.BUILDERS`: (shape, outputs, **options) -> named layers. Residual networks stand
for images of any size: below 64 pixels a side a ResNet-18, -50, ... begins with one 3 x 3 convolution, as the codes for
CIFAR do, else with a 7 x 7 convolution of stride 2 and pooling, as for ImageNet.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    Shape = tuple[int, ...]
    Layers = list[tuple[str, nn.Module]]


# ---- chains ----


def _sense(shape: Shape, outputs: int, q: int) -> Layers:
    """Capacity q: 5 x 5 convolutions with 2^(q-1) and 2^q filters, each pooled, and a dense layer of 2^(q+4) units
    (SENSE, Appendix H.2, which prints d for q). Images below 16 pixels a side get 3 x 3 kernels with padding 1.
    """
    channels, height, width = _image(shape, "sense", 8)
    kernel, padding = (3, 1) if min(height, width) < 16 else (5, 0)
    sides = [(n + 2 * padding - kernel + 1) // 2 for n in (height, width)]
    sides = [(n + 2 * padding - kernel + 1) // 2 for n in sides]
    first, second, dense = 2 ** (q - 1), 2**q, 2 ** (q + 4)
    return [
        ("conv1", nn.Conv2d(channels, first, kernel, padding=padding)), ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(2)), ("conv2", nn.Conv2d(first, second, kernel, padding=padding)), ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(2)), ("flatten", nn.Flatten()), ("fc1", nn.Linear(second * math.prod(sides), dense)),
        ("relu3", nn.ReLU()), ("fc2", nn.Linear(dense, outputs)),
    ]  # fmt: skip


def _odds_cnn(shape: Shape, outputs: int) -> Layers:
    """The CNN of TensorFlow's tutorial as Madry et al. trained it, without dropout (ODDS, Appendix A.2): 5 x 5
    convolutions with 32 and 64 filters that keep the size, each pooled, and a dense layer of 1024 units.
    """
    channels, height, width = _image(shape, "odds-cnn", 4)
    sides = [math.ceil(n / 4) for n in (height, width)]
    return [
        ("conv1", nn.Conv2d(channels, 32, 5, padding=2)), ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(2, ceil_mode=True)), ("conv2", nn.Conv2d(32, 64, 5, padding=2)), ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(2, ceil_mode=True)), ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(64 * math.prod(sides), 1024)), ("relu3", nn.ReLU()), ("fc2", nn.Linear(1024, outputs)),
    ]  # fmt: skip


def _conv_pool(shape: Shape, outputs: int, width: int = 64) -> Layers:
    """PGN's classifier, ConvPool-CNN (PGN, Table 1): 3 x 3 convolutions with w, 2w | 2w, 4w | 4w, 8w filters, average
    pooling after each pair, a convolution to the classes and the mean over the image; w = 64 in the paper. That they
    keep the size and are rectified is not printed.
    """
    channels, *_ = _image(shape, "conv-pool-cnn", 8)
    _check_positive(width=width)
    filters = [channels, *(width * k for k in (1, 2, 2, 4, 4, 8))]
    layers: Layers = []
    for k in range(1, 7):
        layers += [(f"conv{k}", nn.Conv2d(filters[k - 1], filters[k], 3, padding=1)), (f"relu{k}", nn.ReLU())]
        layers += [(f"pool{k // 2}", nn.AvgPool2d(2))] if k % 2 == 0 else []
    last = nn.Conv2d(filters[-1], outputs, 3, padding=1)
    return [*layers, ("conv7", last), ("mean", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten())]


# ---- residual networks ----


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)) (He et al., 2015)."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.relu = body, shortcut, nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.relu(self.body(x) + self.shortcut(x))
        return answer


class PreActivated(nn.Module):
    """body(a) + shortcut, with a the normalised and rectified input; the shortcut starts at a if ``shared``, else at
    the input itself (Zagoruyko and Komodakis, 2016).
    """

    def __init__(self, activation: nn.Module, body: nn.Module, shortcut: nn.Module, shared: bool) -> None:
        super().__init__()
        self.activation, self.body, self.shortcut, self.shared = activation, body, shortcut, shared

    def forward(self, x: Tensor) -> Tensor:
        a = self.activation(x)
        answer: Tensor = self.body(a) + self.shortcut(a if self.shared else x)
        return answer


class PooledShortcut(nn.Module):
    """Average pooling by the stride, and zeros for the channels that are new, half of them on each side."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(stride)
        self.before = (filters - channels) // 2
        self.after = filters - channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(self.pool(x), (0, 0, 0, 0, self.before, self.after))


class Standardise(nn.Module):
    """Each image less its mean, divided by its deviation, which counts as 1/sqrt(pixels) at least."""

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        deviation = flat.std(1, correction=0).clamp(min=flat.shape[1] ** -0.5)
        return ((flat - flat.mean(1, keepdim=True)) / deviation[:, None]).reshape(x.shape)


def _resnet(blocks: Sequence[int], bottleneck: bool) -> Callable[..., Layers]:
    """The builder of a ResNet with so many blocks in its four groups (He et al., 2015). A bottleneck has its stride in
    the 3 x 3 convolution. ``width`` is the number of filters of the first group, 64 in the paper.
    """

    def build(shape: Shape, outputs: int, width: int = 64) -> Layers:
        channels, height, side = _image(shape, "resnet", 8)
        _check_positive(width=width)
        if min(height, side) < 64:
            stem: Layers = [*_conv_bn("stem", channels, width, 3), ("stem_relu", nn.ReLU())]
        else:
            stem = [*_conv_bn("stem", channels, width, 7, 2), ("stem_relu", nn.ReLU())]
            stem += [("stem_pool", nn.MaxPool2d(3, 2, padding=1))]
        layers, now = stem, width
        for group, count in enumerate(blocks):
            inner = width * 2**group
            after = 4 * inner if bottleneck else inner
            for k in range(count):
                stride = 2 if group and not k else 1
                if bottleneck:
                    convs = [(now, inner, 1, 1), (inner, inner, 3, stride), (inner, after, 1, 1)]
                else:
                    convs = [(now, inner, 3, stride), (inner, inner, 3, 1)]
                body: Layers = []
                for n, (a, b, kernel, step) in enumerate(convs, 1):
                    body += [*_conv_bn(f"conv{n}", a, b, kernel, step), (f"relu{n}", nn.ReLU())]
                same = now == after and stride == 1
                shortcut = nn.Identity() if same else _chain(_conv_bn("conv", now, after, 1, stride))
                layers += [(f"group{group + 1}_{k + 1}", Residual(_chain(body[:-1]), shortcut))]
                now = after
        layers += [("mean", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten()), ("fc", nn.Linear(now, outputs))]
        _start(layers)
        return layers

    return build


def _wide_resnet(shape: Shape, outputs: int, depth: int = 34, widen: int = 10, dropout: float = 0.0) -> Layers:
    """WRN-depth-widen (Zagoruyko and Komodakis, 2016): (depth - 4)/6 pre-activated blocks in each of three groups with
    16, 32 and 64 times ``widen`` filters; where a block changes the shape its shortcut is a 1 x 1 convolution.
    """
    channels, *_ = _image(shape, "wrn-34-10", 8)
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(f"depth {depth} is out of range; allowed are 10, 16, 22, 28, 34, ...")
    _check_positive(widen=widen)
    layers: Layers = [("stem", nn.Conv2d(channels, 16, 3, padding=1, bias=False))]
    now = 16
    for group in range(3):
        filters = 16 * widen * 2**group
        for k in range((depth - 4) // 6):
            stride = 2 if group and not k else 1
            body: Layers = [
                ("conv1", nn.Conv2d(now, filters, 3, stride, padding=1, bias=False)),
                ("bn", nn.BatchNorm2d(filters)), ("relu", nn.ReLU()), ("drop", nn.Dropout(dropout)),
                ("conv2", nn.Conv2d(filters, filters, 3, padding=1, bias=False)),
            ]  # fmt: skip
            changes = now != filters or stride > 1
            shortcut = nn.Conv2d(now, filters, 1, stride, bias=False) if changes else nn.Identity()
            activation = nn.Sequential(nn.BatchNorm2d(now), nn.ReLU())
            block = PreActivated(activation, _chain(body), shortcut, changes)
            layers += [(f"group{group + 1}_{k + 1}", block)]
            now = filters
    layers += [("bn", nn.BatchNorm2d(now)), ("relu", nn.ReLU()), ("mean", nn.AdaptiveAvgPool2d(1))]
    layers += [("flatten", nn.Flatten()), ("fc", nn.Linear(now, outputs))]
    _start(layers)
    return layers


def _madry(shape: Shape, outputs: int, widen: int = 1, units: int = 5) -> Layers:
    """The ResNet of Madry et al.'s code for CIFAR: each image standardised, three groups of ``units`` pre-activated
    blocks with 16, 32 and 64 times ``widen`` filters, leaky rectifiers of slope 0.1, shortcuts without parameters.
    """
    channels, *_ = _image(shape, "odds-resnet", 8)
    _check_positive(widen=widen, units=units)
    layers: Layers = [("standardise", Standardise()), ("stem", nn.Conv2d(channels, 16, 3, padding=1, bias=False))]
    now = 16
    for group in range(3):
        filters = 16 * widen * 2**group
        for k in range(units):
            stride = 2 if group and not k else 1
            body: Layers = [
                ("conv1", nn.Conv2d(now, filters, 3, stride, padding=1, bias=False)),
                ("bn", nn.BatchNorm2d(filters)), ("relu", nn.LeakyReLU(0.1)),
                ("conv2", nn.Conv2d(filters, filters, 3, padding=1, bias=False)),
            ]  # fmt: skip
            shortcut = nn.Identity() if now == filters else PooledShortcut(now, filters, stride)
            activation = nn.Sequential(nn.BatchNorm2d(now), nn.LeakyReLU(0.1))
            block = PreActivated(activation, _chain(body), shortcut, shared=group == k == 0)
            layers += [(f"group{group + 1}_{k + 1}", block)]
            now = filters
    layers += [("bn", nn.BatchNorm2d(now)), ("relu", nn.LeakyReLU(0.1)), ("mean", nn.AdaptiveAvgPool2d(1))]
    layers += [("flatten", nn.Flatten()), ("fc", nn.Linear(now, outputs))]
    _start(layers)
    return layers


def _wrn_32_10(shape: Shape, outputs: int) -> Layers:
    """"WRN-32-10" of Madry et al. and of IAAT: no depth 6n + 4 is 32; counted are the stem, 30 convolutions and the
    dense layer of the network that ODDS trains at a tenth of the width.
    """
    return _madry(shape, outputs, widen=10)


def _conv_bn(name: str, channels: int, filters: int, kernel: int, stride: int = 1) -> Layers:
    conv = nn.Conv2d(channels, filters, kernel, stride, padding=kernel // 2, bias=False)
    return [(name, conv), (f"{name}_bn", nn.BatchNorm2d(filters))]


def _chain(layers: Layers) -> nn.Sequential:
    chain = nn.Sequential()
    for name, layer in layers:
        chain.add_module(name, layer)
    return chain


def _start(layers: Layers) -> None:
    """Convolutions begin with deviations sqrt(2 / (kernel^2 filters)) (He et al., 2015)."""
    for _, layer in layers:
        for module in layer.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")


BUILDERS: Mapping[str, Callable[..., Layers]] = {
    **{f"sense-{q}": partial(_sense, q=q) for q in range(1, 6)},
    "odds-cnn": _odds_cnn,
    "odds-resnet": _madry,
    "conv-pool-cnn": _conv_pool,
    "resnet-18": _resnet((2, 2, 2, 2), bottleneck=False),
    "resnet-50": _resnet((3, 4, 6, 3), bottleneck=True),
    "resnet-101": _resnet((3, 4, 23, 3), bottleneck=True),
    "resnet-152": _resnet((3, 8, 36, 3), bottleneck=True),
    "wrn-34-10": _wide_resnet,
    "wrn-32-10": _wrn_32_10,
}
"""What `deep.models.BUILDERS` takes from here."""


# ---- PGN's generator ----


class ImageGenerator(nn.Module):
    """PGN's generator (PGN, Table 1): a perturbation from the gradient image, the image and the label in one-hot.

    The label grows by two dense layers to an image of a quarter of the size, and by two up-convolutions to the full
    one, where image and gradient join; labels come back in before each. An input that is left out is zero. The last
    layer starts at zero: the first perturbations are 0. That the layers are rectified is not printed.
    """

    def __init__(self, shape: Shape, classes: int, width: int = 128, hidden: int = 1024) -> None:
        super().__init__()
        channels, height, side = _image(shape, "generator", 4)
        _check_positive(width=width, hidden=hidden)
        self.size = (width, -(-height // 4), -(-side // 4))
        self.shape = (height, side)
        self.fc1 = nn.Linear(classes, hidden)
        self.fc2 = nn.Linear(hidden + classes, math.prod(self.size))
        self.up1 = nn.ConvTranspose2d(width + classes, width, 3, 2, padding=1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(width + classes, width, 3, 2, padding=1, output_padding=1)
        self.up3 = nn.ConvTranspose2d(width + 2 * channels, width, 3, padding=1)
        self.up4 = nn.ConvTranspose2d(width, channels, 3, padding=1)
        nn.init.zeros_(self.up4.weight)
        nn.init.zeros_(_bias(self.up4))

    def forward(self, gradient: Tensor, x: Tensor, label: Tensor) -> Tensor:
        """[B, C, H, W] twice and [B, K] -> [B, C, H, W]."""
        h = torch.cat([self.fc1(label).relu(), label], 1)
        h = self.fc2(h).relu().reshape(-1, *self.size)
        for up in (self.up1, self.up2):
            plane = label[:, :, None, None].expand(-1, -1, *h.shape[2:])
            h = up(torch.cat([h, plane], 1)).relu()
        h = h[:, :, : self.shape[0], : self.shape[1]]
        h = self.up3(torch.cat([h, x, gradient], 1)).relu()
        answer: Tensor = self.up4(h)
        return answer


class PointGenerator(nn.Module):
    """The generator for points [B, d]: two hidden layers on gradient, point and label together."""

    def __init__(self, shape: Shape, classes: int, hidden: int = 64) -> None:
        super().__init__()
        _check_positive(hidden=hidden)
        d = math.prod(shape)
        self.fc1, self.fc2 = nn.Linear(2 * d + classes, hidden), nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, d)
        nn.init.zeros_(self.fc3.weight)
        nn.init.zeros_(self.fc3.bias)

    def forward(self, gradient: Tensor, x: Tensor, label: Tensor) -> Tensor:
        """[B, d] twice and [B, K] -> [B, d]."""
        h = torch.cat([gradient.flatten(1), x.flatten(1), label], 1)
        answer: Tensor = self.fc3(self.fc2(self.fc1(h).relu()).relu())
        return answer.reshape(x.shape)


def generator(shape: Shape, classes: int, *, width: int = 128, hidden: int = 1024) -> nn.Module:
    """PGN's generator for images (C, H, W), or the one for points (d,) with ``hidden`` units a layer."""
    return ImageGenerator(shape, classes, width, hidden) if len(shape) == 3 else PointGenerator(shape, classes, hidden)


def _bias(layer: nn.ConvTranspose2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _image(shape: Shape, name: str, least: int) -> tuple[int, int, int]:
    if len(shape) != 3 or min(shape[1:]) < least:
        raise ValueError(f"model {name!r} takes images (C, H, W) from {least} x {least} pixels, not {shape}")
    return shape[0], shape[1], shape[2]


def _check_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name} {value} is out of range; allowed are whole numbers from 1")
