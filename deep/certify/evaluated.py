"""Whether the function that is certified is the one that is evaluated."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from deep.certify.layers import Conv
from deep.certify.region import Region
from deep.certify.sound import Arithmetic, forward
from deep.purity import inner, untouched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from deep.certify.network import Network


@contextlib.contextmanager
def inner_products() -> Iterator[None]:
    """Torch computes matrix products and convolutions by inner products of the numbers as they are: no Winograd or
    Fourier transform (cuDNN, NNPACK), no TF32 or bfloat16. Its settings are put back.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=False), torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def check_inner_products(net: Network, device: torch.device) -> None:
    """Raises ``RuntimeError`` where torch's settings let it compute this network in another way."""
    backends, why = torch.backends, ""
    if torch.get_float32_matmul_precision() != "highest":
        why = f"float32 matrix products have the precision {torch.get_float32_matmul_precision()!r}"
    elif any(isinstance(node.layer, Conv) for node in net.nodes):
        if device.type == "cuda" and backends.cudnn.enabled:
            why = "cuDNN may transform or round convolutions"
        # oneDNN takes all that NNPACK would, by inner products
        onednn = backends.mkldnn.is_available() and backends.mkldnn.enabled  # type: ignore[no-untyped-call]
        nnpack = torch._C._get_nnpack_enabled() and backends.nnpack.is_available()  # type: ignore[no-untyped-call]
        if device.type == "cpu" and nnpack and not onednn:
            why = "NNPACK transforms convolutions"
    if why:
        raise RuntimeError(
            f"{why}, which the bounds of rounding do not cover; evaluate and certify under "
            "deep.certify.inner_products(), or certify real arithmetic"
        )


def check_reading(model: nn.Module, net: Network, x: Tensor) -> None:
    """Raises ``TypeError`` unless the model's own answers to some samples are such as its layers, as read, can give.

    A forward hook, a weight that is made anew before each call, or a value changed in place after it was used, does not
    show in the layers. In half precision there is nothing to compare with.
    """
    dtype = next((p.dtype for p in model.parameters()), x.dtype)
    if dtype not in (torch.float32, torch.float64):
        return
    point = x.detach().to(dtype)
    full = torch.autocast(x.device.type, enabled=False)
    with untouched(inner(model)) as whole, torch.no_grad(), inner_products(), full:
        z = whole(point).double()
    at = point.double()
    read = forward(net, Region(at, at, at, None), Arithmetic.of(dtype)).values[-1]
    other = z.shape != read.lower.shape
    if other or bool(((z < read.lower) | (z > read.upper) | (z.isnan() & read.lower.isfinite())).any()):
        raise TypeError(
            f"{type(model).__name__} computes something else than its layers do one after the other (a hook, a weight "
            "made anew before each call, a value changed in place?); a certificate would be of the layers"
        )
