"""Several classes: both optima against enumeration and plain linear programs, and the geometry of joint conflicts."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from theory.enclosure import Enclosure
from theory.optimal.joint import JointConflicts, TooMuchWork, heavy_sets
from theory.optimal.kernel import half_integral
from theory.optimal.multiclass import optimal_multiclass_risk
from theory.optimal.packing import Effort, Kernel, fractional, integral, packing_bound
from theory.optimal.sample import optimal_sample_risk
from theory.samples import LabelledSample, digits

NORMS = [1, 2, math.inf]


# ---- oracles that share no code with the solver ----


def solve_exactly(matrix, right):
    """Gaussian elimination in rationals; None if singular."""
    n = len(matrix)
    rows = [[Fraction(v) for v in row] + [Fraction(r)] for row, r in zip(matrix, right, strict=True)]
    for c in range(n):
        pivot = next((r for r in range(c, n) if rows[r][c] != 0), None)
        if pivot is None:
            return None
        rows[c], rows[pivot] = rows[pivot], rows[c]
        rows[c] = [v / rows[c][c] for v in rows[c]]
        for r in set(range(n)) - {c}:
            rows[r] = [v - rows[r][c] * p for v, p in zip(rows[r], rows[c], strict=True)]
    return [row[n] for row in rows]


def enclosing_radius_squared(points):
    """The smallest enclosing ball, from the centres of the spheres through every small subset, in coordinates."""
    points = [[Fraction(v) for v in p] for p in points]
    best = None
    for size in range(1, len(points[0]) + 2):
        for chosen in itertools.combinations(points, min(size, len(points))):
            # centre = p0 + sum_i s_i (p_i - p0) with equal distances to all chosen points
            base, *rest = chosen
            arms = [[a - b for a, b in zip(p, base, strict=True)] for p in rest]
            gram = [[2 * sum(x * y for x, y in zip(u, v, strict=True)) for v in arms] for u in arms]
            s = solve_exactly(gram, [sum(x * x for x in u) for u in arms]) if arms else []
            if s is None:
                continue
            centre = [b + sum(t * arm[k] for t, arm in zip(s, arms, strict=True)) for k, b in enumerate(base)]
            reach = max(sum((a - c) ** 2 for a, c in zip(p, centre, strict=True)) for p in points)
            best = reach if best is None else min(best, reach)
    return best


def l1_balls_meet(points, eps):
    """Whether some z has l1 distance at most eps (plus a hair) to all points: a linear program."""
    points = np.asarray(points, float)
    m, d = points.shape
    # variables z (d), t (m d) >= |z - x|, minimise r with sum of t_i <= r
    n = d + m * d + 1
    rows, right = [], []
    for i in range(m):
        for k in range(d):
            for sign in (1, -1):
                row = np.zeros(n)
                row[k], row[d + i * d + k] = sign, -1
                rows.append(row)
                right.append(sign * points[i, k])
        row = np.zeros(n)
        row[d + i * d : d + (i + 1) * d], row[-1] = 1, -1
        rows.append(row)
        right.append(0)
    cost = np.zeros(n)
    cost[-1] = 1
    solved = linprog(cost, A_ub=np.array(rows), b_ub=right, bounds=[(None, None)] * d + [(0, None)] * (n - d))
    return solved.fun <= float(eps) + 1e-9


def meets(points, eps, ord):
    if ord == 2:
        return enclosing_radius_squared(points) <= eps**2
    if ord == 1:
        return l1_balls_meet(points, eps)
    return max(int(np.abs(np.subtract(p, q)).max()) for p in points for q in points) <= 2 * eps


def conflict_sets(sample, eps, ord):
    """All sets of points of different classes whose balls meet, by trying every set."""
    found = []
    for size in range(2, len(sample.classes) + 1):
        for members in itertools.combinations(range(len(sample)), size):
            if len({sample.y[v] for v in members}) == size and meets(sample.x[list(members)].tolist(), eps, ord):
                found.append(members)
    return found


def randomised_by_program(sample, sets, weights):
    rows = np.zeros((len(sets), len(sample)))
    for r, members in enumerate(sets):
        rows[r, list(members)] = 1
    solved = linprog(-np.array([float(w) for w in weights]), A_ub=rows, b_ub=np.ones(len(sets)), bounds=(0, 1))
    return 1 + solved.fun


def deterministic_by_enumeration(sample, sets, weights):
    pairs = [members for members in sets if len(members) == 2]
    best = Fraction(0)
    for keep in itertools.product([False, True], repeat=len(sample)):
        if not any(keep[u] and keep[v] for u, v in pairs):
            best = max(best, sum((w for w, k in zip(weights, keep, strict=True) if k), Fraction(0)))
    return 1 - best


def random_sample(seed, n=11, classes=3, d=2, size=9):
    rng = np.random.default_rng(seed)
    return LabelledSample(rng.integers(0, size, (n, d)), np.arange(n) % classes), rng


# ---- the solver ----


@pytest.mark.parametrize("ord", NORMS)
@pytest.mark.parametrize("seed", range(5))
def test_both_optima_agree_with_enumeration(seed, ord):
    sample, rng = random_sample(seed, classes=3 + seed % 2)
    eps = Fraction({1: 3, 2: 5, math.inf: 2}[ord], {1: 1, 2: 2, math.inf: 1}[ord])
    whole = rng.integers(0, 5, 11) + (np.arange(11) == 0)
    uneven = [Fraction(int(w), int(whole.sum())) for w in whole]
    sets = conflict_sets(sample, eps, ord)
    for weights in ([Fraction(1, 11)] * 11, uneven):
        best = optimal_multiclass_risk(sample, eps, ord, weights=weights)
        assert best.verify()
        assert best.deterministic.fraction == deterministic_by_enumeration(sample, sets, weights)
        truth = randomised_by_program(sample, sets, weights)
        assert float(best.randomised.lo) <= truth + 1e-9
        assert truth <= float(best.randomised.hi) + 1e-9
        if ord != 1 or len(sample.classes) == 3:
            assert float(best.randomised.fraction) == pytest.approx(truth, abs=1e-9)
        assert best.pairwise <= best.randomised.lo <= best.randomised.hi <= best.deterministic.hi


@pytest.mark.parametrize("ord", NORMS)
def test_two_classes_are_the_two_class_optimum(ord):
    sample = digits().only(3, 8)
    eps = {1: "6", 2: "1.1", math.inf: "0.4"}[ord]
    best = optimal_multiclass_risk(sample, eps, ord)
    assert best.randomised.fraction == best.deterministic.fraction == optimal_sample_risk(sample, eps, ord).value > 0
    assert best.kernel == 0
    assert best.verify()


def test_five_points_in_a_ring_cost_a_half_or_three_fifths():
    """A 5-cycle of conflicts without a joint one, labelled with three classes."""
    ring = [(0, 100), (95, 31), (59, -81), (-59, -81), (-95, 31)]  # neighbours about 117.5 apart, the others 190
    sample = LabelledSample(ring, [1, 2, 1, 2, 3])
    best = optimal_multiclass_risk(sample, 60)
    assert (best.randomised.fraction, best.deterministic.fraction) == (Fraction(1, 2), Fraction(3, 5))
    assert best.q == (Fraction(1, 2),) * 5
    assert best.kernel == 5
    assert best.verify()


def test_a_small_triangle_costs_two_thirds_only_when_all_three_balls_meet():
    # Sides 5, 5, 6: circumradius 25/8, so at eps = 3 every two balls meet but not all three.
    sample = LabelledSample([[0, 0], [6, 0], [3, 4]], [0, 1, 2])
    values = {eps: optimal_multiclass_risk(sample, eps) for eps in ("3", "3.1249999999", "3.125")}
    assert [v.randomised.fraction for v in values.values()] == [Fraction(1, 2), Fraction(1, 2), Fraction(2, 3)]
    assert {v.deterministic.fraction for v in values.values()} == {Fraction(2, 3)}
    # Under l-infinity pairs decide.
    assert optimal_multiclass_risk(sample, 3, math.inf).randomised.fraction == Fraction(2, 3)


def test_four_l1_balls_may_meet_in_threes_only_and_the_enclosure_says_so():
    sample = LabelledSample([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], [0, 1, 2, 3])
    assert not l1_balls_meet(sample.x, 2)
    best = optimal_multiclass_risk(sample, 2, 1)
    assert best.randomised.contains(Fraction(2, 3))
    assert best.randomised.lo == Fraction(2, 3)
    assert best.verify()


@pytest.mark.parametrize("seed", range(4))
def test_the_enclosures_hold_without_any_effort_and_close_with_it(seed):
    sample, _ = random_sample(seed + 50, n=60, classes=5, size=25)
    free, full = (optimal_multiclass_risk(sample, 4, effort=e) for e in (0, 10**7))
    assert full.randomised.is_exact
    assert full.deterministic.is_exact
    assert full.kernel > 0
    for name in ("randomised", "deterministic"):
        assert getattr(free, name).contains(getattr(full, name).fraction)
    assert free.verify()
    assert full.verify()
    assert full.pairwise < full.randomised.fraction  # triples matter here


def test_the_program_of_digits_agrees_with_one_large_linear_program():
    sample = digits().only(1, 4, 8)
    eps = Fraction(6, 5)
    best = optimal_multiclass_risk(sample, eps)
    x = sample.x.astype(int)
    near = ((x[:, None] - x[None]) ** 2).sum(axis=2) <= (2 * eps * 16) ** 2
    near &= sample.y[:, None] != sample.y[None]
    sets = [(int(u), int(v)) for u, v in np.argwhere(np.triu(near))]
    triangles = [(u, v, int(t)) for u, v in sets for t in np.flatnonzero(near[u] & near[v]) if t > v]
    limit = (eps * 16) ** 2
    sets += [t for t in triangles if acute_circumradius_squared(x, t) <= limit]
    truth = randomised_by_program(sample, sets, [Fraction(1, len(sample))] * len(sample))
    assert float(best.randomised.fraction) == pytest.approx(truth, abs=1e-9)
    assert best.pairwise < best.randomised.fraction < best.deterministic.fraction
    assert best.verify()


def acute_circumradius_squared(x, triple):
    a, b, c = sorted(int(((x[u] - x[v]) ** 2).sum()) for u, v in itertools.combinations(triple, 2))
    if a + b <= c:
        return Fraction(c, 4)
    return Fraction(a * b * c, 2 * (a * b + b * c + c * a) - a * a - b * b - c * c)


def test_the_classifiers_attain_what_is_claimed_of_them():
    sample, rng = random_sample(0, n=40, classes=4, size=20)
    fine = LabelledSample(sample.x * 5, sample.y, 5)
    best = optimal_multiclass_risk(fine, 4)
    assert best.randomised.hi < best.deterministic.hi
    steps = [m for m in itertools.product(range(-20, 21), repeat=2) if m[0] ** 2 + m[1] ** 2 <= 20**2]
    order = list(fine.classes)
    for v, (x, y) in enumerate(zip(fine.x, fine.y, strict=True)):
        attacked = np.array([x + np.array(m) for m in steps])[rng.permutation(len(steps))[:150]]
        if best.kept[v]:
            assert (best.classifier(attacked) == y).all()
        table = best.probabilities(attacked)
        assert all(sum(row) == 1 and min(row) >= 0 for row in table)
        assert min(row[order.index(y)] for row in table) >= best.q[v]


def test_a_spoiled_certificate_is_noticed():
    sample, _ = random_sample(0, n=40, classes=4, size=20)
    best = optimal_multiclass_risk(sample, 4)
    assert best.verify()
    conflict, amount = next((c, a) for c, a in best.packing.items() if len(c) >= 3)
    far = next(v for v in range(40) if sample.y[v] != sample.y[0] and np.abs(sample.x[v] - sample.x[0]).max() > 8)
    kept = best.kept.copy()
    kept[np.flatnonzero(~kept)[0]] = True
    fewer = {c: a for c, a in best.packing.items() if c != conflict}

    def moved(up, down):
        """The probability 1/2 moved from one point to another."""
        q = list(best.q)
        q[up] += Fraction(1, 2)
        q[down] -= Fraction(1, 2)
        return {"q": tuple(q)}

    lowered = list(best.q)
    lowered[next(v for v in range(40) if lowered[v] > 0)] = Fraction(0)
    halves = [v for v in range(40) if best.q[v] == Fraction(1, 2)]
    apart = next(v for v in range(40) if best.q[v] == 1)
    spoils = [
        ({"randomised": Enclosure(best.randomised.lo + Fraction(1, 1000), 1)}, "the packing proves"),
        ({"packing": fewer}, "the packing proves"),
        ({"packing": {**best.packing, conflict: amount * 2}}, "the packing proves"),
        ({"packing": {**best.packing, (0, far): Fraction(0)}}, f"points 0 and {far} do not conflict"),
        ({"packing": {**best.packing, (0, 4): Fraction(0)}}, "no conflict of different classes"),
        ({"packing": {**best.packing, conflict: -amount}}, "no conflict of different classes"),
        ({"kept": kept}, "points not kept weigh"),
        ({"kept": kept, "deterministic": Enclosure(0, best.deterministic.hi - Fraction(1, 40))}, "two kept points"),
        ({"q": tuple(lowered)}, "the probabilities lose"),
        (moved(halves[0], apart), "two conflicting points"),
        (moved(apart, halves[0]), "the probabilities lose"),  # above one
        ({"eps": best.eps / 2}, "do not conflict"),
    ]
    for spoil, message in spoils:
        with pytest.raises(ArithmeticError, match=message):
            replace(best, **spoil).verify()


def test_spoiled_joint_conflicts_are_noticed():
    # Sides 5, 5, 6 and a far pair: at eps = 3 the three balls meet in pairs only, at 3.2 in one point.
    sample = LabelledSample([[0, 0], [6, 0], [3, 4], [100, 0], [101, 0]], [0, 1, 2, 0, 1])
    loose, tight = optimal_multiclass_risk(sample, 3), optimal_multiclass_risk(sample, "3.2")
    assert (loose.randomised.fraction, tight.randomised.fraction) == (Fraction(1, 2), Fraction(3, 5))
    with pytest.raises(ArithmeticError, match="have no common point"):
        replace(tight, eps=Fraction(3)).verify()
    # The probabilities 1/2 of the looser radius, made up for by giving up the pair, violate the triple of the tighter.
    q = (*loose.q[:3], Fraction(1, 2), Fraction(0))
    with pytest.raises(ArithmeticError, match=r"the conflicting points \(0, 1, 2\)"):
        replace(tight, q=q).verify()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LabelledSample([[0], [1]], [1, 1]), 1), "allowed are two and more"),
        ((LabelledSample([[0], [1]], [0, 1]), -1), "eps -1 is negative"),
        ((LabelledSample([[0], [1]], [0, 1]), 1, 3), "ord 3 is not a norm"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        optimal_multiclass_risk(*arguments)
    with pytest.raises(ValueError, match="sum to 1/2"):
        optimal_multiclass_risk(LabelledSample([[0], [1]], [0, 1]), 1, weights=["1/4", "1/4"])


def test_weights_of_any_size_and_points_of_no_weight():
    sample, _ = random_sample(2, n=12)
    tiny = Fraction(1, 3**50)
    weights = [Fraction(1, 12) + tiny * (2 * i - 11) for i in range(12)]
    best = optimal_multiclass_risk(sample, "2.5", weights=weights)
    sets = conflict_sets(sample, Fraction(5, 2), 2)
    assert best.deterministic.fraction == deterministic_by_enumeration(sample, sets, weights)
    assert best.verify()
    lone = [Fraction(0)] * 11 + [Fraction(1)]
    assert optimal_multiclass_risk(sample, "2.5", weights=lone).randomised.fraction == 0


# ---- its parts ----


@pytest.mark.parametrize("d", [2, 3])
def test_round_joint_conflicts_are_enclosing_balls(d):
    rng = np.random.default_rng(d)
    seen = set()
    for _ in range(60):
        size = int(rng.integers(3, 6))
        x = rng.integers(0, 8, (size, d))
        for points, scale in ((x, 1), (x / 3, 1), (x.astype(np.uint8), 7)):
            exact = [[Fraction(v) / scale for v in p] for p in points.tolist()]
            square = enclosing_radius_squared(exact)
            eps = Fraction(math.isqrt(square.numerator * 10**20 // square.denominator), 10**10)
            for radius in (eps - Fraction(1, 10**9), eps + Fraction(1, 10**9)):
                joint = JointConflicts(LabelledSample(points, range(size), scale), radius, 2)
                answer = all(
                    joint.extends(part)
                    for k in range(3, size + 1)
                    for part in itertools.combinations(range(size), k)
                    if pairs_meet(exact, part, radius)
                )
                if pairs_meet(exact, range(size), radius):
                    assert answer == (square <= radius**2)
                    seen.add(answer)
    assert seen == {True, False}


def pairs_meet(points, chosen, eps):
    return all(
        sum((a - b) ** 2 for a, b in zip(points[u], points[v], strict=True)) <= 4 * eps**2
        for u, v in itertools.combinations(chosen, 2)
    )


def test_three_l1_balls_meet_when_every_two_do():
    rng = np.random.default_rng(4)
    for _ in range(60):
        x = rng.integers(-6, 7, (3, 4))
        eps = max(int(np.abs(x[u] - x[v]).sum()) for u, v in ((0, 1), (0, 2), (1, 2))) / 2
        assert l1_balls_meet(x, eps)


@pytest.mark.parametrize("seed", range(25))
def test_the_half_integral_cover_is_optimal_and_persistent(seed):
    rng = np.random.default_rng(seed)
    n = 9
    edges = [(u, v) for u, v in itertools.combinations(range(n), 2) if rng.random() < 0.3]
    tails, heads = (np.array([e[k] for e in edges], int) for k in (0, 1))
    weights = [1] * n if seed % 2 else rng.integers(0, 5, n).tolist()
    half = half_integral(n, tails, heads, weights)
    rows = np.zeros((len(edges), n))
    rows[np.arange(len(edges)), tails] = rows[np.arange(len(edges)), heads] = -1
    solved = linprog(weights, A_ub=rows, b_ub=-np.ones(len(edges)), bounds=(0, 1))
    assert sum(w * c for w, c in zip(weights, half.doubled.tolist(), strict=True)) / 2 == pytest.approx(solved.fun)
    covers = [c for c in itertools.product([0, 1], repeat=n) if all(c[u] or c[v] for u, v in edges)]
    weigh = {c: sum(w for w, x in zip(weights, c, strict=True) if x) for c in covers}
    least = min(weigh.values())
    fixed = [v for v in range(n) if half.doubled[v] != 1]
    assert any(weigh[c] == least and all(2 * c[v] == half.doubled[v] for v in fixed) for c in covers)
    for u, v, amount in zip(half.tails, half.heads, half.doubled_amounts, strict=True):
        assert amount == 0 or (half.doubled[u] == 1) == (half.doubled[v] == 1)


def test_bipartite_parts_leave_no_kernel():
    # A path, an even ring and a pair have no odd cycle; a triangle hanging on a path keeps what it must.
    edges = [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7), (7, 4), (8, 9)]
    tails, heads = (np.array([e[k] for e in edges]) for k in (0, 1))
    assert len(half_integral(10, tails, heads, [1] * 10).kernel) == 0
    assert len(half_integral(10, tails, heads, [3] * 10).kernel) == 0
    triangle = np.array([0, 1, 2]), np.array([1, 2, 0])
    assert half_integral(3, *triangle, [1] * 3).kernel.tolist() == [0, 1, 2]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::7])
def test_a_point_beside_the_kernel_is_settled_the_right_way_round(order):
    # A triangle 0, 1, 2 with a tail 0 - 3 - 4: the free end 4 is kept, 3 is not, whatever the points are called.
    edges = [(0, 1), (1, 2), (2, 0), (0, 3), (3, 4)]
    tails, heads = (np.array([order[e[k]] for e in edges]) for k in (0, 1))
    doubled = half_integral(5, tails, heads, [1] * 5).doubled
    assert [doubled[order[v]] for v in range(5)] == [1, 1, 1, 2, 0]


def ring(n, weight=1):
    near = {v: frozenset({(v - 1) % n, (v + 1) % n}) for v in range(n)}
    return Kernel(near, {v: v % 2 if v < n - 1 else 2 for v in range(n)}, dict.fromkeys(range(n), weight))


@pytest.mark.parametrize("n", [5, 9, 21])
def test_odd_rings_are_solved_both_ways(n):
    bounds = fractional(ring(n, 4), None, Effort(10**6))
    assert bounds.low == bounds.high == 2 * n
    low, high, kept = integral(ring(n, 4), Effort(10**6))
    assert low == high == 4 * (n // 2) == 4 * len(kept)


def test_heavy_sets_lists_what_enumeration_lists():
    rng = np.random.default_rng(0)
    n = 14
    labels = {v: v % 4 for v in range(n)}
    near = {v: frozenset(u for u in range(n) if labels[u] != labels[v]) for v in range(n)}
    for u, v in itertools.combinations(range(n), 2):
        if rng.random() < 0.4:
            near[u] -= {v}
            near[v] -= {u}
    q = {v: Fraction(int(rng.integers(0, 6)), 10) for v in range(n)}
    heavy = [
        s
        for k in (3, 4)
        for s in itertools.combinations(range(n), k)
        if all(v in near[u] for u, v in itertools.combinations(s, 2)) and sum(q[v] for v in s) > 1
    ]
    found = set(heavy_sets(near, labels, q, None, Fraction(1)))
    assert heavy
    assert all(sum(q[v] for v in s) > 1 for s in found)
    assert all(v in near[u] for s in found for u, v in itertools.combinations(s, 2))
    assert all(any(len(set(s) & set(f)) >= 3 for f in found) for s in heavy)
    assert not list(heavy_sets(near, labels, q, None, Fraction(3)))
    with pytest.raises(TooMuchWork):
        list(heavy_sets(near, labels, q, None, Fraction(1), limit=5))


def test_the_packing_bound_is_a_bound_whatever_is_packed():
    weights = {0: 2, 1: 3, 2: 5}
    assert packing_bound(weights, {}) == 10
    assert packing_bound(weights, {(0, 1): Fraction(2)}) == 8
    assert packing_bound(weights, {(0, 1): Fraction(9)}) == 14  # overpacked: weaker, still true
    assert packing_bound(weights, {(0, 1, 2): Fraction(2), (1, 2): Fraction(1)}) == 5
