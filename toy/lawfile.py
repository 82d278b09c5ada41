"""A law and its classifiers from a JSON file, every mistake in it told in one sentence.

The file is an object with the keys

    schema        "tightrope.law/1"
    title         a line to print above tables (optional)
    boxes         [{"box": [[low, high], ...], "mass": {label: mass, ...}}, ...]: mass spread evenly over each box
      or points   [{"point": [x, ...], "mass": {label: mass, ...}}, ...]: atoms; the adversary moves among the points
    domain        a box that the adversary stays in (optional, for boxes; default: all of space)
    restriction   [box, ...]: also look at the law given that X lies in their union (optional, for boxes)
    ties          the label of the Bayes rule where labels tie (optional)
    classifiers   {name: classifier, ...}
    scores        {name: [{"value": v, "boxes": [box, ...]}, ...], ...}: real-valued classifiers for --bound, with the
                  value v there ("points" or "halfspace" as for classifiers) and 0 elsewhere (optional)

A label is a whole number, as text; masses over all boxes (or points) and labels sum to one. A number is a text such as
"0.1", "8/255" or "1e-3", or a JSON integer; null, "inf" and "-inf" are unbounded sides. A classifier is one of

    {"boxes": [box, ...]}                              +1 there, -1 elsewhere
    {"points": [[x, ...], ...]}                        the same, for a law on points
    {"halfspace": {"weights": [w, ...], "offset": b}}  the score w.x + b: +1 where positive, -1 where negative; 0 errs
    {"constant": label}                                that label everywhere
    {"regions": {label: event, ...}}                   a label each on disjoint events, for any labels; an event is
                                                       written as above ({w.x + b > 0} for a half-space), or "rest"
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from theory import BoxDistribution, Boxes, FiniteDistribution, FiniteSpace, Points, RegionClassifier, constant
from theory.numbers import as_fraction
from theory.scores import Score

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from fractions import Fraction

    from theory.boxes import Side

SCHEMA = "tightrope.law/1"
KEYS = ("schema", "title", "boxes", "points", "domain", "restriction", "ties", "classifiers", "scores")
EVENTS = ("boxes", "points", "halfspace")
KINDS = (*EVENTS, "constant", "regions")
Law = BoxDistribution | FiniteDistribution


@dataclass(frozen=True, slots=True)
class LawFile:
    """What a file says: a law, perhaps the box law it is to be restricted to, and classifiers and scores by name."""

    title: str
    law: Law
    restricted: BoxDistribution | None
    ties: int | None
    classifiers: Mapping[str, RegionClassifier]
    scores: Mapping[str, Score]


def read(path: str) -> LawFile:
    """The law in a file; "-" is stdin. Raises ``ValueError`` for what `parse` refuses, ``OSError`` for no file."""
    if path == "-" and sys.stdin is None:
        raise ValueError("stdin is closed; name a file")
    content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    name = "stdin" if path == "-" else path
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no UTF-8 text: {error.reason} at byte {error.start}") from None
    return parse(text, name)


def parse(text: str, name: str = "the text") -> LawFile:
    """The law in a JSON text.

    Raises ``ValueError`` for a text that is no JSON, holds a float, an unknown key or the same key twice, and for
    anything that makes no law: the sentence says where it stands and what is allowed.

    >>> coin = '{"schema": "tightrope.law/1", "points": [{"point": [0], "mass": {"-1": "1/3", "+1": "2/3"}}]}'
    >>> parse(coin).law.prior(+1)
    Fraction(2, 3)
    """
    try:
        content = json.loads(
            text, parse_float=_no_float, parse_constant=_no_constant, parse_int=_integer, object_pairs_hook=_no_repeats
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{name} is no JSON: {error}") from None
    content = _object(content, name, KEYS, needed=("schema",))
    if content["schema"] != SCHEMA:
        raise ValueError(f"schema {content['schema']!r} is unknown; allowed is {SCHEMA!r}")
    if ("boxes" in content) == ("points" in content):
        raise ValueError(f"{name} needs either boxes or points, one of the two: they are what the law is made of")
    law = _box_law(content) if "boxes" in content else _finite_law(content)
    restricted = None
    if "restriction" in content:
        if not isinstance(law, BoxDistribution):
            raise ValueError("restriction goes with boxes; leave out the points that are not to count")
        seen = _event_of_boxes(content["restriction"], "restriction", law.dim)
        with _at("restriction"):
            restricted = law.restrict(seen)
    named = _object(content.get("classifiers", {}), "classifiers")
    ties = _known_label(content["ties"], "ties", law) if "ties" in content else None
    classifiers = {key: _classifier(value, f"classifiers.{key}", law) for key, value in named.items()}
    given = _object(content.get("scores", {}), "scores")
    scores = {key: _score(value, f"scores.{key}", law) for key, value in given.items()}
    title = content.get("title", "")
    if not isinstance(title, str):
        raise ValueError(f"title {title!r} is no text")
    return LawFile(title, law, restricted, ties, classifiers, scores)


def nearest(name: str, known: Collection[str], kind: str) -> NoReturn:
    """Refuse an unknown name, with the nearest one there is."""
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    allowed = f"allowed are {', '.join(known)}" if known else "there is none"
    raise ValueError(f"{kind} {name!r} is unknown; " + (f"did you mean {near[0]!r}?" if near else allowed))


# -- laws -------------------------------------------------------------------------------------------------------------


def _box_law(content: dict[str, Any]) -> BoxDistribution:
    boxes: dict[int, list[Any]] = {}
    for k, item in enumerate(_list(content["boxes"], "boxes")):
        where = f"boxes[{k}]"
        entry = _object(item, where, ("box", "mass"), needed=("box", "mass"))
        box = _box(entry["box"], f"{where}.box")
        if any(end is None for side in box for end in side):
            raise ValueError(f"{where}.box is unbounded, and mass cannot be spread evenly over it")
        for label, mass in _masses(entry["mass"], f"{where}.mass").items():
            boxes.setdefault(label, []).append((box, mass))
    domain = None if content.get("domain") is None else _box(content["domain"], "domain")
    dims = {len(box) for pairs in boxes.values() for box, _ in pairs} | ({len(domain)} if domain else set())
    if len(dims) != 1:
        raise ValueError(f"boxes and domain have the dimensions {sorted(dims)}; allowed is one for all, and a box")
    with _at("boxes"):
        return BoxDistribution.of_masses(boxes, domain)


def _finite_law(content: dict[str, Any]) -> FiniteDistribution:
    if "domain" in content:
        raise ValueError("domain goes with boxes; among points the adversary moves from point to point")
    points, masses = [], []
    for k, item in enumerate(_list(content["points"], "points")):
        where = f"points[{k}]"
        entry = _object(item, where, ("point", "mass"), needed=("point", "mass"))
        points.append(_numbers(entry["point"], f"{where}.point"))
        masses.append(_masses(entry["mass"], f"{where}.mass"))
    labels = sorted({label for row in masses for label in row})
    with _at("points"):
        return FiniteDistribution.of_points(points, {y: [row.get(y, 0) for row in masses] for y in labels})


def _masses(value: Any, where: str) -> dict[int, Fraction]:
    masses = _by_label({key: _number(mass, f"{where}.{key}") for key, mass in _object(value, where).items()}, where)
    for label, mass in masses.items():
        if mass < 0:
            raise ValueError(f"{where} gives the label {label} the mass {mass}; a mass is at least 0")
    return masses


# -- classifiers ------------------------------------------------------------------------------------------------------


def _classifier(value: Any, where: str, law: Law) -> RegionClassifier:
    kind, inside = _only_key(value, where, KINDS)
    if kind == "constant":
        return constant(_known_label(inside, where, law), law)
    if kind == "regions":
        return _regions(_object(inside, f"{where}.regions"), f"{where}.regions", law)
    if law.labels != (-1, 1):
        raise ValueError(f"{where} gives one event, which is for labels -1 and +1; with {list(law.labels)} use regions")
    scored = kind == "halfspace" and isinstance(law, FiniteDistribution)  # score 0 is a null set under a law on boxes
    return RegionClassifier.binary(_event(value, where, law), _halfspace(inside, where, law, -1) if scored else None)


def _regions(value: dict[str, Any], where: str, law: Law) -> RegionClassifier:
    events = _by_label(value, where)
    for label in events:
        _known_label(label, where, law)
    if missing := [label for label in law.labels if label not in events]:
        raise ValueError(f"{where} says nothing of label {missing[0]}; give it an event, [] boxes or 'rest'")
    regions = {y: _event(event, f"{where}.{y}", law) for y, event in events.items() if event != "rest"}
    covered = law.nothing
    for y, region in regions.items():
        with _at(f"{where}.{y}"):
            if not (region & covered).is_empty:
                raise ValueError("the region overlaps an earlier one; a point has one label")
            covered = covered | region
    rest = [y for y in events if y not in regions]
    if len(rest) > 1:
        raise ValueError(f"{where} gives the rest to the labels {rest}; allowed is one of them")
    return RegionClassifier({y: regions.get(y, ~covered) for y in law.labels})


def _score(value: Any, where: str, law: Law) -> Score:
    """Levels on disjoint events, and 0 elsewhere."""
    if law.labels != (-1, 1):
        raise ValueError(f"{where} is a score, whose sign is -1 or +1, but the labels are {list(law.labels)}")
    levels: list[tuple[Any, Any]] = []
    covered = law.nothing
    for k, item in enumerate(_list(value, where)):
        entry = _object(item, f"{where}[{k}]", ("value", *EVENTS), needed=("value",))
        event = _event({kind: inside for kind, inside in entry.items() if kind != "value"}, f"{where}[{k}]", law)
        with _at(f"{where}[{k}]"):
            if not (event & covered).is_empty:
                raise ValueError("the event overlaps an earlier one; a point has one score")
            covered = covered | event
        levels.append((_number(entry["value"], f"{where}[{k}].value"), event))
    rest = ~covered
    return Score(levels if rest.is_empty else [*levels, (0, rest)])


def _event(value: Any, where: str, law: Law) -> Any:
    kind, inside = _only_key(value, where, EVENTS)
    if kind == "halfspace":
        return _halfspace(inside, where, law)
    if kind == "boxes":
        if not isinstance(law, BoxDistribution):
            raise ValueError(f"{where} has boxes, which do not tell on which side of a face an atom lies; use points")
        return _event_of_boxes(inside, f"{where}.boxes", law.dim)
    if not isinstance(law, FiniteDistribution):
        raise ValueError(f"{where} has points, which have no mass under a law on boxes; use boxes")
    return _event_of_points(inside, f"{where}.points", law.space)


def _event_of_boxes(value: Any, where: str, dim: int) -> Boxes:
    boxes = [_box(entry, f"{where}[{k}]") for k, entry in enumerate(_list(value, where))]
    for k, box in enumerate(boxes):
        if len(box) != dim:
            raise ValueError(f"{where}[{k}] has {len(box)} sides in a law of dimension {dim}")
    return Boxes(boxes, dim)


def _event_of_points(value: Any, where: str, space: FiniteSpace) -> Points:
    places = {point: k for k, point in enumerate(space.coordinates or ())}
    chosen = []
    for k, entry in enumerate(_list(value, where)):
        point = tuple(_numbers(entry, f"{where}[{k}]"))
        if point not in places:
            raise ValueError(f"{where}[{k}] ({', '.join(map(str, point))}) is none of the law's points")
        chosen.append(places[point])
    return Points(space, chosen)


def _halfspace(value: Any, where: str, law: Law, sign: int = 1) -> Any:
    """{sign (w.x + b) > 0}: points for a law on points, boxes if axis-parallel, since these mix with all else."""
    from theory.halfspace import HalfSpace

    where += ".halfspace"
    value = _object(value, where, ("weights", "offset"), needed=("weights", "offset"))
    weights = _numbers(value["weights"], f"{where}.weights")
    if len(weights) != _dim(law):
        raise ValueError(f"{where}.weights are {len(weights)} numbers in a law of dimension {_dim(law)}")
    if not any(weights):
        raise ValueError(f"{where}.weights are all 0, which makes no half-space; use constant")
    half = HalfSpace([sign * w for w in weights], sign * _number(value["offset"], f"{where}.offset"))
    if isinstance(law, FiniteDistribution):
        return law.event(half)
    return half.to_boxes() if len(half.active) < 2 else half


def _dim(law: Law) -> int:
    return law.dim if isinstance(law, BoxDistribution) else len((law.space.coordinates or ((),))[0])


# -- JSON -------------------------------------------------------------------------------------------------------------


def _no_float(text: str) -> NoReturn:
    raise ValueError(f'{text} is a JSON float, which is not the decimal it looks like; write it as a text, "{text}"')


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f'{text} is no number here; write it like "0.1" or "8/255", and null for an unbounded side')


def _integer(text: str) -> int:
    if len(text) > 1000:
        raise ValueError(f"the integer {text[:10]}... has {len(text)} digits; allowed are 1000")
    return int(text)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one object; allowed is once")
        found[key] = value
    return found


def _object(value: Any, where: str, known: Collection[str] = (), needed: Collection[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_kind(value)}; allowed is an object")
    for key in value:
        if known and key not in known:
            nearest(key, known, f"{where}: key")
    for key in needed:
        if key not in value:
            raise ValueError(f"{where} lacks the key {key!r}")
    return value


def _only_key(value: Any, where: str, known: Collection[str]) -> tuple[str, Any]:
    items = list(_object(value, where, known).items())
    if len(items) != 1:
        raise ValueError(f"{where} has the keys {list(value)}; allowed is exactly one of {', '.join(known)}")
    return items[0]


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} is {_kind(value)}; allowed is a list")
    return value


def _kind(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return f"the text {value!r}" if isinstance(value, str) else json.dumps(value)


def _number(value: Any, where: str) -> Fraction:
    if isinstance(value, bool | dict | list) or value is None:
        raise ValueError(f"{where} is {_kind(value)}; allowed are texts like '0.1' and '8/255', and integers")
    return as_fraction(value, where)


def _numbers(value: Any, where: str) -> list[Fraction]:
    return [_number(x, f"{where}[{k}]") for k, x in enumerate(_list(value, where))]


def _box(value: Any, where: str) -> list[Side]:
    sides = []
    for k, side in enumerate(_list(value, where)):
        ends = _list(side, f"{where}[{k}]")
        if len(ends) != 2:
            raise ValueError(f"{where}[{k}] has {len(ends)} ends; allowed are two, [low, high]")
        free = [end is None or end == unbounded for end, unbounded in zip(ends, ("-inf", "inf"), strict=True)]
        lo, hi = (None if f else _number(end, f"{where}[{k}]") for f, end in zip(free, ends, strict=True))
        sides.append((lo, hi))
    with _at(where):
        Boxes([sides])
    return sides


def _label(value: Any, where: str) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?\d{1,6}", str(value)):
        raise ValueError(f"{where} has the label {value!r}; a label is a whole number such as -1, +1 or 2")
    return int(value)


def _by_label(values: dict[str, Any], where: str) -> dict[int, Any]:
    labels = [_label(key, where) for key in values]
    if twice := [y for y in labels if labels.count(y) > 1]:
        raise ValueError(f"{where} names the label {twice[0]} twice; allowed is once")
    return dict(zip(labels, values.values(), strict=True))


def _known_label(value: Any, where: str, law: Law) -> int:
    label = _label(value, where)
    if label not in law.labels:
        raise ValueError(f"{where} has the label {label}, which is none of the law's; these are {list(law.labels)}")
    return label


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Say where in the file an error stands that the theory raises."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
