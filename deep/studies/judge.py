"""The robust error of a network on a sample, from both ends: what attacks fool, and what a certificate leaves.

The points that count are the natural one and those of every attack, so more attacks never make a network look better.
Counts are of the sample; `Evaluation.limits` says what they say of the law that it was drawn from.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from deep.attack import APGD, CW, FGSM, LBFGS, MIFGSM, PGD, CWInf, DeepFool, Square, Threat, attack
from deep.attack.engine import check_outputs, parts_of
from deep.certify import certified_error
from deep.purity import inner, untouched
from deep.scores import check_labels, wrong
from deep.stream import Stream
from theory.confidence import clopper_pearson
from theory.enclosure import Contradiction, Enclosure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from deep.attack.engine import How
    from deep.certify.bounds import Method
    from deep.images import Images

    Show = Callable[[int], object]

ATTACKS: Mapping[str, Callable[[float, int, int], How]] = MappingProxyType(
    {
        "fgsm": lambda ord, steps, restarts: FGSM(),
        "pgd": lambda ord, steps, restarts: PGD(steps, restarts=restarts),
        "apgd": lambda ord, steps, restarts: APGD(steps, restarts, name="APGD-CE"),
        "apgd-dlr": lambda ord, steps, restarts: APGD(steps, restarts, "dlr", name="APGD-DLR"),
        "square": lambda ord, steps, restarts: Square(10 * steps),
        "cw": lambda ord, steps, restarts: CWInf(steps, restarts) if ord == math.inf else CW(5 * steps),
        "deepfool": lambda ord, steps, restarts: DeepFool(steps, ord=ord),
        "mi-fgsm": lambda ord, steps, restarts: MIFGSM(steps),
        "lbfgs": lambda ord, steps, restarts: LBFGS(),
    }
)
"""Attacks by name, as functions of the norm, the number of steps and of restarts. "cw" is PGD on the margin for
l-infinity, and Carlini and Wagner's own attack for l2; "square" takes ten times the steps, each without a gradient."""


@dataclass(frozen=True, slots=True)
class Attacked:
    """One attack's account: ``errors`` samples err naturally or at its points, of which it moved ``moved`` by ``mean``
    on average; ``dead`` samples that it did not fool met gradients of exactly 0; ``queries`` and ``seconds`` it took.
    """

    name: str
    errors: int
    moved: int
    mean: float | None
    dead: int
    queries: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What is known of N samples at a radius: bool [N] each, whether it errs, was fooled, is proved right on its ball.

    ``fooled`` includes ``natural``; ``proved`` is None without a certificate, whose ``method`` is then None too.
    """

    eps: Fraction
    ord: float
    natural: Tensor
    fooled: Tensor
    proved: Tensor | None
    attacks: tuple[Attacked, ...]
    method: str | None

    @property
    def n(self) -> int:
        return len(self.natural)

    @property
    def errors(self) -> int:
        """How many samples have a point of their ball that is misclassified, at least."""
        return int(self.fooled.sum())

    @property
    def at_most(self) -> int:
        """How many samples that can be at most."""
        return self.n if self.proved is None else self.n - int(self.proved.sum())

    @property
    def vacuous(self) -> bool:
        """Whether the certificate proves nothing although something is right."""
        return self.proved is not None and not bool(self.proved.any()) and not bool(self.natural.all())

    @property
    def risk(self) -> Enclosure:
        """The robust risk of the sample, in [errors / N, at_most / N]."""
        upper = "no certificate" if self.method is None else f"{self.method} certificate"
        return Enclosure(Fraction(self.errors, self.n), Fraction(self.at_most, self.n), ("attack", upper))

    def limits(self, alpha: str | Fraction = "1/20") -> Enclosure:
        """Confidence limits for the robust risk of the law: Clopper and Pearson's, the lower of what was attacked and
        the upper of what was certified, so both ends hold at once with probability 1 - ``alpha``.
        """
        low, high = (clopper_pearson(count, self.n, alpha) for count in (self.errors, self.at_most))
        return Enclosure(low.lo, high.hi, ("Clopper-Pearson", *self.risk.how), low.alpha)


def evaluate(
    model: nn.Module,
    images: Images,
    eps: Fraction,
    *,
    ord: float = math.inf,
    attacks: Sequence[How] = (),
    certificate: Method | None = None,
    stream: Stream | None = None,
    show: Show | None = None,
) -> Evaluation:
    """Attack and certify every image at the radius; ``show`` is told after each batch how many samples it had.

    >>> from deep.images import load
    >>> from deep.models import build
    >>> images, model = load("digits", "test").only(1, 3), build("linear", shape=(1, 8, 8), outputs=1, seed=3)
    >>> found = evaluate(model, images, Fraction(1, 50), attacks=[PGD(5)], certificate="ibp")
    >>> int(found.natural.sum()), found.errors, found.at_most, found.n
    (61, 62, 62, 117)
    >>> print(f"{found.risk:.4f}, {found.limits():.4f}")
    0.5299..., [0.4354, 0.6229]

    Raises ``ValueError`` as `deep.attack.attack` does, ``TypeError`` for layers without a certificate, and
    `theory.enclosure.Contradiction` if a point that is proved right was fooled: one of the two is then wrong.
    """
    device = next(model.parameters()).device
    x, y = images.batch(slice(None)).to(device), images.y.to(device)
    check_shape(model, images)
    natural = _natural(model, x, y)
    fooled, rows = natural.clone(), []
    for how in attacks if eps > 0 else ():
        start = time.monotonic()
        found = attack(model, x, y, how, eps=float(eps), ord=ord, low=images.low, high=images.high, stream=stream,
                       progress=show)  # fmt: skip
        moved = found.success & ~natural
        mean = float(found.distance[moved].double().mean()) if bool(moved.any()) else None
        fooled |= found.success
        rows.append(Attacked(how.name, found.count, int(moved.sum()), mean, int(found.dead.sum()),
                             int(found.queries.sum()), time.monotonic() - start))  # fmt: skip
    proved = None
    if certificate is not None:
        threat = Threat(float(eps), ord, images.low, images.high)
        proved = certified_error(inner(model), x, y, threat, certificate).flags
        _check_agree(fooled, proved, eps)
        if show is not None:
            show(len(x))
    return Evaluation(eps, ord, natural, fooled, proved, tuple(rows), certificate)


def sweep(
    model: nn.Module,
    images: Images,
    radii: Sequence[Fraction],
    *,
    ord: float = math.inf,
    attacks: Sequence[How] = (),
    certificate: Method | None = None,
    stream: Stream | None = None,
    show: Show | None = None,
) -> list[Evaluation]:
    """`evaluate` at each radius, in growing order. Balls are nested: who is fooled in one is fooled in all larger ones,
    and who is proved right in one is in all smaller ones, so both curves grow, whatever the attacks do.
    """
    found = [
        evaluate(model, images, eps, ord=ord, attacks=attacks, certificate=certificate, stream=stream, show=show)
        for eps in sorted(set(radii))
    ]
    for k in range(1, len(found)):
        found[k] = replace(found[k], fooled=found[k].fooled | found[k - 1].fooled)
    for k in range(len(found) - 2, -1, -1):
        here, beyond = found[k].proved, found[k + 1].proved
        if here is not None and beyond is not None:
            found[k] = replace(found[k], proved=here | beyond)
    for one in found:
        _check_agree(one.fooled, one.proved, one.eps)
    return found


def check_shape(model: nn.Module, images: Images) -> None:
    """Raises ``ValueError`` for a network of `deep.models` made for other images, or with too few outputs."""
    architecture = getattr(model, "architecture", None)
    if architecture is None:
        return
    if tuple(architecture.shape) != images.shape:
        raise ValueError(
            f"the network takes samples of shape {tuple(architecture.shape)}, but those of {images.name} have "
            f"{images.shape}; choose the data it was trained on"
        )
    check_labels(images.y, architecture.outputs)


def _check_agree(fooled: Tensor, proved: Tensor | None, eps: Fraction) -> None:
    if proved is None:
        return
    both = (fooled & proved).nonzero()
    if len(both):
        raise Contradiction(f"sample {int(both[0])} is certified at eps {eps} and was fooled: one of the two is wrong")


def _natural(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    found = []
    with untouched(inner(model)) as net, torch.no_grad():
        for rows in parts_of(len(x), 256, x.device):
            z = net(x[rows])
            check_outputs(z)
            check_labels(y[rows], z.shape[1])
            found.append(wrong(z, y[rows]))
    return torch.cat(found)
