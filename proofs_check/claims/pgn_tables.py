"""Claims of PGN on its experiments: the arithmetic of Tables 1 to 3, and statements about trained networks.

The records have the schema "tightrope.pgn/1" and are as `proofs_check.rules` describes them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from proofs_check import rules
from proofs_check.claims.iaat_tables import AtMost, Rounded, cells, order_margin, rounding_margin
from proofs_check.core import Evidence, claim, definition
from proofs_check.provers import every_case, given_case
from proofs_check.rules import ahead, all_of, below_frontier, number, rising, the

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proofs_check.rules import Rows

defined = partial(definition, paper="PGN")
table = partial(claim, paper="PGN", kind="arithmetic")
network = partial(rules.network, paper="PGN", reads="tightrope.pgn/1")

# ---- printed cells --------------------------------------------------------------------------------------------------

COLUMNS = (
    "FGM", "MIM", "DeepFool mean", "DeepFool median", "C&W mean", "C&W median", "FGM black box", "MIM black box",
    "DeepFool black box", "C&W black box", "benign", "seconds an epoch",
)  # fmt: skip
BENIGN, SECONDS = 10, 11
TABLE_2 = cells("""
baseline: 0.1173 0.0167 0.0994 0.0626 0.0791 0.0503 0.3843 0.2913 0.6688 0.6659 0.7002 8.18
FGM: 0.2213 0.1068 0.1669 0.1089 0.1334 0.0867 0.5211 0.5115 0.6902 0.6894 0.6993 25.1248
PGD: 0.2139 0.1000 0.1625 0.1061 0.1305 0.0851 0.5164 0.5014 0.6906 0.6880 0.7000 175.8571
PGN: 0.3906 0.3444 0.3184 0.2064 0.2617 0.1674 0.6428 0.6456 0.6958 0.6961 0.7004 51.7681
""")
TABLE_3 = cells("""
baseline: 0.2934 0.0939 0.2129 0.1844 0.1742 0.1596 0.4979 0.3633 0.8527 0.8611 0.9189 8.28
FGM: 0.6335 0.5543 0.5135 0.4502 0.4196 0.3919 0.8428 0.851 0.9119 0.9116 0.918 25.1424
PGD: 0.6259 0.5426 0.4977 0.437 0.4091 0.382 0.8369 0.8468 0.9104 0.91 0.9172 175.2541
PGN: 0.6534 0.5958 0.5102 0.4483 0.4365 0.4062 0.8501 0.8568 0.9127 0.912 0.9186 52.1851
""")
BOTH = (("Table 2", TABLE_2), ("Table 3", TABLE_3))
EPS = Fraction(1, 2)
"""The l2 radius of the FGM and MIM attacks (Table 1)."""

# ---- hyper-parameters -----------------------------------------------------------------------------------------------

TABLE_1 = defined(
    "pgn-table1",
    label="Table 1",
    place="Section 4.1",
    statement="ConvPool-CNN and an up-convolutional generator, Adam 5e-4, batch 128, 200 epochs, moving average "
    "0.998, PGD-10; attacks: FGM and MIM at eps = 0.5, MIM, DeepFool and C&W with 100 steps.",
    covers="deep.architectures has the networks, deep.objectives.PGN the game",
    reading="'Adv coefficient 1.0' is explained nowhere. c_L = 50 and eps = 0.02 | 0.1 stand above Tables 2 | 3.",
)

# ---- arithmetic -----------------------------------------------------------------------------------------------------


def ranges() -> Iterator[AtMost]:
    """White-box accuracy, black-box accuracy and benign accuracy, in this order, in every row."""
    for name, rows in BOTH:
        for method, row in rows.items():
            yield from (AtMost(f"{name}, {method}, {COLUMNS[k]}", row[k], row[k + 6]) for k in (0, 1))
            yield from (AtMost(f"{name}, {method}, {COLUMNS[k]}", row[k], row[BENIGN]) for k in range(6, 10))


@table(
    "pgn-tables-ranges",
    label="Tables 2 and 3, ranges",
    place="Section 4.4 and Appendix B",
    statement="White-box accuracy is at most black-box accuracy, which is at most benign accuracy.",
    expected="PROVED",
    covers="every row of Tables 2 and 3",
)
def tables_ranges(_budget: int) -> Evidence:
    return every_case(order_margin, ranges(), "accuracies of Tables 2 and 3")


@table(
    "pgn-table2-balanced",
    label="Table 2, benign accuracy",
    place="Section 4.4",
    statement="Benign accuracy is balanced to that of the baseline.",
    expected="PROVED",
    covers="within 0.0009 in Table 2, and within 0.0017 in Table 3",
)
def table_2_balanced(_budget: int) -> Evidence:
    cases = [
        AtMost(f"{name}, {method}", abs(row[BENIGN] - rows["baseline"][BENIGN]), Fraction(within))
        for (name, rows), within in zip(BOTH, ("0.0009", "0.0017"), strict=True)
        for method, row in rows.items()
    ]
    return every_case(order_margin, cases, "rows of Tables 2 and 3")


def ahead_of(rows: dict[str, tuple[Fraction, ...]], name: str) -> Iterator[AtMost]:
    """PGN against every other row in the ten columns of robustness."""
    for method in ("baseline", "FGM", "PGD"):
        yield from (AtMost(f"{name}, {method}, {COLUMNS[k]}", rows[method][k], rows["PGN"][k]) for k in range(10))


@table(
    "pgn-table2-outperforms",
    label="Table 2",
    place="Section 4.4",
    statement="PGN outperforms the other algorithms against all attack methods, white box and black box.",
    expected="PROVED",
    covers="all thirty comparisons of Table 2 (CIFAR-100)",
)
def table_2_outperforms(_budget: int) -> Evidence:
    return every_case(order_margin, ahead_of(TABLE_2, "Table 2"), "cells of Table 2 and PGN's")


@table(
    "pgn-table3-outperforms",
    label="Table 3",
    place="Sections 4.1 and 5, Appendix B",
    statement="The experiments with CIFAR-10 show similar results: PGN outperforms the other algorithms there too.",
    expected="AMENDED",
    covers="false for DeepFool: mean norm 0.5102 for PGN, 0.5135 for FGM training",
    reading="The abstract and Section 5 speak of various data sets and of all CIFAR data.",
    amendment="pgn-table3-outperforms-repaired",
)
def table_3_outperforms(_budget: int) -> Evidence:
    return given_case(order_margin, AtMost("DeepFool mean", TABLE_3["FGM"][2], TABLE_3["PGN"][2]))


@table(
    "pgn-table3-outperforms-repaired",
    label="Table 3, repaired",
    place="Appendix B",
    kind="repair",
    statement="On CIFAR-10 it is ahead in all columns but DeepFool's mean and median, where FGM training is.",
    expected="PROVED",
    covers="all thirty comparisons of Table 3",
    repairs="pgn-table3-outperforms",
)
def table_3_outperforms_repaired(_budget: int) -> Evidence:
    behind = ("Table 3, FGM, DeepFool mean", "Table 3, FGM, DeepFool median")
    cases = [case for case in ahead_of(TABLE_3, "Table 3") if case.what not in behind]
    cases += [AtMost(f"Table 3, {COLUMNS[k]}", TABLE_3["PGN"][k], TABLE_3["FGM"][k]) for k in (2, 3)]
    return every_case(order_margin, cases, "cells of Table 3 and PGN's")


@table(
    "pgn-table2-fgm-pgd",
    label="Table 2, FGM and PGD training",
    place="Section 4.4",
    statement="FGM and PGD training perform very similarly at the small eps of Table 2.",
    expected="UNDECIDED",
    covers="no number is printed for very similar; the largest differences are listed as evidence",
)
def table_2_fgm_pgd(_budget: int) -> Evidence:
    apart = {COLUMNS[k]: TABLE_2["FGM"][k] - TABLE_2["PGD"][k] for k in range(10)}
    worst = max(apart, key=lambda name: abs(apart[name]))
    return Evidence("UNDECIDED", f"they differ by at most {float(abs(apart[worst])):.4f} ({worst})", 10)


@table(
    "pgn-table3-fgm-pgd",
    label="Table 3, FGM and PGD training",
    place="Section 4.4 and Appendix B",
    statement="As eps increases PGD training is more robust than FGM training.",
    expected="AMENDED",
    covers="false in Table 3, whose eps = 0.1 is five times Table 2's: MIM leaves 0.5426 to PGD, 0.5543 to FGM",
    reading="Said of Figures 4 and 5 (CIFAR-100), whose points are not printed as numbers.",
    amendment="pgn-table3-fgm-pgd-repaired",
)
def table_3_fgm_pgd(_budget: int) -> Evidence:
    return given_case(order_margin, AtMost("MIM", TABLE_3["FGM"][1], TABLE_3["PGD"][1]))


@table(
    "pgn-table3-fgm-pgd-repaired",
    label="Table 3, FGM and PGD training, repaired",
    place="Appendix B",
    kind="repair",
    statement="In Table 3 FGM training is ahead of PGD training in all ten columns.",
    expected="PROVED",
    covers="CIFAR-10 at eps = 0.1",
    repairs="pgn-table3-fgm-pgd",
)
def table_3_fgm_pgd_repaired(_budget: int) -> Evidence:
    cases = [AtMost(COLUMNS[k], TABLE_3["PGD"][k], TABLE_3["FGM"][k]) for k in range(10)]
    return every_case(order_margin, cases, "columns of Table 3")


@table(
    "pgn-training-time",
    label="Tables 2 and 3, training time",
    place="Section 4.4",
    statement="PGN is slower than FGM training and faster than PGD training.",
    expected="PROVED",
    covers="2.06 and 2.08 times FGM's seconds an epoch; PGD's are 3.40 and 3.36 times PGN's",
)
def training_time(_budget: int) -> Evidence:
    seconds = [{method: row[SECONDS] for method, row in rows.items()} for _, rows in BOTH]
    cases = [
        Rounded("ratio", s[slow] / s[fast], Fraction(printed))
        for slow, fast, ratios in (("PGN", "FGM", ("2.06", "2.08")), ("PGD", "PGN", ("3.40", "3.36")))
        for s, printed in zip(seconds, ratios, strict=True)
    ]
    return every_case(rounding_margin, cases, "ratios of Tables 2 and 3")


@table(
    "pgn-deepfool",
    label="Tables 2 and 3, DeepFool and C&W",
    place="Section 4.4",
    statement="DeepFool and C&W find the adversarial examples of lowest l2 norm.",
    expected="AMENDED",
    covers="false of DeepFool: against PGN in Table 2 its norms have the mean 0.3184, C&W's 0.2617",
    amendment="pgn-deepfool-repaired",
)
def deepfool(_budget: int) -> Evidence:
    row = TABLE_2["PGN"]
    return given_case(order_margin, AtMost("Table 2, PGN", row[2], row[4]))


@table(
    "pgn-deepfool-repaired",
    label="Tables 2 and 3, DeepFool and C&W, repaired",
    place="Section 4.4",
    kind="repair",
    statement="C&W's mean and median norms are below DeepFool's in every row; both are upper bounds of the least norm.",
    expected="PROVED",
    covers="the rows of Tables 2 and 3",
    repairs="pgn-deepfool",
)
def deepfool_repaired(_budget: int) -> Evidence:
    cases = (
        AtMost(f"{name}, {method}", row[k + 2], row[k])
        for name, rows in BOTH
        for method, row in rows.items()
        for k in (2, 3)
    )
    return every_case(order_margin, cases, "rows of Tables 2 and 3")


def strongest(name: str, rows: dict[str, tuple[Fraction, ...]], method: str) -> AtMost:
    """Accuracy under MIM at eps = 1/2, and what C&W's median leaves of it.

    Half of the examples that are right are fooled by C&W with a norm of at most the median. If that is at most 1/2, at
    most the other half can be right under a best attack of norm 1/2.
    """
    row = rows[method]
    bound = row[BENIGN] / 2 if row[5] <= EPS else row[BENIGN]
    return AtMost(f"{name}, {method}", row[1], bound)


@table(
    "pgn-table3-mim",
    label="Table 3, MIM and C&W",
    place="Section 4.4 and Appendix B",
    statement="FGM and MIM find the examples that maximise the loss at a fixed norm, so the accuracy they leave says "
    "how robust the network is.",
    expected="AMENDED",
    covers="false in Table 3: MIM at norm 0.5 leaves 0.5958 to PGN, C&W with median norm 0.4062 at most 0.9186/2",
    reading="rho and the median are over the examples that were right (as eq (6) is read), all of which C&W fools.",
    amendment="pgn-table3-mim-repaired",
)
def table_3_mim(_budget: int) -> Evidence:
    return given_case(order_margin, strongest("Table 3", TABLE_3, "PGN"))


@table(
    "pgn-table3-mim-repaired",
    label="Table 3, MIM and C&W, repaired",
    place="Section 4.4 and Appendix B",
    kind="repair",
    statement="In Table 3 accuracy under MIM is above the 1/2 of benign accuracy that C&W's median allows for all "
    "three trained networks; in Table 2, and for the baselines, it is not.",
    expected="PROVED",
    covers="the rows of Tables 2 and 3",
    repairs="pgn-table3-mim",
)
def table_3_mim_repaired(_budget: int) -> Evidence:
    trained = [strongest("Table 3", TABLE_3, method) for method in ("FGM", "PGD", "PGN")]
    others = [strongest("Table 2", TABLE_2, method) for method in TABLE_2] + [strongest("Table 3", TABLE_3, "baseline")]
    cases = others + [AtMost(case.what, case.upper + Fraction(1, 10_000), case.lower) for case in trained]
    return every_case(order_margin, cases, "rows of Tables 2 and 3")


# ---- networks -------------------------------------------------------------------------------------------------------


@network(
    "pgn-table2-networks",
    label="Tables 2 and 3, networks",
    place="Section 4.4 and Appendix B",
    statement="At equal benign accuracy PGN is more robust than FGM and PGD training.",
    covers="NOT RUN: `python -m deep.experiment pgn-table2-networks`",
    reading="Rule: benign accuracies within 0.01 of each other, and a greater mean norm under C&W than both.",
)
def table_2_networks(rows: Rows) -> str:
    def balanced(rows: Rows) -> str:
        benign = [number(row, "natural") for row in rows]
        return "" if max(benign) - min(benign) <= Fraction(1, 100) else "benign accuracies are more than 0.01 apart"

    return all_of(balanced, ahead("pgn", "fgm", "rho"), ahead("pgn", "pgd", "rho"))(rows)


@network(
    "pgn-figure2",
    label="Figure 2",
    place="Sections 3.2 and 4.2",
    statement="A larger eps of FGM training gives more robustness to C&W and less benign accuracy; during training "
    "benign accuracy rises and robustness falls.",
    covers="NOT RUN: `python -m deep.experiment pgn-figure2`",
    reading="Rule: from the least to the greatest eps rho rises and benign accuracy falls.",
)
def figure_2(rows: Rows) -> str:
    return all_of(rising("rho", "eps"), rising("natural", "eps", falls=True))(rows)


@network(
    "pgn-figure3",
    label="Figure 3",
    place="Section 4.3",
    statement="At equal mean norm a fully trained generator is a stronger attack than FGM and PGD.",
    covers="NOT RUN: `python -m deep.experiment pgn-figure3`",
    reading="Rule: at every mean norm the accuracy left is below that of both.",
)
def figure_3(rows: Rows) -> str:
    for row in rows:
        ours = the(rows, method="pgn", norm=row["norm"])
        if row["method"] != "pgn" and number(ours, "robust") >= number(row, "robust"):
            return f"at norm {row['norm']} PGN leaves {ours['robust']}, {row['method']} {row['robust']}"
    return ""


def frontier(rows: Rows) -> str:
    """The rule of the robustness curve: no mixture of two rows of another method is as good as a row of PGN."""
    both = [{**row, "robust": row["rho"]} for row in rows]
    for method in sorted({row["method"] for row in rows} - {"pgn"}):
        others = [row for row in both if row["method"] == method]
        low = [row["natural"] for row in both if row["method"] == "pgn" and below_frontier(row, others)]
        if low:
            return f"{method} reaches PGN's rows of benign accuracy {', '.join(map(str, low))}"
    return "" if any(row["method"] == "pgn" for row in rows) else "there is no row of PGN"


@network(
    "pgn-figure5",
    label="Figures 4, 5 and 7",
    place="Sections 4.4 and 4.5, Appendix B",
    statement="PGN's robustness curve lies outside of those of FGM and PGD training.",
    covers="NOT RUN: `python -m deep.experiment pgn-figure5`",
    reading="Rule: no mixture of two rows of another method is as good as a row of PGN in benign accuracy and rho.",
)
def figure_5(rows: Rows) -> str:
    return frontier(rows)


@network(
    "pgn-cost-networks",
    label="Figure 5, c_L",
    place="Section 4.5",
    statement="A lower c_L gives a larger rho and less benign accuracy.",
    covers="NOT RUN: `python -m deep.experiment pgn-cost-networks`",
    reading="Rule: from the least to the greatest c_L rho falls and benign accuracy rises.",
)
def cost_networks(rows: Rows) -> str:
    return all_of(rising("rho", "cost", falls=True), rising("natural", "cost"))(rows)


@network(
    "pgn-capacity-networks",
    label="Figure 5, capacity",
    place="Section 4.5",
    statement="With more filters the robustness curve moves outwards: the classifier underfits.",
    covers="NOT RUN: `python -m deep.experiment pgn-capacity-networks`",
    reading="Rule: at one c_L rho and benign accuracy are greater with most filters than with fewest.",
)
def capacity_networks(rows: Rows) -> str:
    return all_of(rising("rho", "filters"), rising("natural", "filters"))(rows)


@network(
    "pgn-figure8",
    label="Figure 8",
    place="Appendix D",
    statement="Of the generator's inputs the gradient matters most for robustness.",
    covers="NOT RUN: `python -m deep.experiment pgn-figure8`",
    reading="Rule: rho without the gradient is below that without the image and that without the label.",
)
def figure_8(rows: Rows) -> str:
    return all_of(ahead("no_image", "no_gradient", "rho"), ahead("no_label", "no_gradient", "rho"))(rows)


@network(
    "pgn-overfitting",
    label="Section 3.2, overfitting",
    place="Section 3.2",
    statement="FGM training overfits to FGM at small eps by CASE 1, at large eps by CASE 2; PGN cannot easily.",
    covers="NOT RUN: `python -m deep.experiment pgn-overfitting`",
    reading="Rule: between accuracy under FGM and under C&W at the same norm there is a greater gap for FGM training.",
)
def overfitting(rows: Rows) -> str:
    return ahead("fgm", "pgn", "gap")(rows)


@claim(
    "pgn-table4",
    paper="PGN",
    label="Table 4",
    place="Appendix C",
    kind="network",
    statement="Adversarial examples of norm 0.1, 1.0 and 2.5 from a fully trained generator change the label.",
    expected="NOT RUN",
    covers="nothing: single images are shown, and no rate is claimed",
)
def table_4(_budget: int) -> Evidence:
    return Evidence("NOT RUN", "examples by eye; there is no rule")
