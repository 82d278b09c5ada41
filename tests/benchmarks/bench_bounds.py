"""TRADES' Theorem 3.1, eq (1) and Lemma C.6 on random finite laws in exact arithmetic, and what breaks them.

Every instance is evaluated twice: by the package, and by loops over points that share nothing with it but Fractions.

python tests/benchmarks/bench_bounds.py [instances]
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from theory import Ball, FiniteDistribution
from theory.bounds import excess_decomposition, excess_robust_risk_bound, robust_risk_decomposition
from theory.scores import Score

SCORES = [Fraction(k, 2) for k in (-4, -2, -1, 0, 1, 2, 4)]
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Instance:
    """Points on a line with masses (of -1, of +1), scores, a radius and lambda."""

    places: list[int]
    masses: list[tuple[Fraction, Fraction]]
    scores: list[Fraction]
    radius: int
    lam: Fraction
    loss: str


# psi^-1, phi and H by hand
INVERSE: dict[str, Callable[[Fraction], Fraction]] = {
    "hinge": lambda e: min(e, Fraction(1)),
    "ramp": lambda e: min(e, Fraction(1)),
    "asymmetric_hinge": lambda e: min(e, Fraction(1)),
    "capped_hinge": lambda e: min(2 * e / 3, Fraction(1)),
    "dipping_hinge": lambda e: min(2 * e, Fraction(1)),
}
PHI: dict[str, Callable[[Fraction], Fraction]] = {
    "hinge": lambda u: max(1 - u, Fraction(0)),
    "ramp": lambda u: min(max(1 - u, Fraction(0)), Fraction(1)),
    "asymmetric_hinge": lambda u: max(1 - 2 * u, Fraction(0)) if u >= 0 else 1 - u / 2,
    "capped_hinge": lambda u: max(3 - 3 * u, Fraction(0)) / 2 if u >= 0 else min(Fraction(2), (3 - u) / 2),
    "dipping_hinge": lambda u: max(1 - u, Fraction(0)) if u >= 0 else max(HALF, 1 + u),
}
CORNERS = [Fraction(k, 2) for k in (-4, -2, -1, 0, 1, 2, 4)]  # all kinks of these losses, and of their mirror images


def draw(rng: random.Random) -> Instance:
    """One to five points, zeros of the score and ties of the labels among them."""
    n = rng.randint(1, 5)
    weights = [(rng.randint(0, 3), rng.randint(0, 3)) for _ in range(n)]
    total = sum(map(sum, weights))
    if total == 0:
        weights[0], total = (1, 0), 1
    return Instance(
        sorted(rng.sample(range(8), n)),
        [(Fraction(a, total), Fraction(b, total)) for a, b in weights],
        [rng.choice(SCORES) for _ in range(n)],
        rng.randint(0, 3),
        rng.choice([HALF, Fraction(1), Fraction(3)]),
        rng.choice(sorted(PHI)),
    )


def by_loops(case: Instance) -> dict[str, Fraction]:
    """Every quantity as a sum over points: sides of Theorem 3.1, eq (1) and Lemma C.6, by convention."""
    phi, f, lam = PHI[case.loss], case.scores, case.lam
    found: dict[str, Fraction] = dict.fromkeys(
        ["risk", "best", "bayes", "adversarial", "zero-", "zero+", "near"]
        + [f"{name} {c}" for c in ("paper", "sign") for name in ("rob", "nat", "lemma", "near")]
        + ["bdy paper", "bdy sign"],
        Fraction(0),
    )  # fmt: skip
    sign = [1 if v >= 0 else -1 for v in f]
    for i, (minus, plus) in enumerate(case.masses):
        ball = [j for j, place in enumerate(case.places) if abs(place - case.places[i]) <= case.radius]
        near = {"paper": any(f[i] * f[j] <= 0 for j in ball), "sign": any(sign[i] != sign[j] for j in ball)}
        found["risk"] += minus * phi(-f[i]) + plus * phi(f[i])
        found["best"] += min(minus * phi(-a) + plus * phi(a) for a in CORNERS)
        found["bayes"] += min(minus, plus)
        found["adversarial"] += (minus + plus) * max(phi(f[j] * f[i] / lam) for j in ball)
        found["zero-"] += minus * (f[i] == 0)
        found["zero+"] += plus * (f[i] == 0)
        for mass, y in ((minus, -1), (plus, +1)):
            wrong = {"paper": [v * y <= 0 for v in f], "sign": [s != y for s in sign]}
            for c in ("paper", "sign"):
                found[f"nat {c}"] += mass * wrong[c][i]
                found[f"rob {c}"] += mass * any(wrong[c][j] for j in ball)
                found[f"bdy {c}"] += mass * (near[c] and not wrong[c][i])
        for c in ("paper", "sign"):
            off = abs(plus - minus) * (sign[i] * (plus - minus) < 0)
            found[f"lemma {c}"] += max(plus, minus) if near[c] else off
            found[f"near {c}"] += (plus + minus) * near[c]
    inverse, s = INVERSE[case.loss], found["near paper"]
    found["e"] = found["risk"] - found["best"]
    found["inverse"] = inverse(found["e"])
    found["corrected"] = found["inverse"] + found["bdy paper"] + min(found["zero-"], found["zero+"])
    found["sharper"] = s + (1 - s) * inverse(found["e"] / (1 - s)) if s < 1 else Fraction(1)
    return found


def by_package(case: Instance) -> dict[str, Fraction]:
    """The same through the events of the package."""
    minus, plus = zip(*case.masses, strict=True)
    law = FiniteDistribution.of_points([(x,) for x in case.places], {-1: minus, +1: plus})
    f, ball = Score.of_values(law.space, case.scores), Ball(case.radius)
    report = excess_robust_risk_bound(f, law, ball, case.loss, case.lam)
    terms = {name: value.fraction for name, value in report.terms.items()}
    found = {
        "risk": terms["surrogate_risk"], "best": terms["optimal_surrogate_risk"], "e": terms["excess"],
        "inverse": terms["psi_inverse"], "bayes": terms["bayes_risk"], "adversarial": terms["adversarial"],
        "near paper": terms["boundary_probability"], "sharper": terms["sharper"], "corrected": terms["corrected"],
    }  # fmt: skip
    for c in ("paper", "sign"):
        one, lemma = robust_risk_decomposition(f, law, ball, c), excess_decomposition(f, law, ball, c)
        found |= {
            f"rob {c}": one.lhs.fraction, f"nat {c}": one.terms["standard_risk"].fraction,
            f"bdy {c}": one.terms["boundary_risk"].fraction, f"lemma {c}": lemma.rhs.fraction,
        }  # fmt: skip
        assert lemma.lhs.fraction == found[f"rob {c}"] - found["bayes"]
    return found


def judge(case: Instance, q: dict[str, Fraction]) -> Counter[str]:
    """Which statements fail on one instance, with the premise that fails beside it."""
    excess = {c: q[f"rob {c}"] - q["bayes"] for c in ("paper", "sign")}
    inverse = q["inverse"]
    zero = q["zero-"] + q["zero+"] > 0
    dips = case.loss == "dipping_hinge"
    has_zero = 0 in case.scores
    failures = {
        f"first inequality, printed, {'zeros of f' if zero else 'no zeros'}":
            excess["paper"] > inverse + q["bdy paper"],
        "first inequality, corrected": excess["paper"] > q["corrected"],
        "first inequality, sign convention": excess["sign"] > inverse + q["bdy sign"],
        f"second inequality, {'phi dips below 1' if dips else 'phi >= 1 on u <= 0'}":
            q["bdy paper"] > q["adversarial"],
        f"the whole bound, {'phi dips below 1' if dips else 'phi >= 1 on u <= 0'}":
            excess["paper"] > inverse + q["adversarial"],
        "sharper bound": excess["paper"] > q["sharper"],
    }  # fmt: skip
    for c in ("paper", "sign"):
        failures[f"eq (1), {c} convention"] = q[f"rob {c}"] != q[f"nat {c}"] + q[f"bdy {c}"]
        failures[f"Lemma C.6, {c} convention"] = excess[c] != q[f"lemma {c}"]
    mixed = "zeros of f" if has_zero else "no zeros"
    failures[f"eq (1), sign with the paper's R_bdy, {mixed}"] = q["rob sign"] != q["nat sign"] + q["bdy paper"]
    failures[f"eq (1), paper with the sign's R_nat, {mixed}"] = q["rob paper"] != q["nat sign"] + q["bdy paper"]
    failures[f"Lemma C.6, sign with the paper's B, {mixed}"] = excess["sign"] != q["lemma paper"]
    return Counter({name: int(failed) for name, failed in failures.items()})


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rng = random.Random(0)
    cases = [draw(rng) for _ in range(count)]
    seen: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    times = {"loops": 0.0, "package": 0.0}
    for case in cases:
        start = time.process_time()
        one = by_loops(case)
        middle = time.process_time()
        other = by_package(case)
        times["loops"] += middle - start
        times["package"] += time.process_time() - middle
        for name, value in other.items():
            assert value == one[name], (name, value, one[name], case)
        verdict = judge(case, one)
        failed.update(verdict)
        seen.update(verdict.keys())
    print(f"{count} instances, two routes that agree on every quantity; seconds of one core: "
          f"{times['package']:.1f} by the package, {times['loops']:.1f} by loops")  # fmt: skip
    print(f"{'statement':60} instances  failures")
    for name in sorted(seen):
        print(f"{name:60} {seen[name]:9} {failed[name]:9}")


if __name__ == "__main__":
    main()
