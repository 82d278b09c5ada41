"""Claims of IAAT on trained networks, each with a rule fixed beforehand.

The records have the schema "tightrope.iaat/1" and are as `proofs_check.rules` describes them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from proofs_check import rules
from proofs_check.core import Evidence, claim
from proofs_check.rules import ahead, below_frontier, number, the

if TYPE_CHECKING:
    from proofs_check.rules import Rows

iaat = partial(claim, paper="IAAT", kind="network")
network = partial(rules.network, paper="IAAT", reads="tightrope.iaat/1")
GPU_HOURS = {"R50": 64 * 92, "R101": 128 * 78, "R152": 128 * 94}
"""Table 12: GPUs times hours, one run of IAAT each."""


@network(
    "iaat-figure3",
    label="Figure 3",
    place="Section 4.1",
    statement="With and without warm-up IAAT breaks through the Pareto frontier of adversarial training at eps = 1, "
    "..., 8.",
    covers="NOT RUN: `python -m deep.experiment iaat-figure3` is to train nine networks",
    reading="Rule: no mixture of two adversarial rows is as good as an IAAT row in natural and robust accuracy.",
)
def figure_3(rows: Rows) -> str:
    others = [row for row in rows if row["method"] == "adversarial"]
    found = [row for row in rows if row["method"] != "adversarial"]
    low = [row["method"] for row in found if below_frontier(row, others)]
    return f"not above the frontier: {', '.join(low)}" if low else "" if found else "there is no row of IAAT"


def trade(rows: Rows) -> str:
    """The rule of Tables 1 to 3: more natural accuracy, and at most 3 points less robust accuracy."""
    ours, base = the(rows, method="iaat"), the(rows, method="adversarial")
    if number(ours, "natural") <= number(base, "natural"):
        return f"natural accuracy {ours['natural']} is not above {base['natural']}"
    if number(ours, "robust") < number(base, "robust") - 3:
        return f"robust accuracy {ours['robust']} is more than 3 points below {base['robust']}"
    return ""


TRADE = "Rule: natural accuracy is higher, robust accuracy at most 3 points lower (the tables' largest loss is 2.80)."


@network(
    "iaat-table1",
    label="Table 1",
    place="Section 4.1",
    statement="On CIFAR-10 IAAT has more natural accuracy than adversarial training at similar robustness.",
    covers="NOT RUN: `python -m deep.experiment iaat-table1`",
    reading=TRADE,
)
def table_1(rows: Rows) -> str:
    return trade(rows)


@network(
    "iaat-table2",
    label="Table 2",
    place="Section 4.1",
    statement="On CIFAR-100 IAAT has more natural accuracy than adversarial training with a marginal drop of "
    "robustness.",
    covers="NOT RUN: `python -m deep.experiment iaat-table2`",
    reading=TRADE,
)
def table_2(rows: Rows) -> str:
    return trade(rows)


@network(
    "iaat-table3",
    label="Table 3",
    place="Section 4.1",
    statement="Under DeepFool, MIFGSM and CW40 IAAT is about as robust as adversarial training.",
    covers="NOT RUN: `python -m deep.experiment iaat-table3`",
    reading=f"{TRADE} Robust accuracy is the least over the attacks.",
)
def table_3(rows: Rows) -> str:
    return trade(rows)


@network(
    "iaat-figure4",
    label="Figure 4",
    place="Section 4.1",
    statement="Over all test eps IAAT is good: a little below eps = 2 training at small eps, above all models at "
    "large ones.",
    covers="NOT RUN: `python -m deep.experiment iaat-figure4`",
    reading="Rule: at test eps up to 2 at most 3 points below the eps = 2 model, at 4 and above below no model.",
)
def figure_4(rows: Rows) -> str:
    for row in rows:
        eps = number(row, "eps")
        ours = number(the(rows, method="iaat", eps=row["eps"]), "robust")
        if (eps <= 2 and row.get("eps_train") == 2 and ours < number(row, "robust") - 3) or (
            eps >= 4 and ours < number(row, "robust")
        ):
            return f"at test eps {row['eps']} IAAT is below {row['robust']}"
    return ""


@network(
    "iaat-figure7",
    label="Figures 7 and 8",
    place="Appendix B.1",
    statement="The average radius converges to about 11, above 8; some radii grow past 8, others fall below, and "
    "their spread increases.",
    covers="NOT RUN: `python -m deep.experiment iaat-figure7`; Table 10 allows any average up to 27 (45 for Resnet-18)",
    reading="Rule: the last average is in 8 to 14, and the standard deviation rises from first to last epoch.",
)
def figure_7(rows: Rows) -> str:
    first, last = rows[0], rows[-1]
    if not 8 < number(last, "mean") <= 14:
        return f"the last average is {last['mean']}"
    return "" if number(last, "deviation") > number(first, "deviation") else "the spread does not increase"


@network(
    "iaat-warm-up-networks",
    label="Tables 5 and 6",
    place="Section 5.1",
    statement="The warm-up improves robustness.",
    covers="NOT RUN: `python -m deep.experiment iaat-warm-up-networks`",
    reading="Rule: robust accuracy with warm-up is above that without.",
)
def warm_up_networks(rows: Rows) -> str:
    return ahead("iaat", "iaat_cold", "robust")(rows)


@network(
    "iaat-line-search-networks",
    label="Table 7, networks",
    place="Section 5.2",
    statement="Training with the full line search is marginally better than IAAT.",
    covers="NOT RUN: `python -m deep.experiment iaat-line-search-networks`",
    reading="Rule: ahead in natural accuracy.",
)
def line_search_networks(rows: Rows) -> str:
    return ahead("line_search", "iaat", "natural")(rows)


@network(
    "iaat-mixup-networks",
    label="Table 8, networks",
    place="Appendix A.1",
    statement="Mixup adversarial training is less robust than IAAT to PGD-1000.",
    covers="NOT RUN: `python -m deep.experiment iaat-mixup-networks`",
    reading="Rule: IAAT is ahead in robust accuracy.",
)
def mixup_networks(rows: Rows) -> str:
    return ahead("iaat", "mixup", "robust")(rows)


@network(
    "iaat-corruptions-networks",
    label="Section 4, corruptions",
    place="Section 4.1",
    statement="IAAT is more accurate than adversarial training under common corruptions it was not trained on.",
    covers="NOT RUN: `python -m deep.experiment iaat-corruptions-networks`",
    reading="Rule: ahead in the mean accuracy over the corruptions.",
)
def corruptions_networks(rows: Rows) -> str:
    return ahead("iaat", "adversarial", "corruption")(rows)


@iaat(
    "iaat-imagenet",
    label="Table 4 and Figure 9",
    place="Section 4.2 and Appendix C",
    statement="On Imagenet IAAT gains about 10 points of natural accuracy, loses robustness at large eps, and "
    "accuracy saturates beyond 500 attack steps.",
    expected="OUT OF REACH",
    covers="nothing; its arithmetic has entries of its own",
)
def imagenet(_budget: int) -> Evidence:
    total = sum(GPU_HOURS.values())
    return Evidence("OUT OF REACH", f"{total:,} GPU hours on V100s for IAAT's three networks alone (Table 12)")


@iaat(
    "iaat-interpretability",
    label="Figures 1, 2, 5 and 6",
    place="Sections 1 and 4.1, Appendix B",
    statement="Images with small radii are ambiguous and change class under eps >= 8, those with large radii keep "
    "theirs.",
    expected="NOT RUN",
    covers="nothing: it needs people who judge images, and no rule is fixed",
)
def interpretability(_budget: int) -> Evidence:
    return Evidence("NOT RUN", "judged by eye in the paper; there is no rule")
