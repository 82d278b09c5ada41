"""Certificates: bounds of a network over a ball that hold for every point of it, whatever the attack.

>>> import torch
>>> from deep.attack.threat import Threat
>>> from deep.certify import margin_bounds
>>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
>>> with torch.no_grad():
...     for p, v in zip(model.parameters(), ([[1.0], [-1.0]], [0.0, 0.5], [[1.0, 1.0]], [-0.25]), strict=True):
...         _ = p.copy_(torch.tensor(v))
>>> x, y = torch.tensor([[0.25]]), torch.tensor([1])  # f(x) = max(x, 0) + max(1/2 - x, 0) - 1/4
>>> [round(margin_bounds(model, x, y, Threat(0.1875), how).item(), 4) for how in ("ibp", "crown-ibp")]
[-0.125, 0.25]
"""

from deep.certify.bounds import bounds, margin_bounds, specification_bounds
from deep.certify.certified import Certified, certified_error
from deep.certify.evaluated import inner_products
from deep.certify.ibp import ibp, ibp_margins
from deep.certify.network import Network, network
from deep.certify.region import Region, region
from deep.certify.search import LeastMargin, exact

__all__ = [
    "Certified", "LeastMargin", "Network", "Region", "bounds", "certified_error", "exact", "ibp", "ibp_margins",
    "inner_products", "margin_bounds", "network", "region", "specification_bounds",
]  # fmt: skip
