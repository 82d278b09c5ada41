"""Your own law and classifiers, from a small JSON file: the same exact table, curves and figures as the examples'.

Beside the classifiers of the file stand ``bayes`` (the Bayes rule) and, for two classes on boxes under l-infinity,
``robust_optimum`` (least robust risk among all classifiers); if the file also restricts a law whose labels are certain,
the worst members of the classes of natural, robust and sensible minimisers. How to write the file: ``toy.lawfile``.
"-" reads it from stdin.

    python -m toy.law mine.json --eps 0.1 1/20
    python -m toy.law mine.json --curve --from 0 --to 1/4 --plot mine.png
    python -m toy.law mine.json --bound logistic --lam 1/2 --score given
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import (
    Ball,
    BoxDistribution,
    Boxes,
    FiniteDistribution,
    RegionClassifier,
    bayes_risk,
    bayes_rule,
    cli,
    sensible_risk,
)
from theory.classifiers import tied_region
from theory.optimal.boxes import conflict_network
from toy import lawfile
from toy.example import RISKS, Example, add_options, report
from toy.worst import NAMES, tie_notes, worst_members

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from toy.lawfile import Law, LawFile

CELLS = 20_000  # of the grid that encloses a slanted half-space
NO_RULE = (
    "labels tie somewhere, perhaps where there is no mass or outside the domain, so bayes and the sensible risk are "
    "left out; add the key ties to the file to say which label is predicted there"
)


def example(
    file: LawFile,
    names: Sequence[str] = (),
    *,
    ord: float = math.inf,
    leave_domain: bool = False,
    lo: Fraction | None = None,
    hi: Fraction | None = None,
    exact: bool = False,
) -> Example:
    """The law of a file as tables and curves need it; ``names`` chooses among the classifiers, by default all.

    Curves run from ``lo`` to ``hi``: by default from 0, from 1/16 of the law's longest side where an optimum is among
    the classifiers (its breakpoints may gather at 0), to that side. With ``exact`` the sensible risk of a slanted
    half-space, which can only be enclosed, is left out.

    Raises ``ValueError`` for an unknown name, and for a classifier of the file that is called like a built-in one.
    """
    rule, optima = _reference(file, leave_domain), _optima(file, ord, leave_domain)
    known = [*(["bayes"] if rule else []), *file.classifiers, *optima]
    for name in names:
        if name not in known:
            lawfile.nearest(name, known, "classifier")
    for name in file.classifiers:
        if known.count(name) > 1:
            raise ValueError(f"classifier {name!r} of the file is called like a built-in one; give it another name")
    chosen = list(names) or known
    laws: dict[str, Any] = {"true": file.law} | ({"restricted": file.restricted} if file.restricted else {})

    def ball(eps: Any) -> Ball:
        return Ball(eps, ord, leave_domain=leave_domain)

    def classifiers(law: str, eps: Any) -> dict[str, RegionClassifier]:
        found: dict[str, Any] = {"bayes": rule, **file.classifiers}
        if {*chosen} & {*NAMES}:
            found |= worst_members(laws["true"], laws["restricted"], found["bayes"], ball(eps))
        if "robust_optimum" in chosen:
            found["robust_optimum"] = conflict_network(laws[law], ball(eps)).least(-1).classifier
        return {name: found[name] for name in chosen}

    def sensible(f: RegionClassifier, law: Law, ball: Ball, reference: RegionClassifier | None) -> Any:
        if reference is None:
            return None
        if isinstance(law, FiniteDistribution) or all(isinstance(region, Boxes) for region in f.regions.values()):
            return sensible_risk(f, law, ball, reference)
        return None if exact else sensible_risk(_enclosed(f, law, ball), law, ball, reference)

    def notes(eps: Fraction) -> list[str]:
        if rule is None:
            return [NO_RULE]
        tied = "worst_robust" in {*chosen} & {*optima}
        return tie_notes(laws["true"], laws["restricted"], rule, ball(eps)) if tied else []

    side = max(Fraction(1, 1000), *(high - low for low, high in _bounding_box(file.law)))
    span = (side / 16 if {*chosen} & {*optima} else Fraction(0)) if lo is None else lo, side if hi is None else hi
    if not 0 <= span[0] < span[1]:
        raise ValueError(f"curves cannot run from {span[0]} to {span[1]}; allowed are radii, the first the smaller")
    options: dict[str, Any] = {"ord": ord, "leave_domain": leave_domain, "lo": span[0], "hi": span[1], "exact": exact}
    groups = [[name for name in chosen if name not in optima], *([name] for name in chosen if name in optima)]
    return Example(
        laws={name: lambda eps, law=law: law for name, law in laws.items()},  # type: ignore[misc]
        classifiers=classifiers,
        reference=lambda eps: rule,
        lo=span[0],
        hi=span[1],
        ends="[]",
        ord=ord,
        leave_domain=leave_domain,
        sensible=sensible,
        notes=notes,
        scores=file.scores,
        parts=[example(file, group, **options) for group in groups if group and group != chosen],
    )


def _undecided(file: LawFile, leave_domain: bool) -> bool:
    """Whether the Bayes rule has a choice somewhere: labels tie, or the adversary goes where there is no law."""
    outside = leave_domain and isinstance(file.law, BoxDistribution) and not (~file.law.domain).is_empty
    return outside or not tied_region(file.law).is_empty


def _reference(file: LawFile, leave_domain: bool) -> RegionClassifier | None:
    """The Bayes rule, None where it has a choice and the file does not say what to predict there."""
    return None if file.ties is None and _undecided(file, leave_domain) else bayes_rule(file.law, ties=file.ties)


def _optima(file: LawFile, ord: float, leave_domain: bool) -> tuple[str, ...]:
    """The built-in classifiers that come from minimum cuts. On noisy or tied labels nothing is wrong everywhere."""
    law = file.law
    if ord != math.inf or not isinstance(law, BoxDistribution) or law.labels != (-1, 1):
        return ()
    certain = file.restricted is not None and bayes_risk(law) == 0 and not _undecided(file, leave_domain)
    return (*(NAMES if certain else ()), "robust_optimum")


def figure(shown: Example, eps: Fraction, curves: bool) -> Figure:
    """The regions of every classifier in one or two dimensions, and with ``curves`` standard and robust risks in eps.

    Raises ``ValueError`` for a law that leaves nothing to draw.
    """
    from toy import draw

    law = shown.laws["true"](eps)
    named = shown.classifiers("true", eps) if _dim(law) < 3 else {}
    high = -(-len(named) // 4)
    rows = high + len(shown.laws) * curves
    if not rows:
        raise ValueError(f"nothing can be drawn of a law of dimension {_dim(law)} whose risks are only enclosed")
    drawn, axes = draw.figure(rows, 4, width=3.1, height=3.1)
    for ax, (name, f) in zip(axes, named.items(), strict=False):
        if isinstance(law, FiniteDistribution):
            draw.atoms(ax, f, law)
        else:
            draw.regions(ax, f, _window(law, eps), list(shown.laws.values())[-1](eps).support)
        ax.set_title(f"{name}, eps = {eps}", fontsize=9)
    if named:
        draw.key(drawn, next(iter(named.values())))
    grid = axes[0].get_gridspec()
    assert grid is not None
    for ax in axes[len(named) :]:
        ax.remove()
    for k, name in enumerate(shown.laws if curves else ()):
        found = shown.curves(name)
        for j, risk in enumerate((RISKS[0], RISKS[2])):
            ax = drawn.add_subplot(grid[high + k, 2 * j : 2 * j + 2])
            for n, key in enumerate(dict.fromkeys(key for key, _ in found)):
                draw.curve(ax, found[key, risk], key, draw.LINES[n % len(draw.LINES)], ("-", "--", "-.", ":")[n % 4])
            ax.set_title(f"{risk}, {name} law", fontsize=9)
            ax.set_xlabel("eps")
    if curves:
        drawn.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return drawn


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.law``."""
    parser = cli.parser("toy.law", __doc__ or "", "mine.json --eps 0.1 1/20")
    parser.add_argument("file", metavar="FILE", help="law and classifiers, as toy.lawfile describes; - is stdin")
    add_options(parser, cli.radius_type("eps"))
    parser.add_argument("--classifier", nargs="+", default=[], metavar="NAME", help="only these classifiers")
    parser.add_argument("--ord", choices=("1", "2", "inf"), default="inf", help="the norm of the ball (default inf)")
    parser.add_argument("--leave-domain", action="store_true", help="let the adversary leave the domain")
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    file, ord = lawfile.read(args.file), float(args.ord)
    options: dict[str, Any] = {"ord": ord, "leave_domain": args.leave_domain, "lo": args.start, "hi": args.stop}
    curves = ord == math.inf or _dim(file.law) == 1 or isinstance(file.law, FiniteDistribution)
    if args.curve and not curves:
        raise ValueError(f"--curve needs exact risks, which boxes have under --ord inf, not {args.ord}; give --eps")
    shown = example(file, args.classifier, exact=args.curve, **options)
    drawn = example(file, args.classifier, exact=True, **options)
    report(args, shown, lambda: figure(drawn, args.eps[0], curves), title=file.title)


def _enclosed(f: RegionClassifier, law: BoxDistribution, ball: Ball) -> RegionClassifier:
    """The classifier with its slanted half-spaces between boxes, wherever balls around the support reach."""
    sides = [(lo - ball.radius, hi + ball.radius) for lo, hi in _bounding_box(law)]
    steps = max(2, round(CELLS ** (1 / law.dim)))
    return RegionClassifier({y: r if isinstance(r, Boxes) else r.enclose(sides, steps) for y, r in f.regions.items()})


def _bounding_box(law: Law) -> list[tuple[Any, Any]]:
    """Of the domain if that is bounded, else of the support."""
    if isinstance(law, FiniteDistribution):
        return [(min(axis), max(axis)) for axis in zip(*(law.space.coordinates or ()), strict=True)]
    bounded = all(len(edges) == 2 for edges in law.domain.edges)
    return [(edges[0], edges[-1]) for edges in (law.domain if bounded else law.support).edges]


def _window(law: BoxDistribution, eps: Fraction) -> tuple[tuple[float, float], ...]:
    room = 0 if all(len(edges) == 2 for edges in law.domain.edges) else eps
    return tuple((float(lo - room), float(hi + room)) for lo, hi in _bounding_box(law))


def _dim(law: Law) -> int:
    return len(_bounding_box(law))


if __name__ == "__main__":
    sys.exit(main())
