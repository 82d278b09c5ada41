"""Provers: each turns one kind of argument into evidence, and none says PROVED of a sample.

Margins are the right minus the left side; an equality has the margin ``equality(left, right)``, which is 0 where it
holds and negative elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proofs_check.core import Evidence
from proofs_check.search import Counterexample, Margin, counterexample, evaluate, refute
from theory.curves import curves
from theory.enclosure import Undecided
from theory.polynomial import Poly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from theory.numbers import Exact
    from theory.piecewise import PiecewisePoly


def equality(left: Any, right: Any) -> Any:
    """The margin of left = right: -abs(left - right).

    >>> equality(Fraction(1, 3), Fraction(1, 2))
    Fraction(-1, 6)
    """
    return -abs(left - right)


def every_case(margin: Margin, cases: Iterable[Any], what: str) -> Evidence:
    """Proof of a finite statement by trying all of its ``cases``; the caller says in ``what`` that these are all.

    >>> every_case(lambda k: 3 - k, range(4), "k from 0 to 3").kind
    'PROVED'
    """
    count = 0
    for case in cases:
        count += 1
        try:
            if evaluate(margin, case) < 0:
                return Evidence("REFUTED", f"case {count} of all: {what}", count, counterexample(margin, case, count))
        except Undecided:
            return Evidence("UNDECIDED", f"case {count} of all ({what}) is not decided", count)
    if not count:
        raise ValueError(f"there is no case among {what}; an empty enumeration proves nothing")
    return Evidence("PROVED", f"all cases: {what}", count)


def given_case(margin: Margin, case: Any, how: str = "a pinned case") -> Evidence:
    """Refutation by a case that is written down. Raises ``ValueError`` if it refutes nothing."""
    return Evidence("REFUTED", how, 1, counterexample(margin, case))


def sampled(margin: Margin, cases: Any, budget: int, seed: int = 0) -> Evidence:
    """Support by random exact cases, or a refutation by the smallest counterexample found. Never a proof.

    A `Budget` brings a seed of its own, under which each search of a claim is another one.
    """
    found = refute(margin, cases, budget, seed + 1_000_003 * getattr(budget, "seed", 0))
    if isinstance(found, Counterexample):
        how = f"found by search after {found.cases} cases and shrunk"
        return Evidence("REFUTED", how, found.cases, found, tried=found.cases)
    if not found.n:
        return Evidence("UNDECIDED", f"none of {found.undecided} cases could be decided")
    return Evidence("SUPPORTED", f"exact random search: {found}", found.n, tried=found.n, slack=found.slack)


def on_curve(
    margins: Callable[[Any], Sequence[Any]], lo: Exact, hi: Exact, *, ends: str = "[]", zero: bool = False
) -> Evidence:
    """Proof for all eps from ``lo`` to ``hi``: exact piecewise polynomials that are nowhere negative.

    ``margins(eps)`` are the margins at one eps, exact and generic over numbers (see ``theory.curves``); with ``zero``
    they must be 0 everywhere, values at the breakpoints included. ``cases`` counts the pieces.

    >>> on_curve(lambda eps: [eps - 2 * eps * eps], 0, "1/2").kind
    'PROVED'
    >>> on_curve(lambda eps: [eps - 2 * eps * eps], 0, 1).witness.case
    Fraction(1, 1)
    """
    found = curves(margins, lo, hi, ends=ends)
    pieces = sum(len(curve.pieces) for curve in found)
    for k, curve in enumerate(found):
        if _is_zero(curve) if zero else curve.inf() >= 0:
            continue

        def margin(eps: Any, k: int = k) -> Any:
            value = margins(eps)[k]
            return -abs(value) if zero else value

        place = _where_negative(curve, margin)
        if place is None:
            return Evidence("UNDECIDED", f"curve {k} is not as claimed, but no rational eps shows it", pieces)
        return Evidence("REFUTED", f"exact curves on {lo}..{hi}", pieces, counterexample(margin, place))
    return Evidence("PROVED", f"exact curves of eps on {ends[0]}{lo}, {hi}{ends[1]} in {pieces} pieces", pieces)


def _is_zero(curve: PiecewisePoly) -> bool:
    return all(poly == Poly() for poly in curve.polys) and all(value in (None, Poly()) for value in curve.values)


def _where_negative(curve: PiecewisePoly, margin: Margin) -> Fraction | None:
    points = [x if isinstance(x, Fraction) else (x.lo + x.hi) / 2 for x in curve.breakpoints]
    places = [x for x, value in zip(points, curve.values, strict=True) if value is not None]
    for left, right in pairwise(points):
        places += [left + (right - left) * Fraction(k, 16) for k in (8, 1, 15, 4, 12)]
    return next((x for x in places if evaluate(margin, x) < 0), None)


def identity(differences: Mapping[str, Any]) -> Evidence:
    """Proof that symbolic expressions are identically 0, by sympy; UNDECIDED names the first that sympy cannot settle.

    >>> from sympy import symbols, sin, cos
    >>> x = symbols("x", real=True)
    >>> identity({"Pythagoras": sin(x)**2 + cos(x)**2 - 1}).kind
    'PROVED'
    """
    from sympy import simplify

    for name, difference in differences.items():
        if simplify(difference) != 0:
            return Evidence("UNDECIDED", f"sympy does not reduce {name} to 0", len(differences), core=True)
    return Evidence("PROVED", f"symbolic identities: {', '.join(differences)}", len(differences), core=True)


def decided(answers: Mapping[str, str]) -> Evidence:
    """Proof from a decision procedure over the reals: ``answers`` name -> what z3 says of the negated statement.

    >>> decided({"bound": "unsat"}).kind, decided({"bound": "unknown"}).kind
    ('PROVED', 'UNDECIDED')
    """
    if not answers:
        raise ValueError("there is no statement to decide; an empty core proves nothing")
    open_ = [name for name, answer in answers.items() if answer != "unsat"]
    if open_:
        return Evidence("UNDECIDED", f"z3 does not prove {', '.join(open_)}", len(answers), core=True)
    return Evidence("PROVED", f"z3 proves the core: {', '.join(answers)}", len(answers), core=True)


def solve(premises: Sequence[Any], statements: Mapping[str, Any]) -> Evidence:
    """Proof by z3 that each statement follows from the premises, once the premises are seen to be satisfiable."""
    from z3 import Context, Not, Solver

    # Each question in a context of its own: the search, and its time, must not depend on what z3 was asked before.
    def put(context: Any, terms: Sequence[Any]) -> Any:
        solver = Solver(ctx=context)
        solver.add(*(term.translate(context) if hasattr(term, "translate") else term for term in terms))
        return solver

    alone = put(Context(), premises)
    if str(alone.check()) != "sat":
        raise ValueError("the premises cannot be met (or z3 does not know), so everything would follow from them")
    answers = {}
    for name, statement in statements.items():
        solver = put(Context(), [*premises, Not(statement)])
        solver.set("timeout", 20_000)
        answers[name] = str(solver.check())
    return decided(answers)


def confirmed(proof: Evidence, sample: Evidence) -> Evidence:
    """A proof, beside a search by another route: the search cannot add to it, but it can refute it.

    >>> confirmed(Evidence("PROVED", "a proof", 1), Evidence("SUPPORTED", "a search", 9)).how
    'a proof; beside it a search'
    """
    if sample.kind == "REFUTED":
        return sample
    how = f"{proof.how}; beside it {sample.how}"
    return replace(proof, how=how, tried=proof.tried + sample.tried, slack=sample.slack)


def readings(found: Mapping[str, Evidence]) -> Evidence:
    """The evidence where the scan lost a symbol: UNREADABLE if the readings disagree, else what they agree on."""
    kinds = {evidence.kind for evidence in found.values()}
    how = "; ".join(f"read as {name}: {evidence.kind}" for name, evidence in found.items())
    cases = sum(evidence.cases for evidence in found.values())
    if len(kinds) > 1:
        return Evidence("UNREADABLE", how, cases)
    first = next(iter(found.values()))
    return replace(first, how=how, cases=cases, tried=sum(evidence.tried for evidence in found.values()))
