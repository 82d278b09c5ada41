"""Claims of TRADES' experiments, Section 5 and Appendix D: the arithmetic of what is printed, and networks.

Numbers of the tables are percentages unless they say otherwise. Every test set has 10 000 images, but for that of
Table 3: the digits '1' and '3' of MNIST are 2145.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proofs_check.core import Claim, Evidence, Prover, claim, definition
from proofs_check.provers import every_case

if TYPE_CHECKING:
    from theory.record import Record

ACCURACIES = definition(
    "trades-accuracies",
    paper="TRADES",
    label="A_rob and A_nat",
    place="Section 5",
    statement="A_rob(f) = 1 - R_rob(f) and A_nat(f) = 1 - R_nat(f) on the test data.",
    covers="1 - theory.risks.robust_risk, 1 - standard_risk; an attack gives an upper bound on A_rob only",
)
DELTAS = definition(
    "trades-deltas",
    paper="TRADES",
    label="Delta_LHS, Delta_RHS, Delta",
    place="Section 5.1",
    statement="Delta_LHS = R_rob(f) - R*_nat, Delta_RHS = R_phi(f) - R*_phi + E max phi(f(X') f(X)/lambda), Delta = "
    "Delta_RHS - Delta_LHS.",
    covers="theory.bounds.excess_robust_risk_bound, gap; for the hinge, whose psi^-1 is the identity up to 1",
)

# ---- Table 3 --------------------------------------------------------------------------------------------------------

TABLE_3 = {
    2: ("99.43", "0.0006728", "0.006708"),
    3: ("99.41", "0.0004067", "0.005914"),
    4: ("99.37", "0.0003746", "0.006757"),
    5: ("99.34", "0.0003430", "0.005860"),
}
"""lambda -> A_rob in percent, R_phi, Delta = Delta_RHS - Delta_LHS."""

TEST_ONES_AND_THREES = 2145


def counts(printed: str, images: int, *, cut: bool = False) -> list[int]:
    """The numbers of right answers among so many images whose percentage rounds to these digits, or is cut to them.

    >>> counts("99.44", 2145), counts("99.43", 2145), counts("99.34", 2145, cut=True)
    ([2133], [], [2131])
    """
    value, unit = Fraction(printed), Fraction(1, 10 ** len(printed.partition(".")[2]))
    lo = value if cut else value - unit / 2
    near = range(math.floor(lo * images / 100), math.ceil((lo + unit) * images / 100) + 1)
    return [c for c in near if lo <= Fraction(100 * c, images) < lo + unit]


@claim(
    "trades-table3-counts",
    paper="TRADES",
    label="Table 3, robust accuracies",
    place="Section 5.1",
    kind="arithmetic",
    statement="A_rob = 99.43, 99.41, 99.37 and 99.34 % on the test images '1' and '3' of MNIST.",
    expected="IMPOSSIBLE",
    covers="one run, and averages of two or three, on all 2145 images; four or more, or other images, are not excluded",
    reading="A percentage of the 2145 test images, rounded or cut to two digits.",
)
def table3_counts(_budget: int) -> Evidence:
    fits = {
        (runs, cut): [row[0] for row in TABLE_3.values() if counts(row[0], runs * TEST_ONES_AND_THREES, cut=cut)]
        for runs in (1, 2, 3)
        for cut in (False, True)
    }
    if any(len(some) == len(TABLE_3) for some in fits.values()):
        return Evidence("UNDECIDED", f"possible: {fits}", len(fits))
    one = f"of one run {', '.join(fits[1, False]) or 'none'} rounded and {', '.join(fits[1, True]) or 'none'} cut"
    how = f"12 errors of 2145 are 99.44 %, 13 are 99.39 %; {one} would fit, and averages of 2 or 3 runs do not fit all"
    return Evidence("IMPOSSIBLE", how, len(fits))


@claim(
    "trades-table3-small",
    paper="TRADES",
    label="Table 3, differences are very small",
    place="Section 5.1",
    kind="arithmetic",
    statement="The differences between Delta_RHS and Delta_LHS under various lambda are very small.",
    expected="PROVED",
    covers="the printed numbers: below 0.7 points; but Delta_RHS is 1.89 to 2.18 times Delta_LHS = 1 - A_rob, which "
    "is as small itself",
    reading="Very small: below 0.01, in absolute terms.",
)
def table3_small(_budget: int) -> Evidence:
    rows = [(1 - Fraction(a) / 100, Fraction(delta)) for a, _, delta in TABLE_3.values()]
    ratios = [(left + delta) / left for left, delta in rows]
    span = f"{float(min(ratios)):.2f} to {float(max(ratios)):.2f}"
    found = every_case(lambda row: Fraction(1, 100) - row[1], rows, "four printed differences below 0.01")
    return Evidence(found.kind, f"{found.how}; Delta_RHS/Delta_LHS is {span}", found.cases, found.witness)


@claim(
    "trades-table3-natural",
    paper="TRADES",
    label="Table 3, natural errors implied",
    place="Section 5.1",
    kind="arithmetic",
    statement="R_phi(f) is at least R_nat(f) for the hinge, and E max phi = Delta + R_rob - R_phi is at least R_bdy.",
    expected="PROVED",
    covers="the printed numbers: at most 1 natural error for lambda = 2 and none for 3, 4, 5; E is 0.0114 to 0.0127",
    reading="R*_nat = R*_phi = 0, as the text has it.",
)
def table3_natural(_budget: int) -> Evidence:
    def margin(row: tuple[str, str, str]) -> Fraction:
        robust, surrogate, delta = 1 - Fraction(row[0]) / 100, Fraction(row[1]), Fraction(row[2])
        wrong = math.floor(surrogate * TEST_ONES_AND_THREES)  # the hinge is 1 or more where f errs
        return delta + robust - surrogate - (robust - Fraction(wrong, TEST_ONES_AND_THREES))

    return every_case(margin, list(TABLE_3.values()), "the four rows")


@claim(
    "trades-table3",
    paper="TRADES",
    label="Table 3",
    place="Section 5.1",
    kind="network",
    statement="For lambda = 2, 3, 4, 5 networks trained on problem (3) with the hinge have A_rob of 99.34 to 99.43 %, "
    "R_phi of 0.00034 to 0.00067, falling in lambda, and Delta below 0.007.",
    expected="NOT RUN",
    covers="digits '1' and '3' of MNIST, eps = 0.1, 30 epochs; produced by python -m deep.table3",
    reading="Rule: for every lambda the mean over seeds has R_rob.hi <= 0.01 and 0 <= Delta.lo, Delta.hi <= 0.01; "
    "R_phi at the largest lambda is below that at the smallest. The paper's setting: all four lambda, three seeds or "
    "more each.",
    reads="tightrope.table3/1",
)
def table3(record: Record) -> Evidence:
    """Ends of the intervals count, so an attack alone cannot pass for a bound; theorem 3.1 wants Delta >= 0."""
    rows: dict[Fraction, list[tuple[Fraction, ...]]] = {}
    for row in record.data["rows"]:
        ends = (row["R_phi"], row["R_rob"]["hi"], row["Delta"]["lo"], row["Delta"]["hi"])
        rows.setdefault(_number(row["lam"]), []).append(tuple(map(_number, ends)))
    if len(rows) < 2:
        return Evidence("NOT RUN", "fewer than two values of lambda", len(rows))
    means = {
        lam: [sum(column, Fraction(0)) / len(some) for column in zip(*some, strict=True)] for lam, some in rows.items()
    }
    faults = [
        f"lambda = {lam}: R_rob <= {float(robust):.4f}, Delta in [{float(lo):.5f}, {float(hi):.5f}]"
        for lam, (_, robust, lo, hi) in means.items()
        if robust > Fraction(1, 100) or lo < 0 or hi > Fraction(1, 100)
    ]
    if means[max(means)][0] >= means[min(means)][0]:
        faults.append(f"R_phi does not fall from lambda = {min(means)} to {max(means)}")
    full = set(rows) == set(TABLE_3) and all(len(some) >= 3 for some in rows.values())
    number = sum(map(len, rows.values()))
    if faults:
        return Evidence("FAILED", "; ".join(faults), number)
    return Evidence("REPRODUCED" if full else "DIRECTION HELD", "every mean is within the rule", number)


def _number(value: Any) -> Fraction:
    return Fraction(str(value))


# ---- Table 4 --------------------------------------------------------------------------------------------------------

TABLE_4 = (
    ("0.1", "91.09", "0.0385", "99.41", "0.0235", "26.53", "1.1698", "91.31", "0.0579"),
    ("0.2", "92.18", "0.0450", "99.38", "0.0094", "37.71", "0.6743", "89.56", "0.2154"),
    ("0.4", "93.21", "0.0660", "99.35", "0.0082", "41.50", "0.3376", "87.91", "0.2944"),
    ("0.6", "93.87", "0.0464", "99.33", "0.0141", "43.37", "0.2706", "87.50", "0.1621"),
    ("0.8", "94.32", "0.0492", "99.31", "0.0205", "44.17", "0.2834", "87.11", "0.2123"),
    ("1.0", "94.75", "0.0712", "99.28", "0.0125", "44.68", "0.3088", "87.01", "0.2819"),
    ("2.0", "95.45", "0.0883", "99.29", "0.0262", "48.22", "0.0740", "85.22", "0.0543"),
    ("3.0", "95.57", "0.0262", "99.24", "0.0216", "49.67", "0.3179", "83.82", "0.4050"),
    ("4.0", "95.65", "0.0340", "99.16", "0.0205", "50.25", "0.1883", "82.90", "0.2217"),
    ("5.0", "95.65", "0.1851", "99.16", "0.0403", "50.64", "0.3336", "81.72", "0.0286"),
)
"""1/lambda; for MNIST and then for CIFAR10: A_rob, its +-, A_nat, its +-."""


@claim(
    "trades-table4-trend",
    paper="TRADES",
    label="Table 4, A_nat decreases and A_rob increases",
    place="Section 5.2",
    kind="arithmetic",
    statement="As 1/lambda increases, the natural accuracy decreases while the robust accuracy increases.",
    expected="IMPOSSIBLE",
    covers="the printed MNIST columns; CIFAR10's are monotone throughout",
)
def table4_trend(_budget: int) -> Evidence:
    faults = []
    for (first, *a), (second, *b) in pairwise(TABLE_4):
        for k, name in enumerate(("MNIST A_rob", "MNIST A_nat", "CIFAR10 A_rob", "CIFAR10 A_nat")):
            if (-1) ** k * (Fraction(b[2 * k]) - Fraction(a[2 * k])) <= 0:
                faults.append(f"{name} {a[2 * k]} at {first} and {b[2 * k]} at {second}")
    return Evidence("IMPOSSIBLE" if faults else "PROVED", "; ".join(faults) or "all columns", 36)


def three_run_deviation(printed: str, *, ddof: int = 0, slack: Fraction = Fraction(1)) -> bool:
    """Whether three accuracies on 10 000 images may have this standard deviation, to ``slack`` units of the last digit.

    For counts c, c + d, c + d + e the squared deviations from the mean sum to 2/3 (d^2 + d e + e^2), in (0.01 %)^2.

    >>> three_run_deviation("0.0094", slack=Fraction(1, 2)), three_run_deviation("0.0100")   # 0.00943 is sqrt(8)/300
    (True, False)
    """
    low, high = ((Fraction(printed) + sign * slack / 10_000) * 100 for sign in (-1, 1))
    scale = (3 - ddof) * Fraction(3, 2)
    hi = high * high * scale
    lo = low * low * scale if low > 0 else Fraction(-1)
    top = math.isqrt(math.ceil(hi)) + 1
    return any(lo < d * d + d * e + e * e < hi for d in range(top) for e in range(d + 1))


@claim(
    "trades-table4-deviations",
    paper="TRADES",
    label="Table 4, +-",
    place="Section 5.2",
    kind="arithmetic",
    statement="Table 4 prints accuracies with +-.",
    expected="PROVED",
    covers="the 20 MNIST entries: all are population standard deviations (not those of a sample) of three runs on 10 "
    "000 images, to one unit in the last digit",
    reading="+- is not explained: three runs, divided by 3.",
)
def table4_deviations(_budget: int) -> Evidence:
    """Counts c, c + d, c + d + e of right answers have the squared deviations 2/3 (d^2 + d e + e^2) in all, so their
    population variance is 2/9 of (d^2 + d e + e^2), in squares of 0.01 %. All small d and e are tried.
    """
    printed = [row[k] for row in TABLE_4 for k in (2, 4)]
    half = [sum(three_run_deviation(x, ddof=k, slack=Fraction(1, 2)) for x in printed) for k in (0, 1)]
    found = every_case(lambda x: three_run_deviation(x) - 1, printed, "the +- of MNIST, to one unit in the last digit")
    how = f"{found.how}; {half[0]} of 20 as rounded, and {half[1]} of 20 if they were deviations of a sample"
    return Evidence(found.kind, how, found.cases, found.witness)


@claim(
    "trades-table4-easier",
    paper="TRADES",
    label="Table 4, MNIST loses less than CIFAR10",
    place="Section 5.2",
    kind="arithmetic",
    statement="On MNIST the natural accuracy does not decrease too much as 1/lambda increases, different from CIFAR10.",
    expected="PROVED",
    covers="the printed numbers: 0.25 points against 9.59",
)
def table4_easier(_budget: int) -> Evidence:
    first, last = TABLE_4[0], TABLE_4[-1]
    falls = [Fraction(first[k]) - Fraction(last[k]) for k in (3, 7)]
    found = every_case(
        lambda pair: pair[1] - 10 * pair[0], [tuple(falls)], "MNIST's fall is below a tenth of CIFAR10's"
    )
    return Evidence(found.kind, f"{falls[0]} and {falls[1]} points", 1, found.witness)


# ---- Tables 5 to 10 -------------------------------------------------------------------------------------------------

TABLE_5 = (
    ("BRRG18", "", "0", ""), ("MLW+18", "", "5", ""), ("DAL+18", "", "0", ""), ("SKN+18", "", "9", ""),
    ("NKM17", "", "15", ""), ("WSMK18", "27.07", "23.54", "FGSM^20"), ("MMS+18", "87.30", "47.04", "FGSM^20"),
    ("ZSLG16", "94.64", "0.15", "FGSM^20"), ("KGB17", "85.25", "45.89", "FGSM^20"), ("RDV17", "95.34", "0", "FGSM^20"),
    ("TRADES 1", "88.64", "48.90", "FGSM^1000"), ("TRADES 6", "84.92", "56.43", "FGSM^1000"),
    ("TRADES 1", "88.64", "49.14", "FGSM^20"), ("TRADES 6", "84.92", "56.61", "FGSM^20"),
    ("TRADES 1", "88.64", "59.10", "DeepFool"), ("TRADES 6", "84.92", "61.38", "DeepFool"),
    ("TRADES 1", "88.64", "84.41", "LBFGS"), ("TRADES 6", "84.92", "81.58", "LBFGS"),
    ("TRADES 1", "88.64", "51.26", "MI-FGSM"), ("TRADES 6", "84.92", "57.95", "MI-FGSM"),
    ("TRADES 1", "88.64", "84.03", "C&W"), ("TRADES 6", "84.92", "81.24", "C&W"),
    ("SKC18", "", "55", ""), ("MMS+18", "99.36", "96.01", "FGSM^40"), ("TRADES 6", "99.48", "95.60", "FGSM^1000"),
    ("TRADES 6", "99.48", "96.07", "FGSM^40"), ("TRADES 6", "99.48", "99.46", "C&W"),
)  # fmt: skip
"""Defense, A_nat, A_rob, attack, line by line; the last five lines are MNIST, the others CIFAR10."""

OTHERS = (
    ("Table 6", "Madry", "99.36", "97.43"), ("Table 6", "TRADES", "99.48", "97.63"),
    ("Table 6", "Madry", "99.36", "97.38"), ("Table 6", "TRADES", "99.48", "97.66"),
    ("Table 7", "Madry", "85.49", "84.39"), ("Table 7", "TRADES", "88.64", "87.60"),
    ("Table 7", "Madry", "85.49", "66.00"), ("Table 7", "TRADES", "88.64", "70.14"),
    ("Table 8", "TRADES 1", "88.64", "56.38"), ("Table 8", "TRADES 1", "88.64", "84.49"),
    ("Table 8", "TRADES 6", "84.92", "61.06"), ("Table 8", "TRADES 6", "84.92", "81.55"),
    ("Table 9", "Madry", "99.36", "97.68"), ("Table 9", "Madry", "99.36", "98.11"),
    ("Table 9", "TRADES", "99.48", "97.75"), ("Table 9", "TRADES", "99.48", "98.44"),
    ("Table 10", "Madry", "85.49", "84.02"), ("Table 10", "Madry", "85.49", "67.66"),
    ("Table 10", "TRADES", "88.64", "86.84"), ("Table 10", "TRADES", "88.64", "71.52"),
)  # fmt: skip
"""Table, defense, A_nat (Tables 5 and 8, and the text of 5.3.2), A_rob."""


@claim(
    "trades-tables-order",
    paper="TRADES",
    label="Tables 5 to 10, A_rob <= A_nat",
    place="Sections 5.3.1, 5.3.2 and Appendix D",
    kind="arithmetic",
    statement="R_rob >= R_nat for every network whose two accuracies are printed, and FGSM^1000 is no weaker than "
    "FGSM^20 and FGSM^40.",
    expected="PROVED",
    covers="the 40 printed pairs, with the networks that captions and text name; three pairs of attacks",
    reading="The TRADES network of Tables 7 and 10 is that of the 11th line of Table 5, 1/lambda = 1: its 87.60 % "
    "would exceed the 84.92 % of the other.",
)
def tables_order(_budget: int) -> Evidence:
    pairs = [(nat, rob) for _, nat, rob, _ in TABLE_5 if nat] + [(nat, rob) for *_, nat, rob in OTHERS]
    strong = [(TABLE_5[weak][2], TABLE_5[many][2]) for weak, many in ((12, 10), (13, 11), (25, 24))]
    margins = [tuple(map(Fraction, pair)) for pair in pairs + strong]
    return every_case(lambda pair: pair[0] - pair[1], margins, f"{len(pairs)} accuracies and {len(strong)} attacks")


@claim(
    "trades-table5-text",
    paper="TRADES",
    label="Table 5, numbers quoted in the text",
    place="Section 1.1 and Section 5.3.1",
    kind="arithmetic",
    statement="Other defenses reach at most ~47 % and TRADES ~57 % (56.61 %) under white-box attacks; [MMS+18] has "
    "47.04 % under FGSM^20; TRADES has 99.46 % on MNIST under C&W.",
    expected="PROVED",
    covers="the printed numbers, CIFAR10, FGSM^20 for TRADES",
)
def table5_text(_budget: int) -> Evidence:
    ours = {(name, attack): Fraction(rob) for name, _, rob, attack in TABLE_5[:22]}
    rest = max(Fraction(rob) for name, _, rob, _ in TABLE_5[:22] if not name.startswith("TRADES"))
    best = ours["TRADES 6", "FGSM^20"]
    right = rest == Fraction("47.04") and round(rest) == 47 and best == Fraction("56.61") and round(best) == 57
    right = right and Fraction(TABLE_5[-1][2]) == Fraction("99.46")
    return Evidence("PROVED" if right else "UNDECIDED", "the text and the table agree", 4)


@claim(
    "trades-table5-lines",
    paper="TRADES",
    label="Tables 5 and 6, lines named",
    place="Table 6, caption, and Appendix D.1",
    kind="arithmetic",
    statement="'Madry' is the model in the antepenultimate line of Table 5, 'TRADES' that in the penultimate line.",
    expected="IMPOSSIBLE",
    covers="the printed table; the penultimate line is TRADES, as said",
)
def table5_lines(_budget: int) -> Evidence:
    third, second = TABLE_5[-3], TABLE_5[-2]
    if third[0].startswith("MMS") or not second[0].startswith("TRADES"):
        return Evidence("PROVED", "the lines are as named", 2)
    how = f"the antepenultimate line is {third[0]} under {third[3]}; [MMS+18] on MNIST is the fourth line from the end"
    return Evidence("IMPOSSIBLE", how, 2)


CROSS_ENTROPIES = (
    ("Table 6", "97.43", "0.0078484"), ("Table 6", "97.63", "0.0075324"),
    ("Table 6", "97.38", "0.0084962"), ("Table 6", "97.66", "0.0073532"),
    ("Table 7", "84.39", "0.0519784"), ("Table 7", "87.60", "0.0380258"),
    ("Table 7", "66.00", "0.1252672"), ("Table 7", "70.14", "0.0885364"),
)  # fmt: skip
"""Table, A_rob, "average cross-entropy loss value L(f(X), Y)"."""


def least_cross_entropy(accuracy: str, base: int | None = None) -> Any:
    """The least average cross-entropy at this accuracy (rounded up by half a digit): the error rate times log 2.

    >>> print(f"{least_cross_entropy('97.43'):.5f}")
    [0.01777, 0.01778]
    """
    from theory import special

    errors = 1 - (Fraction(accuracy) + Fraction(1, 200)) / 100
    return errors * special.log(2) / (special.log(base) if base else 1)


@claim(
    "trades-table6-losses",
    paper="TRADES",
    label="Tables 6 and 7, average cross-entropy in brackets",
    place="Section 5.3.2",
    kind="arithmetic",
    statement="The average cross-entropy L(f(X), Y) of each defense model on the attacked images is as printed in the "
    "bracket, beside its accuracy.",
    expected="IMPOSSIBLE",
    covers="all eight entries: each is below (1 - A_rob) ln 2; with logarithms to base 10 one still is",
    reading="On the attacked images: the same model has two values for two sources of attack.",
)
def table6_losses(_budget: int) -> Evidence:
    """An image that is misclassified has another class at least as probable as the true one, so the true one has at
    most probability 1/2 and costs at least ln 2; all others cost at least 0.
    """
    low = [row for row in CROSS_ENTROPIES if least_cross_entropy(row[1]) > Fraction(row[2])]
    still = [row for row in low if least_cross_entropy(row[1], 10) > Fraction(row[2])]
    if not low:
        return Evidence("UNDECIDED", "no entry is below its least value", len(CROSS_ENTROPIES))
    how = (
        f"{len(low)} of {len(CROSS_ENTROPIES)} are below (1 - A_rob) ln 2, such as {low[0][2]} at {low[0][1]} %, which "
    )
    how += f"needs {float(least_cross_entropy(low[0][1]).lo):.4f}; to base 10 still {len(still)}"
    return Evidence("IMPOSSIBLE", how, len(CROSS_ENTROPIES))


FIGURE_3 = ("2.256", "2.025", "1.637", "1.585", "1.476", "1.401")


@claim(
    "trades-figure-3",
    paper="TRADES",
    label="Figure 3, 11.41 %",
    place="Abstract, Sections 1.1 and 5.4",
    kind="arithmetic",
    statement="The first of six entries surpasses the runner-up by 11.41 % in mean l_2 perturbation distance.",
    expected="PROVED",
    covers="the printed numbers: 2.256/2.025 = 1.11407...",
)
def figure_3(_budget: int) -> Evidence:
    first, second, *_ = map(Fraction, FIGURE_3)
    gain = 100 * (first / second - 1)
    gap = Fraction(5, 1000) - abs(gain - Fraction("11.41"))
    return every_case(
        lambda value: value, [gap, *(Fraction(a) - Fraction(b) for a, b in pairwise(FIGURE_3))], "Figure 3"
    )


STEPS = (
    ("Table 4, MNIST, training", "0.1", "0.01", 20), ("Table 4, MNIST, attack", "0.1", "0.005", 40),
    ("Table 4, CIFAR10, training", "0.031", "0.007", 10), ("Table 4, CIFAR10, attack", "0.031", "0.003", 20),
    ("5.3, MNIST, training and attack", "0.3", "0.01", 40), ("5.3, CIFAR10, training", "0.031", "0.007", 10),
    ("5.3, CIFAR10, attack", "0.031", "0.003", 20),
)  # fmt: skip
"""Setting, eps, step size, number of steps."""


@claim(
    "trades-steps-reach",
    paper="TRADES",
    label="step sizes and numbers of steps",
    place="Sections 5.2 and 5.3",
    kind="arithmetic",
    statement="With the printed step sizes and numbers of steps the attacks can reach the boundary of the ball.",
    expected="PROVED",
    covers="all seven settings: steps times step size is at least eps (from x; Table 3's step size is not printed)",
)
def steps_reach(_budget: int) -> Evidence:
    return every_case(lambda row: row[3] * Fraction(row[2]) - Fraction(row[1]), STEPS, "seven settings")


# ---- networks that are not run --------------------------------------------------------------------------------------


def _network(key: str, label: str, place: str, statement: str, verdict: str, how: str) -> Claim:
    def prove(_budget: int) -> Evidence:
        return Evidence(verdict, how)

    prover: Prover = prove
    return claim(
        f"trades-{key}", paper="TRADES", label=label, place=place, kind="network", statement=statement,
        expected=verdict, covers="nothing yet",
    )(prover)  # fmt: skip


FIGURE_1 = _network(
    "figure-1", "Figure 1", "Section 1",
    "Natural and adversarial training both reach zero natural training error, the latter a better robust one.",
    "NOT RUN", "the data of the figure are not given; deep.train on any separable set in the plane would show it",
)  # fmt: skip
NATURAL_MODEL = _network(
    "table3-natural-model", "R*_nat = 0 %, R*_phi = 0.0", "Section 5.1",
    "A naturally trained network for '1' against '3' has natural error 0 % and hinge loss 0.0 on the test images.",
    "NOT RUN", "deep.train with the hinge, 2145 test images; minutes on one core",
)  # fmt: skip
TABLE_4_MNIST = _network(
    "table4-mnist", "Table 4, MNIST", "Section 5.2",
    "Under eq. (5) with 1/lambda from 0.1 to 5 A_rob rises from 91.09 to 95.65 % and A_nat falls from 99.41 to 99.16 "
    "%.",
    "NOT RUN", "deep.objectives with ten weights, three seeds, 50 epochs of 469 batches: an accelerator for hours",
)  # fmt: skip
TABLE_4_CIFAR = _network(
    "table4-cifar10", "Table 4, CIFAR10", "Section 5.2",
    "ResNet-18 under eq. (5) with 1/lambda from 0.1 to 5: A_rob rises from 26.53 to 50.64 %, A_nat falls from 91.31 to "
    "81.72 %.",
    "OUT OF REACH", "thirty trainings of ResNet-18 for 100 epochs with ten attack steps: accelerator-weeks",
)  # fmt: skip
LAMBDA_RANGE = _network(
    "lambda-range", "1/lambda in [1, 10]", "Section 5.2",
    "With 1/lambda in [1, 10] both robustness and accuracy are high; the method is not very sensitive to lambda.",
    "NOT RUN", "the paper's own table ends at 5; Table 4's runs with two weights more",
)  # fmt: skip
TABLE_5_RUNS = _network(
    "table5", "Table 5 and Table 8", "Section 5.3.1 and Appendix D.2",
    "WRN-34-10 trained by TRADES has 56.61 % under FGSM^20 on CIFAR10, above all other defenses, and the attacks' "
    "figures.",
    "OUT OF REACH", "100 epochs of WRN-34-10 with ten attack steps: accelerator-weeks a network",
)  # fmt: skip
TABLE_5_MNIST = _network(
    "table5-mnist", "Table 5, MNIST", "Section 5.3.1",
    "A CNN trained by TRADES with 1/lambda = 6 and eps = 0.3 has 99.48 % natural and 96.07 % robust accuracy "
    "(FGSM^40).",
    "NOT RUN", "deep.train, 100 epochs of 469 batches with 40 attack steps: an accelerator for hours",
)  # fmt: skip
TABLE_6_RUNS = _network(
    "table6", "Tables 6 and 9", "Section 5.3.2 and Appendix D.3",
    "Under black-box attacks on MNIST the TRADES network is more robust than Madry's, and a stronger source of attacks "
    "than natural networks.",
    "NOT RUN", "three networks of the MNIST setting and deep.attack with gradients of another one",
)  # fmt: skip
TABLE_7_RUNS = _network(
    "table7", "Tables 7 and 10", "Section 5.3.2 and Appendix D.3",
    "Under black-box attacks on CIFAR10 the TRADES network is more robust than Madry's.",
    "OUT OF REACH", "three trainings of WRN-34-10: accelerator-weeks",
)  # fmt: skip
CHALLENGE = _network(
    "challenge", "NeurIPS 2018 Adversarial Vision Challenge", "Section 5.4, Figure 3",
    "The method won the challenge on Tiny ImageNet, first of ~2,000 submissions.",
    "OUT OF REACH", "a past competition; only its printed figures can be checked, see trades-figure-3",
)  # fmt: skip
ACCELERATION = _network(
    "acceleration", "adversarial training is typically more than 10x slower", "Section 4",
    "Adversarial training is typically more than 10x slower than natural training; TRADES costs as much as [KGB17].",
    "NOT RUN", "timing deep.train with K = 10 and K = 0; K steps make K + 2 gradients of one",
)  # fmt: skip
INTERPRETABILITY = _network(
    "interpretability", "Figures 5 to 8", "Appendix D.5",
    "Smallest adversarial perturbations of TRADES networks are larger than Madry's and natural ones', and show "
    "features of the other class.",
    "OUT OF REACH", "a judgement of images by eye, on networks of the CIFAR10 setting and ResNet-50",
)  # fmt: skip
