"""Claims of SENSE in its printed numbers: Tables 1 to 9 and what the text says of them. No network is trained here.

Accuracies are in per cent, as printed. "trade" is the paper's name for the model of TRADES.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from proofs_check.core import Evidence, claim
from proofs_check.provers import every_case, given_case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

sense = partial(claim, paper="SENSE")
printed = partial(sense, kind="arithmetic")


def numbers(text: str) -> tuple[Fraction, ...]:
    """Printed decimals, exactly."""
    return tuple(Fraction(x) for x in text.split())


Table = MappingProxyType[str, tuple[Fraction, ...]]
ATTACKS = ("NAT", "CW40", "DeepFool", "FGSM", "LBFGS", "MIFGSM", "PGD100")
TABLE_1: Table = MappingProxyType(
    {"sense": numbers("91.51 67.01 78.89 72.72 85.94 68.87 57.23"),
     "trade": numbers("84.92 62.19 61.38 61.06 81.58 57.95 54.72")}
)  # fmt: skip
TABLE_2: Mapping[tuple[str, str, str], tuple[int, int]] = MappingProxyType(
    {("trade", "PGD", "sense"): (7831, 10000), ("trade", "PGD", "trade"): (5655, 10000),
     ("trade", "MIFGSM", "sense"): (1584, 3113), ("trade", "MIFGSM", "trade"): (5888, 10000),
     ("sense", "PGD", "sense"): (6499, 10000), ("sense", "PGD", "trade"): (6961, 10000),
     ("sense", "MIFGSM", "sense"): (6887, 10000), ("sense", "MIFGSM", "trade"): (2916, 4112)}
)  # fmt: skip
"""(defence, attack, generating model) -> (right, attacks)."""
TABLE_3: Table = MappingProxyType({"sense": numbers("99.51 91.74 96.02"), "trade": numbers("99.48 93.30 96.90")})
TABLE_4: Table = MappingProxyType(
    {"c": numbers("0.0 0.3 0.5 0.6 0.7 0.8"), "natural": numbers("82.88 86.76 90.42 90.87 91.51 92.35"),
     "pgd": numbers("43.70 46.90 50.95 55.90 57.80 55.60")}
)  # fmt: skip
TABLE_5: Table = MappingProxyType(
    {
        "c": numbers("0.1 0.5 0.9"),
        "natural": numbers("66.26 75.70 82.02 80.85"),
        "pgd": numbers("26.67 20.26 3.95 0.00"),
    }
)
"""The last column is natural training."""
TABLE_6: Table = MappingProxyType(
    {"eps": numbers("0.3 0.33 0.36 0.39"), "sense": numbers("96.46 92.89 83.15 63.51"),
     "trade": numbers("96.72 90.56 46.94 11.66")}
)  # fmt: skip
TABLE_7: Table = MappingProxyType(
    {"eps": numbers("10/255 12/255 14/255 16/255"), "sense": numbers("62.63 60.39 58.05 55.09"),
     "trade": numbers("47.61 39.05 31.57 25.15")}
)  # fmt: skip


def all_hold(margins: Sequence[Fraction], what: str) -> Evidence:
    """PROVED if no margin is negative; REFUTED by the first that is."""
    return every_case(lambda margin: margin, list(margins), what)


def contradictions(found: Sequence[str], count: int) -> Evidence:
    """IMPOSSIBLE with the sentences that say why, else PROVED for so many numbers."""
    if found:
        return Evidence("IMPOSSIBLE", "; ".join(found), count)
    return Evidence("PROVED", f"{count} numbers do not contradict each other", count)


def rounds_to(value: Fraction, shown: str) -> Fraction:
    """Half a unit of the last digit shown, less the distance of the value from what is shown."""
    digits = len(shown.partition(".")[2])
    return Fraction(1, 2 * 10**digits) - abs(value - Fraction(shown))


# ---- Table 1 and the text about it ----------------------------------------------------------------------------------


@printed(
    "sense-numbers-headline",
    label="Abstract and contributions, 91.51 and 57.23",
    place="Abstract, Sections 1 and 5.1",
    statement="On CIFAR10 natural accuracy is 91.51, more than 90, and robust accuracy (PGD) is 57.23, more than 55.",
    expected="PROVED",
    covers="the numbers of the abstract and the contributions against Table 1",
)
def headline(_budget: int) -> Evidence:
    natural, robust = TABLE_1["sense"][0], TABLE_1["sense"][-1]
    same = [-abs(natural - Fraction("91.51")), -abs(robust - Fraction("57.23"))]
    return all_hold([*same, natural - 90, robust - 55], "four comparisons")


@printed(
    "sense-numbers-drop",
    label="Section 5.1, drop of natural accuracy",
    place="Section 5.1",
    statement="91.51 is a drop of 3.7 from 95.2.",
    expected="PROVED",
    covers="95.2 - 91.51 = 3.69",
)
def drop(_budget: int) -> Evidence:
    return all_hold([rounds_to(Fraction("95.2") - TABLE_1["sense"][0], "3.7")], "one rounding")


@printed(
    "sense-numbers-lost",
    label="Contributions, the lost number",
    place="Section 1",
    statement="No previous approach that pursues robustness against this attack had a natural accuracy above a number.",
    expected="UNREADABLE",
    covers="nothing: the number is lost in the scan",
    reading="Between 84.92, TRADES' accuracy, and 91.51 any number would agree with Table 1.",
)
def lost(_budget: int) -> Evidence:
    return Evidence("UNREADABLE", "the sentence ends with 'more than .'")


@printed(
    "sense-table1-order",
    label="Table 1, order of the rows",
    place="Section 5.1",
    statement="SENSE is above TRADES under every attack and without one, and above Madry's 87.3 and 47.04.",
    expected="PROVED",
    covers="the seven columns of Table 1; Madry's two numbers are for PGD20",
)
def table_1_order(_budget: int) -> Evidence:
    ours, other = TABLE_1["sense"], TABLE_1["trade"]
    madry = [ours[0] - Fraction("87.3"), ours[-1] - Fraction("47.04")]
    return all_hold([*(a - b for a, b in zip(ours, other, strict=True)), *madry], "nine comparisons")


@printed(
    "sense-table1-columns",
    label="Table 1, order of the columns",
    place="Section 5.1",
    statement="No attacked accuracy is above the natural one, and the PGD with restarts is the strongest attack.",
    expected="PROVED",
    covers="both rows of Table 1",
)
def table_1_columns(_budget: int) -> Evidence:
    rows = TABLE_1.values()
    return all_hold([m for row in rows for x in row[1:] for m in (row[0] - x, x - row[-1])], "two rows, six attacks")


@printed(
    "sense-table2-counts",
    label="Table 2, denominators",
    place="Section 5.1 and Appendix H",
    statement="MIFGSM attacks are passed on only where they succeed on the generating model; their number is 10000 "
    "less what that model gets right.",
    expected="PROVED",
    covers="3113 = 10000 - 6887 and 4112 = 10000 - 5888; 6887 is the 68.87 of Table 1",
    reading="TRADES' 57.95 in Table 1 against 58.88 here is no contradiction: Table 1 quotes it from TRADES.",
)
def table_2_counts(_budget: int) -> Evidence:
    gaps = [
        -abs(Fraction(TABLE_2[other, "MIFGSM", name][1] + TABLE_2[name, "MIFGSM", name][0] - 10000))
        for name, other in (("sense", "trade"), ("trade", "sense"))
    ]
    own = Fraction(TABLE_2["sense", "MIFGSM", "sense"][0], 100)
    return all_hold([*gaps, -abs(own - TABLE_1["sense"][ATTACKS.index("MIFGSM")])], "three equalities")


@dataclass(frozen=True, slots=True)
class Comparison:
    """An accuracy of SENSE beside another one, in per cent."""

    what: str
    ours: Fraction
    other: Fraction


def better_margin(case: Comparison) -> Fraction:
    """Ours minus the other."""
    return case.ours - case.other


def transfer(attack: str) -> Comparison:
    """SENSE against TRADES' examples beside TRADES against those of SENSE."""
    ours, other = TABLE_2["sense", attack, "trade"], TABLE_2["trade", attack, "sense"]
    return Comparison(f"transferred {attack}", Fraction(100 * ours[0], ours[1]), Fraction(100 * other[0], other[1]))


@printed(
    "sense-overall",
    label="Section 5.1, overall",
    place="Section 5.1",
    statement="Overall, SENSE outperforms both the TRADES and the Madry model.",
    expected="AMENDED",
    covers="false for PGD examples of the other model in Table 2: 69.61 against 78.31",
    reading="In every column of Tables 1 and 2 where the two can be compared.",
    amendment="sense-overall-repaired",
    searched="Read in SENSE: Section 5.1 and Appendix H on the attacks; TRADES' models are theirs.",
)
def overall(_budget: int) -> Evidence:
    return given_case(better_margin, transfer("PGD"))


@sense(
    "sense-overall-repaired",
    label="Section 5.1, overall, repaired",
    place="Section 5.1",
    kind="repair",
    statement="It does in Table 1 and against transferred MIFGSM.",
    expected="PROVED",
    covers="the seven columns of Table 1, and 2916/4112 against 1584/3113",
    repairs="sense-overall",
)
def overall_repaired(_budget: int) -> Evidence:
    rows = zip(ATTACKS, TABLE_1["sense"], TABLE_1["trade"], strict=True)
    cases = [Comparison(*row) for row in rows] + [transfer("MIFGSM")]
    return every_case(better_margin, cases, "eight comparisons")


# ---- MNIST ----------------------------------------------------------------------------------------------------------


@printed(
    "sense-table3-comparable",
    label="Table 3, comparable",
    place="Section 5.1",
    statement="On MNIST the robust accuracy is comparable to that of TRADES.",
    expected="PROVED",
    covers="91.74 against 93.30 and 96.02 against 96.90",
    reading="Comparable: within two points.",
)
def table_3_comparable(_budget: int) -> Evidence:
    gaps = [abs(a - b) for a, b in zip(TABLE_3["sense"], TABLE_3["trade"], strict=True)]
    return all_hold([2 - gap for gap in gaps], "three columns")


@printed(
    "sense-conclusion-mnist",
    label="Section 6, state of the art on MNIST",
    place="Section 6",
    statement="The experiments yield state-of-the-art results of adversarial learning on CIFAR10 and MNIST.",
    expected="IMPOSSIBLE",
    covers="MNIST: the paper's own Table 3; nothing is said against CIFAR10",
)
def conclusion_mnist(_budget: int) -> Evidence:
    columns = zip(("PGD500", "C&W40"), TABLE_3["sense"][1:], TABLE_3["trade"][1:], strict=True)
    below = [f"{name}: {float(ours)} is below TRADES' {float(other)}" for name, ours, other in columns if ours < other]
    return contradictions(below, 4)


# ---- the threshold c ------------------------------------------------------------------------------------------------


@printed(
    "sense-table4",
    label="Table 4",
    place="Section 5.2",
    statement="Natural accuracy grows with c; the robust one is the larger the closer c is to 0.7, and that of c = 0.8 "
    "is above those of c <= 0.5.",
    expected="PROVED",
    covers="the six columns; c = 0.8 was stopped at epoch 120",
)
def table_4(_budget: int) -> Evidence:
    natural, robust = TABLE_4["natural"], TABLE_4["pgd"]
    far = [abs(c - Fraction("0.7")) for c in TABLE_4["c"]]
    grows = [b - a for a, b in pairwise(natural)]
    closer = [b - a for i, a in enumerate(robust) for j, b in enumerate(robust) if far[j] < far[i]]
    high = [robust[-1] - x for c, x in zip(TABLE_4["c"], robust, strict=True) if c <= Fraction(1, 2)]
    return all_hold([*grows, *closer, *high], "all pairs of columns")


@printed(
    "sense-table4-counts",
    label="Table 4, counts",
    place="Section 5.2",
    statement="The robust accuracies are those of the first 2000 test examples; for c = 0.7 that of all 10000 is in "
    "Table 1.",
    expected="PROVED",
    covers="each is a number of examples out of 2000; 57.80 of these and 57.23 of all leave 4567 of 8000",
)
def table_4_counts(_budget: int) -> Evidence:
    counts = [x * 20 for x in TABLE_4["pgd"]]
    rest = TABLE_1["sense"][-1] * 100 - counts[4]
    whole = [-abs(n - round(n)) for n in [*counts, rest]]
    return all_hold([*whole, rest, 8000 - rest, -abs(TABLE_4["natural"][4] - TABLE_1["sense"][0])], "nine conditions")


@printed(
    "sense-table5",
    label="Table 5",
    place="Section 5.2",
    statement="With little capacity no model collapses, and all are more robust than natural training.",
    expected="PROVED",
    covers="natural accuracies above the 10 of a constant, robust ones above 0.00",
    reading="That the loss of natural accuracy (14.59, 5.15 and -1.17 points) is not serious has no number.",
)
def table_5(_budget: int) -> Evidence:
    margins = [x - 10 for x in TABLE_5["natural"]] + [
        x - TABLE_5["pgd"][-1] - Fraction(1, 100) for x in TABLE_5["pgd"][:-1]
    ]
    return all_hold(margins, "seven comparisons")


@printed(
    "sense-insensitive",
    label="Section 6, insensitive to c",
    place="Section 6",
    statement="The algorithm is not sensitive to the choice of c.",
    expected="UNDECIDED",
    covers="nothing: no number says what sensitive is",
    reading="Of training at all (no collapse) Section 5.2 says so; of accuracies the tables show how they vary.",
)
def insensitive(_budget: int) -> Evidence:
    def spread(row: Sequence[Fraction]) -> str:
        return f"{float(max(row) - min(row)):.2f}"

    parts = [
        f"Table 4: natural {spread(TABLE_4['natural'])}, robust {spread(TABLE_4['pgd'])} points",
        f"Table 5: natural {spread(TABLE_5['natural'][:3])}, robust {spread(TABLE_5['pgd'][:3])} points",
    ]
    return Evidence("UNDECIDED", "spread over c: " + "; ".join(parts), 18)


@printed(
    "sense-capacity-1",
    label="Section 5.2, capacity 1 at c = 0",
    place="Section 5.2",
    statement="Capacity 1 does not collapse except when c = 0; when c = 0, capacities 1 and 2 avoid collapsing.",
    expected="IMPOSSIBLE",
    covers="the two sentences on the same models",
)
def capacity_1(_budget: int) -> Evidence:
    collapse = {1: {"except when c = 0": True, "capacities 1 and 2 at c = 0": False}, 2: {"even with c = 0": False}}
    found = [
        f"capacity {q} at c = 0 collapses by one sentence and not by another ({', '.join(said)})"
        for q, said in collapse.items()
        if len(set(said.values())) > 1
    ]
    return contradictions(found, 3)


# ---- larger radii ---------------------------------------------------------------------------------------------------


@printed(
    "sense-tables6-7-radii",
    label="Tables 6 and 7, radii",
    place="Appendix H.3",
    statement="The radii are 0.3 delta with delta = 1.1, 1.2, 1.3 and (8/255) delta with delta = 10/8, 12/8, 14/8, "
    "16/8; the step numbers are 40 delta.",
    expected="PROVED",
    covers="seven radii, and seven step numbers, which are whole; delta = 1 in Table 6 is the training radius",
    reading="The scan shows the last set of delta as 180, 12, 184, 186.",
)
def radii(_budget: int) -> Evidence:
    small = [Fraction(11, 10), Fraction(12, 10), Fraction(13, 10)]
    large = [Fraction(k, 8) for k in (10, 12, 14, 16)]
    gaps = [-abs(Fraction(3, 10) * d - eps) for d, eps in zip(small, TABLE_6["eps"][1:], strict=True)]
    gaps += [-abs(Fraction(8, 255) * d - eps) for d, eps in zip(large, TABLE_7["eps"], strict=True)]
    whole = [-abs(40 * d - round(40 * d)) for d in [*small, *large]]
    return all_hold([*gaps, *whole], "14 equalities")


@printed(
    "sense-tables6-7-falling",
    label="Tables 6 and 7, order",
    place="Appendix F",
    statement="Accuracy falls as the radius grows; SENSE is above TRADES at every radius larger than that of training.",
    expected="PROVED",
    covers="all columns; at 0.3 TRADES is above (96.72 against 96.46)",
)
def falling(_budget: int) -> Evidence:
    rows = [table[name] for table in (TABLE_6, TABLE_7) for name in ("sense", "trade")]
    falls = [a - b for row in rows for a, b in pairwise(row)]
    above = [
        a - b
        for t, start in ((TABLE_6, 1), (TABLE_7, 0))
        for a, b in zip(t["sense"][start:], t["trade"][start:], strict=True)
    ]
    return all_hold([*falls, *above], "12 steps and 7 columns")


def too_high(table: Table, name: str, bound: Fraction, source: str) -> list[str]:
    """Entries above an accuracy that a stronger attack has shown for a smaller or equal radius."""
    return [
        f"{name} at eps = {eps}: {float(x)} is above {source}"
        for eps, x in zip(table["eps"], table[name], strict=True)
        if x > bound
    ]


@printed(
    "sense-table6-weak",
    label="Table 6, as robust accuracy",
    place="Appendix F",
    statement="The entries are the accuracies of the models of Table 3 under l-infinity attacks of these radii.",
    expected="IMPOSSIBLE",
    covers="as robust accuracies: a ball holds the smaller ones, so an accuracy that PGD500 lowered at 0.3 bounds "
    "those at larger radii",
    reading="The same models and test set, as Appendix H.3 says; the attack has 40 delta steps in the place of 500 "
    "with restarts, and measures itself.",
)
def table_6_weak(_budget: int) -> Evidence:
    found = [
        sentence
        for name in ("sense", "trade")
        for sentence in too_high(
            TABLE_6, name, TABLE_3[name][1], f"{float(TABLE_3[name][1])}, PGD500 at 0.3 in Table 3"
        )
    ]
    return contradictions(found, 8)


@printed(
    "sense-table7-weak",
    label="Table 7, as robust accuracy",
    place="Appendix F",
    statement="The entries are the accuracies of the models of Table 1 under l-infinity attacks of these radii.",
    expected="IMPOSSIBLE",
    covers="as robust accuracies: SENSE at 10/255, 12/255 and 14/255 is printed above its 57.23 at 8/255",
    reading="The same models and test set, as Appendix H.3 says; the attack has 40 delta steps and no restarts.",
)
def table_7_weak(_budget: int) -> Evidence:
    found = [
        sentence
        for name in ("sense", "trade")
        for sentence in too_high(
            TABLE_7, name, TABLE_1[name][-1], f"{float(TABLE_1[name][-1])}, PGD100 at 8/255 in Table 1"
        )
    ]
    return contradictions(found, 8)


# ---- settings -------------------------------------------------------------------------------------------------------


@printed(
    "sense-capacity-scale",
    label="Appendix H.2, capacities",
    place="Appendix H.2",
    statement="Capacity q has 2^(q-1) and 2^q filters and 2^(q+4) units; capacities 2 and 3 are comparable to Madry's "
    "scales 1 and 2, capacities 4 and 5 to scales 4 and 8.",
    expected="PROVED",
    covers="Madry's scale s has 2s and 4s filters and 64s units; equal, but for the padding that the footnote names",
    reading="The text writes d for q; '81' is 8 with the mark of footnote 1.",
)
def capacity_scale(_budget: int) -> Evidence:
    scale = {2: 1, 3: 2, 4: 4, 5: 8}
    pairs = [((2 ** (q - 1), 2**q, 2 ** (q + 4)), (2 * s, 4 * s, 64 * s)) for q, s in scale.items()]
    return all_hold(
        [Fraction(-abs(a - b)) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True)], "12 sizes"
    )


@printed(
    "sense-table8-steps",
    label="Table 8, steps",
    place="Appendix H.1 and Section 5.1",
    statement="For CIFAR10 the step is eps/5 = (8/255)(2/10) with K = 10, for MNIST 0.05 with K = 10 and eps = 0.3.",
    expected="PROVED",
    covers="both entries agree with Section 5.1, and K steps reach the border of the ball",
    reading="The scan shows the CIFAR10 step as a broken product; Section 5.1 has eps/5.",
)
def table_8_steps(_budget: int) -> Evidence:
    eps, step = Fraction(8, 255), Fraction(8, 255) * Fraction(2, 10)
    return all_hold(
        [-abs(step - eps / 5), 10 * step - eps, 10 * Fraction("0.05") - Fraction("0.3")], "three conditions"
    )


@printed(
    "sense-table9-mifgsm",
    label="Table 9, MIFGSM",
    place="Appendix H.1",
    statement="40 steps of (8/255)/40.001 keep the perturbation below 8/255.",
    expected="PROVED",
    covers="sign steps, which add up to at most 40 of them",
)
def table_9_mifgsm(_budget: int) -> Evidence:
    total = 40 * Fraction(8, 255) / Fraction("40.001")
    return all_hold([Fraction(8, 255) - total - Fraction(1, 10**7)], "one sum")


@printed(
    "sense-experiment-numbers",
    label="Appendices C to E, cross-references",
    place="Appendices C, D and E",
    statement="Figures 5 and 6 show the models in Experiment 1; Experiment 1 shows that a small change keeps models "
    "from collapsing; S is that of definition 4.",
    expected="IMPOSSIBLE",
    covers="what the text refers to: nothing depends on it",
)
def experiment_numbers(_budget: int) -> Evidence:
    found = [
        "Figures 5 and 6 vary capacity and c on MNIST, which Section 5.2 calls Experiment 2, as Appendix E does",
        "models that collapse are those of Experiment 2",
        "there are Definitions 1 to 3 only",
    ]
    return contradictions(found, len(found))
