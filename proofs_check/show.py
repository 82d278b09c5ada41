"""Cases for people: as a table that can be checked by hand, and as Python that makes the case again.

Both know the objects of ``theory`` and of ``theory.strategies``, dataclasses of them, and plain containers.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.ball import Ball
from theory.boxes import Boxes
from theory.classifiers import RegionClassifier
from theory.density import common_values
from theory.distributions import BoxDistribution, FiniteDistribution
from theory.enclosure import Enclosure
from theory.loss import LOSSES, Loss
from theory.points import FiniteSpace, Points
from theory.polyline import PiecewiseLinear
from theory.scores import Score
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from theory.table import Cell

# ---- source ---------------------------------------------------------------------------------------------------------


class Source:
    """Python source of values, and the imports it needs.

    >>> source = Source()
    >>> source.of((Fraction(1, 2), Ball("1/10"))), sorted(source.imports)
    ('(Fraction(1, 2), Ball(Fraction(1, 10), math.inf))', ['from fractions import Fraction', 'from theory.ball import \
Ball', 'import math'])
    """

    def __init__(self) -> None:
        self.imports: set[str] = set()

    def of(self, value: Any) -> str:
        """An expression for the value; ``repr`` for what is not known."""
        if isinstance(value, bool | str | int | None):
            return repr(value)
        if isinstance(value, float):
            if math.isinf(value):
                self.imports.add("import math")
                return "math.inf" if value > 0 else "-math.inf"
            return repr(value)
        if isinstance(value, tuple):
            return f"({', '.join(map(self.of, value))}{',' * (len(value) == 1)})"
        if isinstance(value, list):
            return f"[{', '.join(map(self.of, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.of(k)}: {self.of(v)}" for k, v in value.items()) + "}"
        if isinstance(value, frozenset | set):
            return f"{{{', '.join(map(self.of, sorted(value)))}}}" if value else "set()"
        return self._object(value)

    def _object(self, value: Any) -> str:
        made = self._known(value)
        if made is not None:
            return made
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init)
            return f"{self._name(type(value))}({', '.join(f'{name}={self.of(field)}' for name, field in fields)})"
        return repr(value)

    def _known(self, value: Any) -> str | None:
        name = self._name(type(value)) if type(value) in _KNOWN else ""
        match value:
            case Fraction():
                return f"{name}({value.numerator}, {value.denominator})"
            case Ball():
                stays = ", leave_domain=True" if value.leave_domain else ""
                return f"{name}({self.of(value.radius)}, {self.of(value.ord)}{stays})"
            case FiniteSpace(coordinates=None, distances=distances):
                return f"{name}.of_distances({self.of(distances)})"
            case FiniteSpace():
                return f"{name}.of_points({self.of(value.coordinates)})"
            case Points():
                return f"{name}({self.of(value.space)}, {self.of(value.members)})"
            case Boxes():
                return f"{name}({self.of(list(value.cells()))}, {value.dim})"
            case FiniteDistribution():
                return f"{name}.on({self.of(value.space)}, {self.of({y: list(value.masses[y]) for y in value.labels})})"
            case BoxDistribution():
                return self._box_law(value, name)
            case RegionClassifier():
                return f"{name}({self.of(dict(value.regions))})"
            case Score():
                return f"{name}({self.of(list(value.levels))})"
            case Loss() if LOSSES.get(value.name) == value:
                self.imports.add("from theory.loss import LOSSES")
                return f"LOSSES[{value.name!r}]"
            case Loss(formula=PiecewiseLinear() as formula):
                self.imports.add("from theory.loss import piecewise_linear")
                knots, slopes = [tuple(knot) for knot in formula.knots], formula.slopes
                ends = f"{self.of(slopes[0])}, {self.of(slopes[-1])}, {value.calibrated}"
                return f"piecewise_linear({value.name!r}, {self.of(knots)}, {ends})"
        return None

    def _box_law(self, law: BoxDistribution, name: str) -> str:
        if law.restricts is not None:
            return f"{self.of(law.restricts)}.restrict({self.of(law.support)})"
        densities = {y: [(list(box), density) for box, density in _steps(law, y)] for y in law.labels}
        domain = list(law.domain.cells())
        return f"{name}.of_densities({self.of(densities)}, {self.of(list(domain[0])) if len(domain) == 1 else None})"

    def _name(self, kind: type) -> str:
        self.imports.add(f"from {kind.__module__} import {kind.__qualname__}")
        return kind.__qualname__


_KNOWN = (
    Fraction, Ball, FiniteSpace, Points, Boxes, FiniteDistribution, BoxDistribution, RegionClassifier, Score,
)  # fmt: skip


def snippet(case: Any, margin: Any) -> str:
    """Python that makes the case again, and prints its margin if the margin can be imported by name.

    >>> print(snippet(Fraction(1, 3), math.floor))
    from fractions import Fraction
    from math import floor
    case = Fraction(1, 3)
    print(floor(case))
    """
    source = Source()
    expression = source.of(case)
    name, module = getattr(margin, "__qualname__", "<margin>"), getattr(margin, "__module__", None)
    last = "# margin(case) is negative"
    if module and module != "__main__" and name.isidentifier():
        source.imports.add(f"from {module} import {name}")
        last = f"print({name}(case))"
    imports = sorted(_merged(source.imports), key=lambda line: (line.split()[1], line))
    return "\n".join([*imports, f"case = {expression}", last])


def _merged(imports: set[str]) -> list[str]:
    """One line a module."""
    names: dict[str, list[str]] = {}
    for line in sorted(imports):
        start, _, name = line.partition(" import ")
        names.setdefault(start, []).append(name)
    return [f"{start} import {', '.join(what)}" if what != [""] else start for start, what in names.items()]


# ---- tables ---------------------------------------------------------------------------------------------------------


def table(case: Any, margin: Any = None) -> Table:
    """The case as rows of (part, item, value), with the margin last.

    >>> print(table((Fraction(1, 2), 3), Fraction(-1)))
    part    item  value
    ------  ----  -----
    case    0     0.5
    case    1     3
    margin        -1
    """
    rows: list[dict[str, Cell]] = [dict(zip(_COLUMNS, row, strict=True)) for row in _rows(case, "case")]
    if margin is not None:
        rows.append({"part": "margin", "item": "", "value": margin})
    return Table(_COLUMNS, rows)


_COLUMNS = ("part", "item", "value")
Row = tuple[str, str, "Cell"]


def _rows(value: Any, part: str) -> Iterator[Row]:
    match value:
        case FiniteDistribution():
            for i in range(len(value.space)):
                masses = ", ".join(f"P({y:+d}) = {value.masses[y][i]}" for y in value.labels)
                yield part, f"point {_point(value.space, i)}", masses
            if value.space.distances is not None:
                for i, row in enumerate(value.space.distances):
                    yield part, f"distances of point {i}", " ".join(map(str, row))
        case BoxDistribution():
            for y in value.labels:
                for box, density in _steps(value, y):
                    yield part, f"density of {y:+d} on {Boxes([box])!r}", density
            yield part, "domain", repr(value.domain)
            if value.restricts is not None:
                yield from _rows(value.restricts, f"{part}, before the restriction")
        case RegionClassifier():
            for y, region in value.regions.items():
                yield part, f"predicts {y:+d} on", _event(region)
        case Score():
            for level, event in value.levels:
                yield part, f"score on {_event(event)}", level
        case Ball():
            yield part, "radius", value.radius
            yield part, "norm", str(value.ord) + (", may leave the domain" if value.leave_domain else "")
        case Loss():
            knots = getattr(value.formula, "knots", ())
            bends = ": " + ", ".join(f"phi({k.x}) = {k.value}" for k in knots) if knots else ""
            yield part, "loss", value.name + bends
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type | Enclosure):
            for field in dataclasses.fields(value):
                yield from _rows(getattr(value, field.name), field.name)
        case tuple() | list():
            for i, item in enumerate(value):
                for name, inner, cell in _rows(item, part):
                    yield name, f"{i} {inner}".strip(), cell
        case Fraction() | Enclosure() | int() | str():
            yield part, "", value
        case _:
            yield part, "", repr(value)


def _steps(law: BoxDistribution, label: int) -> Iterator[tuple[Any, Any]]:
    edges, values, index = common_values([law.densities[label]])
    for k, (density,) in enumerate(values):
        if density != 0:
            for box in Boxes.on_grid(edges, index == k).cells():
                yield box, density


def _point(space: FiniteSpace, i: int) -> str:
    if space.coordinates is None:
        return str(i)
    return f"{i} at ({', '.join(map(str, space.coordinates[i]))})"


def _event(event: Any) -> str:
    if isinstance(event, Points):
        return "points " + (", ".join(map(str, sorted(event.members))) or "none")
    return repr(event)
