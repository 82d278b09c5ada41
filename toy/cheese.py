"""The cheese-hole example (SENSE, section 2 and appendix G): what a learner that sees only nine holes may do elsewhere.

X lives on (0,1)^2; class -1 is uniform left of the line x1 = 1/2, class +1 right of it. The true law covers the square,
the restricted law only nine holes of side 1/6. Every number is exact.

    python -m toy.cheese --eps 0.1
    python -m toy.cheese --curve --plot figure9.png
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import Ball, BoxDistribution, Boxes, RegionClassifier, as_fraction
from theory.minimisers import natural_minimisers, robust_minimisers, sensible_minimisers
from theory.optimal.boxes import conflict_network
from toy import cli
from toy.example import Example, add_options, report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from theory.numbers import Exact

ALPHA = Fraction(1, 6)
COLUMNS = tuple((ALPHA / 2 + 2 * ALPHA * i, ALPHA * 3 / 2 + 2 * ALPHA * i) for i in range(3))
LINE = Fraction(1, 2)
NAMES = ("bayes", "worst_natural", "worst_robust", "worst_sensible", "robust_optimum")
PRIOR = Fraction(11, 20)

Intervals = "Sequence[tuple[Exact, Exact]]"


def distribution(
    prior: Exact = PRIOR,
    *,
    restricted: bool = False,
    line: Exact = LINE,
    columns: Sequence[tuple[Exact, Exact]] = COLUMNS,
    rows: Sequence[tuple[Exact, Exact]] = COLUMNS,
) -> BoxDistribution:
    """The true law, or its restriction to the holes columns x rows; ``prior`` is P(Y = +1), in (1/2, 1).

    Raises ``ValueError`` for a prior outside (1/2, 1): below 1/2 the classes change roles, at 1/2 they tie everywhere.

    >>> distribution("7/10").prior(+1), distribution(restricted=True).support.volume()
    (Fraction(7, 10), Fraction(1, 4))
    """
    prior, line = as_fraction(prior, "prior"), as_fraction(line, "line")
    if not Fraction(1, 2) < prior < 1:
        raise ValueError(f"prior {prior} is outside (1/2, 1), where the example of SENSE, section 2 lives")
    square = [(0, 1), (0, 1)]
    left, right = [(0, line), (0, 1)], [(line, 1), (0, 1)]
    true = BoxDistribution.of_masses({-1: [(left, 1 - prior)], +1: [(right, prior)]}, square)
    return true.restrict(Boxes([(x, y) for x in columns for y in rows])) if restricted else true


def bayes(line: Exact = LINE) -> RegionClassifier:
    """The Bayes rule of the true law, sign(x1 - line), on the whole plane."""
    return RegionClassifier.binary(Boxes([((line, None), (None, None))]))


def classifiers(
    eps: Any, prior: Exact = PRIOR, *, law: str = "true", leave_domain: bool = False, **shape: Any
) -> dict[str, RegionClassifier]:
    """The five named classifiers at radius ``eps`` in (0, 1/2].

    ``bayes``; ``worst_natural``, ``worst_robust`` and ``worst_sensible``: the worst members, under the true law, of the
    classes of minimisers of the natural, robust and sensible risk under the restricted law; ``robust_optimum``: least
    robust risk among all classifiers, for ``law`` ("true" or "restricted").

    >>> f = classifiers("1/10")["robust_optimum"]
    >>> f.regions[+1]
    Boxes([(2/5, inf)x(-inf, inf)], dim=2)
    """
    if law not in ("true", "restricted"):
        raise ValueError(f"law {law!r} is unknown; allowed are 'true' and 'restricted'")
    return dict(example(prior, leave_domain=leave_domain, **shape).classifiers(law, eps))


def _named(
    true: BoxDistribution, seen: BoxDistribution, target: BoxDistribution, rule: RegionClassifier, ball: Ball
) -> dict[str, RegionClassifier]:
    if not 0 < ball.radius <= Fraction(1, 2):
        raise ValueError(f"eps {ball.radius} is outside (0, 1/2]: beyond 1/2 a ball covers either class")
    return {
        "bayes": rule,
        "worst_natural": natural_minimisers(seen).worst(rule, true, ball),
        "worst_robust": robust_minimisers(seen, ball).worst(rule, true, ball),
        "worst_sensible": sensible_minimisers(seen, ball, rule).worst(rule, true, ball),
        "robust_optimum": next(conflict_network(target, ball).minimisers()).classifier,
    }


def example(prior: Exact = PRIOR, *, leave_domain: bool = False, **shape: Any) -> Example:
    """The example as tables and curves need it."""
    laws = {"true": distribution(prior, **shape), "restricted": distribution(prior, restricted=True, **shape)}
    rule = bayes(shape.get("line", LINE))

    def named(law: str, eps: Any) -> dict[str, RegionClassifier]:
        return _named(laws["true"], laws["restricted"], laws[law], rule, Ball(eps, leave_domain=leave_domain))

    return Example(
        laws={"true": lambda eps: laws["true"], "restricted": lambda eps: laws["restricted"]},
        classifiers=named,
        reference=lambda eps: rule,
        lo=Fraction(0),
        hi=Fraction(1, 2),
        leave_domain=leave_domain,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m toy.cheese``."""
    parser = cli.parser("toy.cheese", __doc__ or "", "--eps 0.1 8/255 --prior 7/10")
    add_options(parser, cli.fraction_type("eps", "(0, 1/2]", "beyond 1/2 a ball covers either class"))
    why = "the example of SENSE, section 2 has a majority class +1"
    parser.add_argument("--prior", type=cli.fraction_type("prior", "(1/2, 1)", why), default=PRIOR, help="P(Y = +1)")
    parser.add_argument("--leave-domain", action="store_true", help="let the adversary leave the unit square")
    parser.add_argument("--as-printed", action="store_true", help="eq (14) and appendix G as printed, beside the truth")
    return cli.run(parser, _report, argv)


def _report(args: argparse.Namespace) -> None:
    report(args, example(args.prior, leave_domain=args.leave_domain))


if __name__ == "__main__":
    sys.exit(main())
