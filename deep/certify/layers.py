"""The operations a certificate understands: affine ones, and the two that are not.

An affine layer y = W x + b is known by its product with a matrix ``part(W)`` (W itself, |W| or its squares), the
transposed product, its bias, and how many terms an inner product has. Interval and linear bounds, fast or sound, need
no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Part = Callable[[Tensor], Tensor]


def whole(w: Tensor) -> Tensor:
    """The matrix itself."""
    return w


class Layer:
    """What every operation can do: its value at points x, in x's number type."""

    __slots__ = ()

    def value(self, *x: Tensor) -> Tensor:
        raise NotImplementedError


class Affine(Layer):
    """y = W x + b, along the last dimensions; the first is the batch."""

    __slots__ = ()

    def product(self, x: Tensor, part: Part = whole, *, classical: bool = False) -> Tensor:
        """part(W) x. With ``classical``, by inner products alone: no Winograd, no Fourier transform."""
        raise NotImplementedError

    def transposed(self, a: Tensor, shape: torch.Size) -> Tensor:
        """W^T a for inputs of that shape (without the batch), by inner products alone."""
        raise NotImplementedError

    def bias(self, like: Tensor) -> Tensor | None:  # noqa: ARG002
        """b, to be added to W x, in the number type of ``like``."""
        return None

    def bias_mass(self, like: Tensor) -> Tensor | None:
        """The sum of the magnitudes of what b was computed from."""
        b = self.bias(like)
        return None if b is None else b.abs()

    def terms(self, shape: torch.Size) -> int:
        """The most terms of an inner product of W x, plus the roundings in the entries of W."""
        raise NotImplementedError

    def back_terms(self, shape: torch.Size, out: torch.Size) -> int:
        """The same for W^T a."""
        raise NotImplementedError

    def value(self, *x: Tensor) -> Tensor:
        y, b = self.product(x[0]), self.bias(x[0])
        return y if b is None else y + b


@dataclass(frozen=True, slots=True)
class Dense(Affine):
    """nn.Linear."""

    module: nn.Linear

    def value(self, *x: Tensor) -> Tensor:
        b = self.module.bias
        return F.linear(x[0], self.module.weight.to(x[0].dtype), None if b is None else b.to(x[0].dtype))

    def product(self, x: Tensor, part: Part = whole, *, classical: bool = False) -> Tensor:  # noqa: ARG002
        return F.linear(x, part(self.module.weight.to(x.dtype)))

    def transposed(self, a: Tensor, shape: torch.Size) -> Tensor:  # noqa: ARG002
        return a @ self.module.weight.to(a.dtype)

    def bias(self, like: Tensor) -> Tensor | None:
        return None if self.module.bias is None else self.module.bias.to(like.dtype)

    def terms(self, shape: torch.Size) -> int:  # noqa: ARG002
        return self.module.in_features

    def back_terms(self, shape: torch.Size, out: torch.Size) -> int:  # noqa: ARG002
        return self.module.out_features


@dataclass(frozen=True, slots=True)
class Conv(Affine):
    """nn.Conv2d with zero padding."""

    module: nn.Conv2d

    def __post_init__(self) -> None:
        if self.module.padding_mode != "zeros":
            raise TypeError(f"padding_mode {self.module.padding_mode!r} has no certificate; allowed is 'zeros'")

    def value(self, *x: Tensor) -> Tensor:
        m, b = self.module, self.module.bias
        return F.conv2d(
            x[0], m.weight.to(x[0].dtype), None if b is None else b.to(x[0].dtype), m.stride, m.padding, m.dilation,
            m.groups,
        )  # fmt: skip

    def product(self, x: Tensor, part: Part = whole, *, classical: bool = False) -> Tensor:
        m = self.module
        w = part(m.weight.to(x.dtype))
        if not classical:
            return F.conv2d(x, w, None, m.stride, m.padding, m.dilation, m.groups)
        padded = F.pad(x, self._padding())
        columns = F.unfold(padded, m.kernel_size, m.dilation, 0, m.stride)
        columns = columns.reshape(len(x), m.groups, -1, columns.shape[-1])
        out = w.reshape(1, m.groups, m.out_channels // m.groups, -1) @ columns
        size = [(padded.shape[2 + i] - m.dilation[i] * (m.kernel_size[i] - 1) - 1) // m.stride[i] + 1 for i in (0, 1)]
        return out.reshape(len(x), m.out_channels, *size)

    def transposed(self, a: Tensor, shape: torch.Size) -> Tensor:
        m = self.module
        w = m.weight.to(a.dtype).reshape(1, m.groups, m.out_channels // m.groups, -1)
        columns = w.transpose(2, 3) @ a.reshape(len(a), m.groups, m.out_channels // m.groups, -1)
        left, right, top, bottom = self._padding()
        size = (shape[1] + top + bottom, shape[2] + left + right)
        x = F.fold(columns.reshape(len(a), -1, columns.shape[-1]), size, m.kernel_size, m.dilation, 0, m.stride)
        return x[:, :, top : top + shape[1], left : left + shape[2]]

    def bias(self, like: Tensor) -> Tensor | None:
        return None if self.module.bias is None else self.module.bias.to(like.dtype)[:, None, None]

    def terms(self, shape: torch.Size) -> int:  # noqa: ARG002
        return self.module.weight[0].numel()

    def back_terms(self, shape: torch.Size, out: torch.Size) -> int:  # noqa: ARG002
        m = self.module
        return m.out_channels // m.groups * m.kernel_size[0] * m.kernel_size[1]

    def _padding(self) -> tuple[int, int, int, int]:
        """Left, right, top, bottom, as F.pad wants it."""
        m = self.module
        if isinstance(m.padding, str):
            total = [m.dilation[i] * (m.kernel_size[i] - 1) if m.padding == "same" else 0 for i in (0, 1)]
            (top, left), (bottom, right) = [t // 2 for t in total], [t - t // 2 for t in total]
            return left, right, top, bottom
        top, left = (int(p) for p in m.padding)
        return left, left, top, top


@dataclass(frozen=True, slots=True)
class AveragePool(Affine):
    """nn.AvgPool2d and nn.AdaptiveAvgPool2d; ``pool`` is the function with its arguments."""

    pool: Callable[[Tensor], Tensor]
    window: int | None  # entries of a window, None where the output size is fixed instead

    @staticmethod
    def of(module: nn.AvgPool2d | nn.AdaptiveAvgPool2d) -> AveragePool:
        size = None if isinstance(module, nn.AdaptiveAvgPool2d) else _area(module.kernel_size)
        return AveragePool(module.forward, size)

    @staticmethod
    def call(function: Callable[..., Tensor], args: Any, kwargs: Any) -> AveragePool:
        adaptive = function is F.adaptive_avg_pool2d
        size = None if adaptive else _area([*args, kwargs.get("kernel_size")][0])
        return AveragePool(lambda x: function(x, *args, **kwargs), size)

    def product(self, x: Tensor, part: Part = whole, *, classical: bool = False) -> Tensor:  # noqa: ARG002
        if part is torch.square:
            raise TypeError("the l2 ball is certified where a Linear or Conv2d comes first, not an average pool")
        return self.pool(x)

    def transposed(self, a: Tensor, shape: torch.Size) -> Tensor:
        with torch.enable_grad():
            x = a.new_zeros(len(a), *shape).requires_grad_()
            (gradient,) = torch.autograd.grad(self.pool(x), x, a)
        return gradient

    def terms(self, shape: torch.Size) -> int:
        return (self.window or shape[-1] * shape[-2]) + 2

    def back_terms(self, shape: torch.Size, out: torch.Size) -> int:  # noqa: ARG002
        return (self.window or out[-1] * out[-2]) + 2  # an entry lies in at most so many windows


@dataclass(frozen=True, slots=True)
class BatchNorm(Affine):
    """Batch normalisation with its running statistics: y = s x + t, s = weight / sqrt(var + eps), t = bias - mean s."""

    module: nn.BatchNorm1d | nn.BatchNorm2d

    def __post_init__(self) -> None:
        if self.module.running_mean is None:
            raise TypeError(f"{self.module} keeps no running statistics; a certificate needs them")

    def product(self, x: Tensor, part: Part = whole, *, classical: bool = False) -> Tensor:  # noqa: ARG002
        return x * part(self._scale(x))

    def transposed(self, a: Tensor, shape: torch.Size) -> Tensor:  # noqa: ARG002
        return a * self._scale(a)

    def bias(self, like: Tensor) -> Tensor | None:
        return self._shift(like, -1.0, whole)

    def bias_mass(self, like: Tensor) -> Tensor | None:
        return self._shift(like, 1.0, torch.abs)

    def terms(self, shape: torch.Size) -> int:  # noqa: ARG002
        return 8

    def back_terms(self, shape: torch.Size, out: torch.Size) -> int:  # noqa: ARG002
        return 8

    def _scale(self, like: Tensor) -> Tensor:
        m = self.module
        var = m.running_var
        assert var is not None
        s = (var.to(like.dtype) + m.eps).rsqrt()
        return self._shaped(s if m.weight is None else m.weight.to(like.dtype) * s, like)

    def _shift(self, like: Tensor, sign: float, part: Part) -> Tensor:
        m = self.module
        mean = m.running_mean
        assert mean is not None
        t = sign * part(self._shaped(mean.to(like.dtype), like)) * part(self._scale(like))
        return t if m.bias is None else t + part(self._shaped(m.bias.to(like.dtype), like))

    @staticmethod
    def _shaped(v: Tensor, like: Tensor) -> Tensor:
        return v.reshape(-1, *[1] * (like.dim() - 2))


@dataclass(frozen=True, slots=True)
class Constant(Affine):
    """x + k, x - k, x * k, x / k and k + x, k - x, k * x (``swapped``) with a number or a tensor k of the model."""

    sign: str
    constant: tuple[nn.Module, str] | float
    swapped: bool = False

    def product(self, x: Tensor, part: Part = whole, *, classical: bool = False) -> Tensor:  # noqa: ARG002
        k = self.number(x)
        if self.sign == "mul":
            return x * part(k)
        if self.sign == "div":
            return x / part(k)
        return -x if self.swapped and self.sign == "sub" and part is whole else x + torch.zeros_like(k)

    def transposed(self, a: Tensor, shape: torch.Size) -> Tensor:
        out = self.product(a)
        if out.shape[1:] != shape:
            raise TypeError(f"a constant of shape {tuple(self.number(a).shape)} widens its input; keep the shape")
        return out

    def bias(self, like: Tensor) -> Tensor | None:
        if self.sign in ("mul", "div"):
            return None
        return -self.number(like) if self.sign == "sub" and not self.swapped else self.number(like)

    def terms(self, shape: torch.Size) -> int:  # noqa: ARG002
        return 2

    def back_terms(self, shape: torch.Size, out: torch.Size) -> int:  # noqa: ARG002
        return 2

    def number(self, like: Tensor) -> Tensor:
        """k in the number type of ``like``."""
        k = self.constant if isinstance(self.constant, float) else getattr(*self.constant)
        return torch.as_tensor(k, dtype=like.dtype, device=like.device)


@dataclass(frozen=True, slots=True)
class Reshape(Layer):
    """Everything but the batch in one dimension; with no shape, the identity."""

    shape: tuple[int, ...] | None

    def value(self, *x: Tensor) -> Tensor:
        return x[0] if self.shape is None else x[0].reshape(len(x[0]), *self.shape)


@dataclass(frozen=True, slots=True)
class Add(Layer):
    """The sum of two branches of the same shape."""

    def value(self, *x: Tensor) -> Tensor:
        if x[0].shape != x[1].shape:
            raise TypeError(f"a sum of shapes {tuple(x[0].shape)} and {tuple(x[1].shape)} has no certificate")
        return x[0] + x[1]


@dataclass(frozen=True, slots=True)
class Relu(Layer):
    """max(x, 0)."""

    def value(self, *x: Tensor) -> Tensor:
        return x[0].relu()


@dataclass(frozen=True, slots=True)
class MaxPool(Layer):
    """nn.MaxPool2d."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    ceil_mode: bool

    @staticmethod
    def of(module: nn.MaxPool2d) -> MaxPool:
        return MaxPool.call(F.max_pool2d, (module.kernel_size,), {
            "stride": module.stride, "padding": module.padding, "dilation": module.dilation,
            "ceil_mode": module.ceil_mode, "return_indices": module.return_indices,
        })  # fmt: skip

    @staticmethod
    def call(_: Callable[..., Tensor], args: Any, kwargs: Any) -> MaxPool:
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if given.get("return_indices"):
            raise TypeError("a MaxPool2d that returns indices has no certificate; leave return_indices out")
        size = _pair(given["kernel_size"])
        stride = given.get("stride")
        return MaxPool(size, _pair(stride) if stride else size, _pair(given.get("padding", 0)),
                       _pair(given.get("dilation", 1)), bool(given.get("ceil_mode")))  # fmt: skip

    def value(self, *x: Tensor) -> Tensor:
        return F.max_pool2d(x[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)

    def indices(self, x: Tensor) -> Tensor:
        """Where in the flattened image the largest entry of each window lies."""
        return F.max_pool2d(
            x, self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode, return_indices=True
        )[1]


def _pair(value: Any) -> tuple[int, int]:
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _area(kernel: Any) -> int:
    height, width = _pair(kernel)
    return height * width
