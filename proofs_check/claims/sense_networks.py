"""Claims of SENSE on trained networks, each with a rule fixed beforehand.

The records have the schema "tightrope.sense/1" and are as `proofs_check.rules` describes them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proofs_check import rules
from proofs_check.core import Evidence, claim
from proofs_check.rules import by_rule, number, sorted_by, the

if TYPE_CHECKING:
    from proofs_check.rules import Rows

sense = partial(claim, paper="SENSE", kind="network")
network = partial(rules.network, paper="SENSE", reads="tightrope.sense/1")

COVERS = "NOT RUN: `python -m deep.experiment {}` is to write the record"


def above(rows: Rows, columns: tuple[str, ...], slack: int = 0) -> str:
    """A fault unless the row of SENSE has at least that of TRADES in each column, up to ``slack`` points."""
    ours, other = the(rows, method="sense"), the(rows, method="trades")
    low = [f"{c}: {ours[c]} against {other[c]}" for c in columns if number(ours, c) + slack < number(other, c)]
    return f"below TRADES in {'; '.join(low)}" if low else ""


@sense(
    "sense-table1-networks",
    expected="NOT RUN",
    reads="tightrope.sense/1",
    label="Table 1",
    place="Section 5.1",
    statement="On CIFAR10 (eps = 8/255) SENSE has 91.51 natural and 57.23 robust accuracy, above TRADES in every "
    "column.",
    covers=COVERS.format("sense-table1-networks") + " (WideResNet-34-10, 300 epochs, K = 10)",
    reading="Rule: above TRADES in natural accuracy and under PGD100 with 20 restarts; in the paper's setting both "
    "within one point of the print.",
)
def table_1(record: Any) -> Evidence:
    def fault(rows: Rows) -> str:
        if found := above(rows, ("natural", "pgd100")):
            return found
        ours = the(rows, method="sense")
        shown = {"natural": Fraction("91.51"), "pgd100": Fraction("57.23")}
        far = [c for c, x in shown.items() if abs(number(ours, c) - x) > 1]
        return f"not within a point of the print: {', '.join(far)}" if far and record.data["setting"] == "paper" else ""

    return by_rule(record, "sense-table1-networks", fault)


@network(
    "sense-table2-networks",
    label="Table 2",
    place="Section 5.1",
    statement="SENSE and TRADES defend against each other's PGD and MIFGSM examples better than against their own.",
    covers=COVERS.format("sense-table2-networks"),
    reading="Rule: per defence and attack the accuracy on transferred examples is at least that on its own; for MIFGSM "
    "the transferred ones are those that succeed on their model.",
)
def table_2(rows: Rows) -> str:
    for row in rows:
        own = the(rows, defence=row["defence"], attack="pgd", source=row["defence"])
        if row["attack"] == "pgd" and number(row, "accuracy") < number(own, "accuracy"):
            return f"{row['defence']} is weaker against {row['source']} than against itself"
    return ""


@network(
    "sense-table3-networks",
    label="Table 3",
    place="Section 5.1",
    statement="On MNIST (eps = 0.3) SENSE's robust accuracy is comparable to TRADES'.",
    covers=COVERS.format("sense-table3-networks") + " (the CNN of TRADES, 500 epochs)",
    reading="Rule: at most two points below TRADES in natural accuracy, under PGD500 and under C&W40.",
)
def table_3(rows: Rows) -> str:
    return above(rows, ("natural", "pgd500", "cw40"), slack=2)


def rises(rows: Rows, column: str, by: str) -> str:
    """A fault unless the column grows along the other."""
    pairs = pairwise(sorted_by(rows, by))
    bad = [f"{by} = {b[by]}" for a, b in pairs if number(b, column) <= number(a, column)]
    return f"{column} does not grow at {', '.join(bad)}" if bad else ""


@network(
    "sense-table4-networks",
    label="Table 4, networks",
    place="Section 5.2",
    statement="On CIFAR10, natural accuracy grows with c while robust accuracy has no clear negative correlation with "
    "it, being best at c = 0.7.",
    covers=COVERS.format("sense-table4-networks"),
    reading="Rule: natural accuracy grows along c; the best robust accuracy is at a c above 0.5.",
)
def table_4(rows: Rows) -> str:
    best = max(rows, key=lambda row: number(row, "pgd100"))
    low = "" if number(best, "c") > Fraction(1, 2) else f"the most robust c is {best['c']}"
    return rises(rows, "natural", "c") or low


@network(
    "sense-table5-networks",
    label="Table 5, networks",
    place="Section 5.2",
    statement="A small CNN on CIFAR10 does not collapse for any c and is more robust than under natural training.",
    covers=COVERS.format("sense-table5-networks"),
    reading="Rule: natural accuracy above 20, twice that of a constant, and PGD40 accuracy above natural training's.",
)
def table_5(rows: Rows) -> str:
    base = number(the(rows, method="natural"), "pgd40")
    ours = [row for row in rows if row["method"] == "sense"]
    bad = [row["c"] for row in ours if number(row, "natural") <= 20 or number(row, "pgd40") <= base]
    return f"collapsed or not more robust at c = {bad}" if bad or not ours else ""


@network(
    "sense-tables6-7-networks",
    label="Tables 6 and 7, networks",
    place="Appendix F and H.3",
    statement="At radii larger than that of training SENSE loses less accuracy than TRADES.",
    covers=COVERS.format("sense-tables6-7-networks"),
    reading="Rule: above TRADES at each larger radius, with an attack at which no accuracy exceeds that at a smaller "
    "radius (the printed ones do, see sense-table7-weak).",
)
def tables_6_7(rows: Rows) -> str:
    for method in ("sense", "trades"):
        falling = sorted_by(rows, "eps", method=method)
        if any(number(b, "robust") > number(a, "robust") for a, b in pairwise(falling)):
            return f"the attack on {method} is weaker at a larger radius"
    radii = sorted({number(row, "eps") for row in rows})[1:]
    return "; ".join(filter(None, (above([r for r in rows if number(r, "eps") == e], ("robust",)) for e in radii)))


@network(
    "sense-figure2",
    label="Figures 2 and 7",
    place="Section 5.2, Appendix E",
    statement="On MNIST natural accuracy tends to grow and robustness to fall with c, most distinctly at capacity 1; "
    "capacities 3 to 5 are almost insensitive; c = 0.5 is least sensitive to capacity.",
    covers=COVERS.format("sense-figure2") + " (5 capacities, 11 values of c)",
    reading="Rule: at capacity 1, natural accuracy at c = 0.9 is above and PGD40 accuracy below those at 0.5; the "
    "spread of PGD40 accuracy over c in 0.1..0.9 is larger at capacity 1 than at 5; over capacities it is least at c "
    "= 0.5.",
)
def figure_2(rows: Rows) -> str:
    half, high = the(rows, capacity=1, c="0.5"), the(rows, capacity=1, c="0.9")
    if number(high, "natural") <= number(half, "natural") or number(high, "pgd40") >= number(half, "pgd40"):
        return "no trade-off along c at capacity 1"
    if _spread(rows, capacity=1) <= _spread(rows, capacity=5):
        return "capacity 5 is as sensitive to c as capacity 1"
    spreads = {c: _spread(rows, c=c) for c in {row["c"] for row in rows} if Fraction(0) < Fraction(c) < 1}
    return "" if min(spreads, key=lambda c: spreads[c]) == "0.5" else "c = 0.5 is not the least sensitive"


def _spread(rows: Rows, **where: Any) -> Fraction:
    inner = [row for row in rows if 0 < number(row, "c") < 1]
    values = [number(row, "pgd40") for row in sorted_by(inner, "c", **where)]
    return max(values) - min(values)


@network(
    "sense-no-collapse",
    label="Sections 1 and 5.2, no collapse",
    place="Sections 1 and 5.2, Appendix D",
    statement="With insufficient capacity PGD training collapses to a constant (capacities 1 to 3), sensible training "
    "does not, except for capacity 1 at c = 0.",
    covers=COVERS.format("sense-no-collapse"),
    reading="Rule: collapsed means natural accuracy below 20. PGD rows collapse for capacity 1; no SENSE row with c > "
    "0 does. Two sentences on capacity 1 at c = 0 contradict each other (sense-capacity-1), so it is left out.",
)
def no_collapse(rows: Rows) -> str:
    if number(the(rows, method="pgd", capacity=1), "natural") >= 20:
        return "PGD training does not collapse at capacity 1"
    sensible = [row for row in rows if row["method"] == "sense" and number(row, "c") > 0]
    bad = [(row["capacity"], row["c"]) for row in sensible if number(row, "natural") < 20]
    return f"collapsed at (capacity, c) = {bad}" if bad or not sensible else ""


@network(
    "sense-natural-capacity",
    label="Section 5.2, natural training",
    place="Section 5.2",
    statement="Trained on natural MNIST examples, capacities 1 and 2 reach about 95 % and 97 %, the others above 99 %.",
    covers=COVERS.format("sense-natural-capacity"),
    reading="Rule: within two points of 95 and 97, and above 98.5 for capacities 3 to 5.",
)
def natural_capacity(rows: Rows) -> str:
    near = {1: (93, 97), 2: (95, 99)}
    for row in rows:
        lo, hi = near.get(row["capacity"], (Fraction("98.5"), 100))
        if not lo <= number(row, "natural") <= hi:
            return f"capacity {row['capacity']} has {row['natural']}"
    return ""


@network(
    "sense-c0-free",
    label="Section 5.2, c = 0 at low capacity",
    place="Section 5.2",
    statement="At c = 0 about 5 % of the training points of capacities 1 and 2 stay unperturbed, for about 80 % "
    "robust and 90 % natural accuracy.",
    covers=COVERS.format("sense-c0-free"),
    reading="Rule: unperturbed between 2 and 10, robust at least 70, natural at least 85, for capacity 2 (for "
    "capacity 1 the print contradicts itself).",
)
def c0_free(rows: Rows) -> str:
    row = the(rows, capacity=2)
    free, robust, natural = (number(row, c) for c in ("unperturbed", "pgd40", "natural"))
    return "" if 2 <= free <= 10 and robust >= 70 and natural >= 85 else f"{row}"


@network(
    "sense-figure3",
    label="Figures 3, 5 and 6",
    place="Section 5.2, Appendix E",
    statement="SENSE with c = 0.5 has larger median natural and adversarial margins than PGD training and more "
    "negative adversarial margins; a larger c increases both.",
    covers=COVERS.format("sense-figure3"),
    reading="Rule: medians and the share of negative adversarial margins at capacity 5, in this order: PGD, c = 0.5, "
    "c = 0.9, each growing.",
)
def figure_3(rows: Rows) -> str:
    order = [the(rows, model=name) for name in ("pgd", "sense 0.5", "sense 0.9")]
    columns = ("natural_margin", "adversarial_margin", "negative_share")
    bad = [c for c in columns if any(number(b, c) <= number(a, c) for a, b in pairwise(order))]
    return f"not growing: {', '.join(bad)}" if bad else ""


@network(
    "sense-figure3-negative",
    label="Section 5.2, negative margins",
    place="Section 5.2",
    statement="The share of training points with negative adversarial margin has a linear relation to the test "
    "accuracy.",
    covers=COVERS.format("sense-figure3-negative"),
    reading="Rule: squared correlation of that share with the robust test accuracy at least 0.9, over 10 models or "
    "more.",
)
def negative_share(rows: Rows) -> str:
    if len(rows) < 10:
        return f"{len(rows)} models are fewer than 10"
    x, y = ([number(row, c) for row in rows] for c in ("negative_share", "robust"))
    mx, my = sum(x) / len(x), sum(y) / len(y)
    cross = sum(((a - mx) * (b - my) for a, b in zip(x, y, strict=True)), Fraction(0))
    spread = sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y)
    return "" if spread and cross**2 >= Fraction(9, 10) * spread else "the squared correlation is below 0.9"


@network(
    "sense-figure7-capacity",
    label="Figure 7, over-fitting",
    place="Appendix E",
    statement="For c >= 0.5 the best robust accuracy is at capacity 3 and not at 5, while PGD training gains with "
    "capacity.",
    covers=COVERS.format("sense-figure7-capacity"),
    reading="Rule: for every c >= 0.5 some capacity below 5 is more robust than 5; PGD is most robust at 5.",
)
def figure_7(rows: Rows) -> str:
    for c in {row["c"] for row in rows}:
        best = max((row for row in rows if row["c"] == c), key=lambda row: number(row, "pgd40"))
        if (best["capacity"] == 5) != (c == "pgd"):
            return f"at c = {c} capacity {best['capacity']} is the most robust"
    return ""


@network(
    "sense-figure8",
    label="Figure 8",
    place="Appendix E",
    statement="On CIFAR10, SENSE has larger natural margins than TRADES, and two clusters of adversarial margins, the "
    "positive ones larger.",
    covers=COVERS.format("sense-figure8"),
    reading="Rule: larger median natural margin, larger median of the positive adversarial margins, and a larger "
    "standard deviation of adversarial margins than TRADES.",
)
def figure_8(rows: Rows) -> str:
    columns = ("natural_margin", "positive_margin", "deviation")
    return above(rows, columns)


@network(
    "sense-figure10",
    label="Figures 10 and 11",
    place="Appendix H.1",
    statement="PGD with K = 500 (MNIST) and K = 100 (CIFAR10) reaches the lowest accuracy that more steps reach.",
    covers=COVERS.format("sense-figure10"),
    reading="Rule: twice the steps lower the accuracy with restarts by at most half a point.",
)
def figure_10(rows: Rows) -> str:
    bad = [r["dataset"] for r in rows if number(r, "accuracy") - number(r, "accuracy_twice") > Fraction(1, 2)]
    return f"not converged on {', '.join(bad)}" if bad else ""


@network(
    "sense-stable",
    label="Appendix D, stability",
    place="Section 4 and Appendix D",
    statement="For c >= 0.5 training is stable, while for c = 0 the empirical loss can largely fluctuate; examples "
    "move to the full PGD stage.",
    covers=COVERS.format("sense-stable"),
    reading="Rule: the largest rise of an example's loss between two epochs is larger at c = 0 than at c = 0.5, and "
    "at c = 0.5 the share of full PGD examples is larger at the end than after the first epoch.",
)
def stable(rows: Rows) -> str:
    zero, half = the(rows, c="0"), the(rows, c="0.5")
    if number(zero, "largest_rise") <= number(half, "largest_rise"):
        return "the loss rises as much at c = 0.5 as at c = 0"
    return "" if number(half, "full_end") > number(half, "full_start") else "the full PGD stage does not grow"


@sense(
    "sense-state-of-the-art",
    label="Contributions, state of the art",
    place="Section 1",
    statement="No approach known has natural accuracy above 90 and PGD accuracy above 55 on CIFAR10 at 8/255.",
    expected="OUT OF REACH",
    covers="nothing",
    reading="'To the best of our knowledge', in 2019.",
)
def state_of_the_art(_budget: int) -> Evidence:
    return Evidence(
        "OUT OF REACH", "a statement about all that was published to 2019; its cost is every one of those runs"
    )
