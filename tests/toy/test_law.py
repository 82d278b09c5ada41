"""toy.law and its files: against the examples, brute force over points, sums over fine grids; and every bad file."""

from __future__ import annotations

import io
import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import Enclosure
from toy import cheese, law, lawfile

F = Fraction
HOLES = [[[str(a), str(b)] for a, b in (x, y)] for x in cheese.COLUMNS for y in cheese.COLUMNS]
CHEESE: dict[str, Any] = {
    "schema": "tightrope.law/1",
    "title": "cheese",
    "domain": [[0, 1], [0, 1]],
    "boxes": [
        {"box": [[0, "1/2"], [0, 1]], "mass": {"-1": "9/20"}},
        {"box": [["1/2", 1], [0, 1]], "mass": {"+1": "11/20"}},
    ],
    "restriction": HOLES,
}


def parse(content: dict[str, Any]) -> lawfile.LawFile:
    return lawfile.parse(json.dumps(content))


def risks(shown: Any, eps: Fraction, name: str = "true") -> dict[str, dict[str, Any]]:
    return {
        f: {risk: None if value is None else value.fraction for risk, value in row.items()}
        for f, row in shown.risks(name, eps).items()
    }


# -- against the examples ---


@pytest.mark.parametrize("eps", ["1/20", "1/10", "19/108", "1/3"])
def test_the_cheese_as_a_file_is_the_cheese(eps: str) -> None:
    assert law.example(parse(CHEESE)).table([F(eps)]) == cheese.example().table([F(eps)])


def test_outside_the_domain_the_bayes_rule_needs_to_be_told() -> None:
    shown = law.example(parse(CHEESE), leave_domain=True)
    assert [row["classifier"] for row in shown.table([F(1, 10)]).rows] == ["robust_optimum"] * 2
    found = risks(law.example(parse({**CHEESE, "ties": "+1"}), leave_domain=True), F(1, 10))
    assert found["bayes"]["robust_risk"] == F(11, 20) * F(1, 5) + F(9, 20) * (1 - F(3, 10) * F(8, 10) * 2)
    assert found["robust_optimum"] == risks(cheese.example(leave_domain=True), F(1, 10))["robust_optimum"] | {
        "sensible_risk": found["robust_optimum"]["sensible_risk"]
    }


def test_its_curves_are_the_cheeses_and_start_at_a_sixteenth_of_its_side() -> None:
    mine = law.example(parse(CHEESE), ["bayes", "worst_robust"], hi=F(1, 9)).curves("true")
    theirs = cheese.example().curves("true", F(1, 16), F(1, 9))
    assert set(mine) == {(name, risk) for name, risk in theirs if name in ("bayes", "worst_robust")}
    assert all(theirs[key] == curve for key, curve in mine.items())


# -- points, by brute force ---


def distance(a: tuple[Fraction, ...], b: tuple[Fraction, ...], ord: float) -> Fraction:
    """Squared under l2."""
    gaps = [abs(x - y) for x, y in zip(a, b, strict=True)]
    return max(gaps) if ord == np.inf else sum(gaps, F(0)) if ord == 1 else sum((g * g for g in gaps), F(0))


def brute(content: dict[str, Any], predict: Any, eps: Fraction, ord: float, rule: Any) -> dict[str, Fraction]:
    """The four risks from their definitions, word for word; a prediction of 0 is always wrong."""
    points = [tuple(F(x) for x in entry["point"]) for entry in content["points"]]
    found = dict.fromkeys(("standard_risk", "boundary_risk", "robust_risk", "sensible_risk"), F(0))
    radius = eps * eps if ord == 2 else eps
    for x, entry in zip(points, content["points"], strict=True):
        ball = [z for z in points if distance(x, z, ord) <= radius]
        for label, mass in entry["mass"].items():
            y, m = int(label), F(mass)
            wrong, broken = predict(x) != y, any(predict(z) != y for z in ball)
            found["standard_risk"] += m * wrong
            found["robust_risk"] += m * broken
            found["boundary_risk"] += m * (broken and not wrong)
            sensible = any(predict(z) != y for z in ball if rule(z) == y) if rule(x) == y else wrong
            found["sensible_risk"] += m * sensible
    return found


@st.composite
def point_files(draw: st.DrawFn, labels: tuple[int, ...]) -> dict[str, Any]:
    places = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=7, unique=True))
    weights = [[draw(st.integers(0, 4)) for _ in labels] for _ in places]
    weights[0] = [w + 1 for w in weights[0]]  # every label occurs
    total = sum(map(sum, weights))
    points = [
        {"point": [f"{x}/2", y], "mass": {str(y): f"{w}/{total}" for y, w in zip(labels, row, strict=True) if w}}
        for (x, y), row in zip(places, weights, strict=True)
    ]
    return {"schema": "tightrope.law/1", "points": points, "ties": draw(st.sampled_from(labels))}


def argmax(content: dict[str, Any], labels: tuple[int, ...], x: tuple[Fraction, ...]) -> int:
    """The most likely label, the tie label among several."""
    entry = next(e for e in content["points"] if tuple(F(c) for c in e["point"]) == x)
    masses = {label: F(entry["mass"].get(str(label), 0)) for label in labels}
    best = [label for label in labels if masses[label] == max(masses.values())]
    return content["ties"] if content["ties"] in best else best[0]


@given(point_files((-1, 1)), st.data())
@settings(max_examples=40)
def test_the_risks_of_atoms_are_their_definitions(content: dict[str, Any], data: Any) -> None:
    points = [tuple(F(x) for x in entry["point"]) for entry in content["points"]]
    weights = data.draw(st.tuples(st.integers(-2, 2), st.integers(-2, 2)).filter(any))
    offset = F(data.draw(st.integers(-8, 8)), 2)
    chosen = data.draw(st.sets(st.sampled_from(points)))
    content = {
        **content,
        "classifiers": {
            "linear": {"halfspace": {"weights": list(weights), "offset": str(offset)}},
            "chosen": {"points": [[str(x) for x in point] for point in chosen]},
            "always": {"constant": "+1"},
            "both": {"regions": {"+1": {"points": [[str(x) for x in p] for p in chosen]}, "-1": {"points": []}}},
        },
    }
    ord, eps = data.draw(st.sampled_from([1, 2, np.inf])), F(data.draw(st.integers(0, 6)), 2)

    def rule(x: tuple[Fraction, ...]) -> int:
        return argmax(content, (-1, 1), x)

    predictions = {
        "bayes": rule,
        "linear": lambda x: int(np.sign(sum((w * c for w, c in zip(weights, x, strict=True)), offset))),
        "chosen": lambda x: 1 if x in chosen else -1,
        "always": lambda _: 1,
        "both": lambda x: 1 if x in chosen else 0,
    }
    found = risks(law.example(parse(content), ord=ord), eps)
    assert found == {name: brute(content, f, eps, ord, rule) for name, f in predictions.items()}


@given(point_files((0, 1, 2)), st.data())
@settings(max_examples=40)
def test_with_three_labels_too(content: dict[str, Any], data: Any) -> None:
    points = [tuple(F(x) for x in entry["point"]) for entry in content["points"]]
    answer = {point: data.draw(st.sampled_from((0, 1, 2))) for point in points}
    rest = data.draw(st.sampled_from((0, 1, 2)))
    events = {y: {"points": [[str(c) for c in x] for x in points if answer[x] == y]} for y in (0, 1, 2)}
    regions = {str(y): "rest" if y == rest else event for y, event in events.items()}
    content = {**content, "classifiers": {"mine": {"regions": regions}}}
    eps = F(data.draw(st.integers(0, 6)), 2)

    def rule(x: tuple[Fraction, ...]) -> int:
        return argmax(content, (0, 1, 2), x)

    found = risks(law.example(parse(content), ["mine"]), eps)
    assert found["mine"] == brute(content, answer.__getitem__, eps, np.inf, rule)


# -- boxes ---

CORNER: dict[str, Any] = {
    "schema": "tightrope.law/1",
    "domain": [[0, 1], [0, 1]],
    "boxes": [
        {"box": [[0, "1/2"], [0, 1]], "mass": {"-1": "3/10"}},
        {"box": [["1/2", 1], [0, "1/2"]], "mass": {"-1": "1/5"}},
        {"box": [["1/2", 1], ["1/2", 1]], "mass": {"+1": "1/2"}},
    ],
    "classifiers": {
        "corner": {"boxes": [[["2/5", None], ["2/5", "inf"]]]},
        "linear": {"halfspace": {"weights": [1, 1], "offset": "-5/4"}},
        "upright": {"halfspace": {"weights": [0, 3], "offset": -1}},
    },
}


@pytest.mark.parametrize("k", [1, 4])
def test_a_slanted_half_space_is_measured_exactly_and_its_sensible_risk_enclosed(k: int) -> None:
    """Against sums over a grid of 40 x 40: the worst point of a ball is that of a corner, so cells can be bounded."""
    n, eps = 40, F(k, 40)
    shown = law.example(parse(CORNER), ["linear"])
    row = shown.risks("true", eps)["linear"]

    def plus(x: Fraction, y: Fraction) -> bool:
        return x > F(1, 2) and y > F(1, 2)

    def cost(cell: tuple[int, int], outer: bool) -> dict[str, Fraction]:
        """The mass of a cell if it errs for sure (or, outer, if it may err), for each risk."""
        low, high = ([F(c + up, n) for c in cell] for up in (0, 1))
        if plus(*((a + b) / 2 for a, b in zip(low, high, strict=True))):
            mass, corner, sign = F(1, 2) * 4 / n**2, low if outer else high, -1
        else:
            mass = (F(3, 10) * 2 if cell[0] < n // 2 else F(1, 5) * 4) / n**2
            corner, sign = high if outer else low, 1

        def score(step: Fraction, lo: Fraction) -> Fraction:
            return sum((min(max(c + sign * step, lo), F(1)) for c in corner), -F(5, 4))

        found = {"standard_risk": score(F(0), F(0)), "robust_risk": score(eps, F(0))}
        if sign < 0:  # class +1 stays in the corner
            found["sensible_risk"] = score(eps, F(1, 2))
        else:  # class -1 stays out of it: one coordinate ends at 1/2
            x, y = corner
            ways = [(min(x + eps, F(1, 2)), min(y + eps, F(1))), (min(x + eps, F(1)), min(y + eps, F(1, 2)))]
            allowed = [w for w, start in zip(ways, (x, y), strict=True) if start - eps <= F(1, 2)]
            found["sensible_risk"] = max(a + b for a, b in allowed) - F(5, 4)
        return {risk: mass * (sign * value > 0) for risk, value in found.items()}

    sums = [
        {risk: sum(each[risk] for each in cells) for risk in ("standard_risk", "robust_risk", "sensible_risk")}
        for cells in ([cost(c, outer) for c in itertools.product(range(n), repeat=2)] for outer in (False, True))
    ]
    for risk in ("standard_risk", "robust_risk", "sensible_risk"):
        rough = Enclosure(sums[0][risk], sums[1][risk])
        assert rough.width < F(1, 8)
        assert rough.overlaps(row[risk])
    assert row["standard_risk"].is_exact
    assert row["robust_risk"].is_exact
    assert 0 < row["sensible_risk"].width < F(1, 20)


def test_in_curves_the_sensible_risk_of_a_slanted_half_space_is_left_out() -> None:
    shown = law.example(parse(CORNER), ["linear", "corner", "upright"], exact=True)
    found = shown.curves("true")
    assert ("linear", "sensible_risk") not in found
    assert ("upright", "sensible_risk") in found
    for eps in (F(1, 30), F(1, 8), F(2, 7), F(5, 8)):
        table = shown.risks("true", eps)
        assert all(curve(eps) == table[name][risk].fraction for (name, risk), curve in found.items())


def test_an_axis_parallel_half_space_is_the_boxes_it_is() -> None:
    content = {**CORNER, "classifiers": {
        "half": {"halfspace": {"weights": [0, "3/2"], "offset": "-1/2"}},
        "boxes": {"boxes": [[[None, None], ["1/3", None]]]},
    }}  # fmt: skip
    file = parse(content)
    assert file.classifiers["half"] == file.classifiers["boxes"]


def test_regions_for_many_labels_may_leave_a_gap_that_always_errs() -> None:
    content = {
        "schema": "tightrope.law/1",
        "domain": [[0, 3]],
        "boxes": [{"box": [[k, k + 1]], "mass": {str(k): "1/3"}} for k in range(3)],
        "classifiers": {
            "gap": {"regions": {"0": {"boxes": [[[None, 1]]]}, "1": {"boxes": [[["5/4", 2]]]},
                                "2": {"halfspace": {"weights": [4], "offset": -8}}}},
            "rest": {"regions": {"0": {"boxes": [[[None, 1]]]}, "2": {"boxes": [[[2, None]]]}, "1": "rest"}},
            "zero": {"constant": 0},
        },
    }  # fmt: skip
    found = risks(law.example(parse(content)), F(1, 10))
    assert [found["gap"][risk] for risk in found["gap"]] == [F(1, 12), F(2, 15), F(13, 60), F(7, 60)]
    assert found["rest"] == found["bayes"]
    assert found["zero"]["robust_risk"] == F(2, 3)


def test_where_labels_tie_bayes_and_the_sensible_risk_are_left_out_until_the_file_decides() -> None:
    content = {
        "schema": "tightrope.law/1",
        "boxes": [{"box": [[0, 1]], "mass": {"-1": "1/2"}}, {"box": [[2, 3]], "mass": {"+1": "1/2"}}],
        "classifiers": {"always": {"constant": "+1"}},
    }
    table = law.example(parse(content)).table([F(1, 10)])
    assert [row["classifier"] for row in table.rows] == ["always", "robust_optimum"]
    assert all(row["sensible_risk"] is None for row in table.rows)
    assert "add the key ties" in table.notes[0]
    table = law.example(parse({**content, "ties": "+1"})).table([F(1, 10)])
    assert [row["classifier"] for row in table.rows] == ["bayes", "always", "robust_optimum"]
    assert table.rows[0]["robust_risk"] == F(1, 10)  # the rule says +1 between the boxes, next to the left one: 2 sides
    assert table.notes == ()


def test_worst_members_are_shown_only_where_they_are_what_they_say() -> None:
    def names(content: dict[str, Any], **options: Any) -> set[str]:
        return set(law.example(parse(content), **options).classifiers("true", F(1, 10)))

    worst = {"worst_natural", "worst_robust", "worst_sensible"}
    assert names(CHEESE) == {"bayes", "robust_optimum", *worst}
    assert names(CHEESE, ord=2) == {"bayes"}
    assert not worst & names({key: value for key, value in CHEESE.items() if key != "restriction"})
    noisy = [{**CHEESE["boxes"][0], "mass": {"-1": "8/20", "+1": "1/20"}}, CHEESE["boxes"][1]]
    assert names({**CHEESE, "boxes": noisy}) == {"bayes", "robust_optimum"}
    assert names({**CHEESE, "domain": [[0, 2], [0, 1]], "ties": 1}) == {"bayes", "robust_optimum"}


def test_classifiers_are_chosen_by_name_in_that_order() -> None:
    table = law.example(parse(CORNER), ["upright", "bayes"]).table([F(1, 10)])
    assert [row["classifier"] for row in table.rows] == ["upright", "bayes"]
    with pytest.raises(ValueError, match="classifier 'liner' is unknown; did you mean 'linear'"):
        law.example(parse(CORNER), ["liner"])
    with pytest.raises(ValueError, match="allowed are bayes, corner, linear, upright, robust_optimum"):
        law.example(parse(CORNER), ["zzz"])
    with pytest.raises(ValueError, match="'bayes' of the file is called like a built-in one"):
        law.example(parse({**CORNER, "classifiers": {"bayes": {"constant": 1}}}))


# -- bad files ---

LINE: dict[str, Any] = {
    "schema": "tightrope.law/1",
    "boxes": [{"box": [[0, 1]], "mass": {"-1": "1/2"}}, {"box": [[1, 2]], "mass": {"+1": "1/2"}}],
}
ATOMS: dict[str, Any] = {
    "schema": "tightrope.law/1",
    "points": [{"point": [0], "mass": {"1": "1/2"}}, {"point": [1], "mass": {"-1": "1/2"}}],
}


def boxes(*pairs: Any) -> dict[str, Any]:
    return {"schema": "tightrope.law/1", "boxes": [{"box": box, "mass": mass} for box, mass in pairs]}


def mine(classifier: Any, base: dict[str, Any] = LINE) -> dict[str, Any]:
    return {**base, "classifiers": {"mine": classifier}}


BAD: list[tuple[Any, str]] = [
    ([], "the text is a list; allowed is an object"),
    ({}, "the text lacks the key 'schema'"),
    ({"schema": "tightrope.law/2"}, "schema 'tightrope.law/2' is unknown; allowed is 'tightrope.law/1'"),
    ({"schema": "tightrope.law/1"},
     "the text needs either boxes or points, one of the two: they are what the law is made of"),
    ({**LINE, **ATOMS}, "the text needs either boxes or points, one of the two: they are what the law is made of"),
    ({**LINE, "boxs": []}, "the text: key 'boxs' is unknown; did you mean 'boxes'?"),
    ({**LINE, "zzz": []},
     ("the text: key 'zzz' is unknown; allowed are schema, title, boxes, points, domain, "
      "restriction, ties, classifiers, scores")),
    ({**LINE, "boxes": []}, "boxes and domain have the dimensions []; allowed is one for all, and a box"),
    ({**LINE, "boxes": {}}, "boxes is an object; allowed is a list"),
    ({**LINE, "boxes": [{"box": [[0, 1]]}]}, "boxes[0] lacks the key 'mass'"),
    ({**LINE, "boxes": [{"box": [[0, 1]], "mass": {}, "mas": 1}]},
     "boxes[0]: key 'mas' is unknown; did you mean 'mass'?"),
    ({**LINE, "domain": [[0, 2], [0, 1]]},
     "boxes and domain have the dimensions [1, 2]; allowed is one for all, and a box"),
    ({**LINE, "domain": [[0, "3/2"]]}, "boxes: label 1 has mass outside the domain Boxes([(0, 3/2)], dim=1)"),
    ({**LINE, "ties": 3}, "ties has the label 3, which is none of the law's; these are [-1, 1]"),
    ({**LINE, "ties": [3]}, "ties has the label [3]; a label is a whole number such as -1, +1 or 2"),
    ({**LINE, "ties": True}, "ties has the label True; a label is a whole number such as -1, +1 or 2"),
    ({**LINE, "title": 3}, "title 3 is no text"),
    ({**LINE, "restriction": [[[5, 6]]]},
     "restriction: Boxes([(5, 6)], dim=1) has mass 0, so the law cannot be restricted to it"),
    ({**LINE, "restriction": [[[0, 1], [0, 1]]]}, "restriction[0] has 2 sides in a law of dimension 1"),
    (boxes(([[0, 1]], {"-1": "1/2"}), ([["1/2", 2]], {"-1": "1/4", "1": "1/4"})),
     "boxes: Boxes([(1/2, 2)], dim=1) overlaps an earlier box of the same label; boxes of one label are disjoint"),
    (boxes(([[0, 1]], {"-1": "1/2", "1": "1/4"})), "boxes: the masses of all labels sum to 3/4; they must sum to 1"),
    (boxes(([[0, 1]], {"-1": "-1/2"})), "boxes[0].mass gives the label -1 the mass -1/2; a mass is at least 0"),
    (boxes(([[1, 1]], {"-1": "1/2"})),
     "boxes[0].box: side (1, 1) of a box is empty; its low end must lie below its high end"),
    (boxes(([[0, None]], {"-1": "1/2"})), "boxes[0].box is unbounded, and mass cannot be spread evenly over it"),
    (boxes(([[0, 1]], {"x": "1/2"})), "boxes[0].mass has the label 'x'; a label is a whole number such as -1, +1 or 2"),
    (boxes(([[0, 1]], {"+1": "1/2", "1": "1/2"})), "boxes[0].mass names the label 1 twice; allowed is once"),
    (boxes(([[0, 1]], {"1": 1})), "boxes: labels [1] are too few; a law needs at least two"),
    (boxes(([[0, 1]], {"1": "1/0"})), "boxes[0].mass.1 '1/0' is not a number; write it like 0.1, 8/255 or 1e-3"),
    (boxes(([[0, 1]], {"1": "nan"})), "boxes[0].mass.1 'nan' is not a number; write it like 0.1, 8/255 or 1e-3"),
    (boxes(([[0, 1]], {"1": None})), "boxes[0].mass.1 is null; allowed are texts like '0.1' and '8/255', and integers"),
    (mine({"boxs": []}), "classifiers.mine: key 'boxs' is unknown; did you mean 'boxes'?"),
    (mine({}),
     "classifiers.mine has the keys []; allowed is exactly one of boxes, points, halfspace, constant, regions"),
    (mine("boxes"), "classifiers.mine is the text 'boxes'; allowed is an object"),
    (mine({"points": []}), "classifiers.mine has points, which have no mass under a law on boxes; use boxes"),
    (mine({"constant": 2}), "classifiers.mine has the label 2, which is none of the law's; these are [-1, 1]"),
    (mine({"boxes": [[[1, 0]]]}),
     "classifiers.mine.boxes[0]: side (1, 0) of a box is empty; its low end must lie below its high end"),
    (mine({"boxes": [[[0, 0, 1]]]}), "classifiers.mine.boxes[0][0] has 3 ends; allowed are two, [low, high]"),
    (mine({"boxes": [[["inf", 0]]]}),
     "classifiers.mine.boxes[0][0] 'inf' is not a number; write it like 0.1, 8/255 or 1e-3"),
    (mine({"boxes": [[[True, None]]]}),
     "classifiers.mine.boxes[0][0] is true; allowed are texts like '0.1' and '8/255', and integers"),
    (mine({"halfspace": {"weights": [1, 2], "offset": 0}}),
     "classifiers.mine.halfspace.weights are 2 numbers in a law of dimension 1"),
    (mine({"halfspace": {"weights": [0], "offset": 0}}),
     "classifiers.mine.halfspace.weights are all 0, which makes no half-space; use constant"),
    (mine({"halfspace": {"weights": [1]}}), "classifiers.mine.halfspace lacks the key 'offset'"),
    (mine({"regions": {"-1": "rest"}}),
     "classifiers.mine.regions says nothing of label 1; give it an event, [] boxes or 'rest'"),
    (mine({"regions": {"-1": "rest", "1": "rest"}}),
     "classifiers.mine.regions gives the rest to the labels [-1, 1]; allowed is one of them"),
    (mine({"regions": {"-1": {"boxes": [[[0, 1]]]}, "1": {"boxes": [[[0, 2]]]}}}),
     "classifiers.mine.regions.1: the region overlaps an earlier one; a point has one label"),
    (mine({"regions": {"-1": {"boxes": []}, "2": "rest"}}),
     "classifiers.mine.regions has the label 2, which is none of the law's; these are [-1, 1]"),
    (mine({"points": [[3]]}, ATOMS), "classifiers.mine.points[0] (3) is none of the law's points"),
    (mine({"boxes": [[[0, 1]]]}, ATOMS),
     "classifiers.mine has boxes, which do not tell on which side of a face an atom lies; use points"),
    ({**ATOMS, "restriction": []}, "restriction goes with boxes; leave out the points that are not to count"),
    ({**ATOMS, "domain": [[0, 1]]}, "domain goes with boxes; among points the adversary moves from point to point"),
    ({**ATOMS, "points": ATOMS["points"][:1] * 2}, "points: point (0) occurs twice; a space lists each point once"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_told_in_one_sentence(content: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        law.example(parse(content))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "the text is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("", "the text is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"a": 0.5}', '0.5 is a JSON float, which is not the decimal it looks like; write it as a text, "0.5"'),
        ('{"a": 1e-3}', '1e-3 is a JSON float, which is not the decimal it looks like; write it as a text, "1e-3"'),
        ('{"a": NaN}', 'NaN is no number here; write it like "0.1" or "8/255", and null for an unbounded side'),
        ('{"a": -Infinity}', '-Infinity is no number here; write it like "0.1" or "8/255", and null for an unbounded side'),  # noqa: E501
        ('{"a": 1, "a": 2}', "the key 'a' stands twice in one object; allowed is once"),
        ('{"a": ' + "9" * 5000 + "}", "the integer 9999999999... has 5000 digits; allowed are 1000"),
    ],
)
def test_a_text_that_is_no_proper_json_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        lawfile.parse(text)
    assert str(caught.value) == sentence


def test_nesting_without_end_is_no_json() -> None:
    with pytest.raises(ValueError, match="the text is no JSON: maximum recursion depth"):
        lawfile.parse("[" * 100_000)


def test_a_file_that_is_no_text_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "law.json"
    path.write_bytes(b"\x80{}")
    with pytest.raises(ValueError, match=r"law\.json is no UTF-8 text: invalid start byte at byte 0"):
        lawfile.read(str(path))


def test_a_byte_order_mark_and_stdin_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + json.dumps(LINE).encode()))
    monkeypatch.setattr("sys.stdin", stream)
    assert lawfile.read("-").law.prior(-1) == F(1, 2)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ValueError, match="stdin is closed; name a file"):
        lawfile.read("-")


def test_numbers_may_be_texts_or_integers() -> None:
    plain = boxes(([[0, "1"]], {"-1": "0.5"}), ([["1e0", "2/1"]], {"1": "+1/2"}))
    assert law.example(parse(plain)).table([F(1, 3)]) == law.example(parse(LINE)).table([F(1, 3)])
