"""The frontier on the sign-and-Gaussians law enclosed by linear programming: no closed form, no theory of thresholds.

The line of z is cut into cells of width h = r/k. Let phi be the probability of predicting +1 given x_1 = +1, as a
function of z; by symmetry 1 - phi(-z) serves x_1 = -1. Two programmes enclose the best robust accuracy of all
classifiers whose standard accuracy is at least 1 - delta:

* **lower**: phi constant on cells. Its minimum over [z - r, z + r] is its least value over the 2k + 1 nearest cells, so
  the value of the programme is the robust accuracy of a real classifier;
* **upper**: for any phi at all, let a and b be its means over a cell under N(s, 1) and N(-s, 1). The window of any z
  covers the 2k - 1 nearest cells whole, so the minimum there is at most their a and b. The ratio of the two densities
  varies by exp(2 s h) over a cell, which ties b to a. The programme with these constraints only can only be larger.

For 1 <= eps < 2 the adversary also reaches x_1 = 0 (and a zone around it) from both sides, where a function psi with
psi(z) + psi(-z) <= 1 decides; for eps >= 2 it reaches x_1 = -1 from +1.

Nothing rests on the solver: the lower end re-evaluates the primal point it returned, the upper end is the value of its
dual point by weak duality over the box [0, 1], and a rounding allowance of 10^-11 is part of both.

>>> from theory.odds.signgaussian import SignGaussian
>>> law = SignGaussian("0.95", "0.03", 10_000)
>>> bounds = frontier_by_lp(law, "0.09", "0.01", cells=100)
>>> print(f"{bounds:.2f}")
[0.18, 0.19]
>>> from theory.odds.frontier import frontier_at
>>> bounds.contains(frontier_at(law, "0.09", "0.01").robust_accuracy)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.arbs import to_float
from theory.enclosure import Enclosure
from theory.numbers import Exact, as_fraction
from theory.odds.signgaussian import SignGaussian, bayes_classifier, radius, standard_accuracy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROUNDING = Fraction(1, 10**11)
_TAIL = 7.0
"""Cells reach so many standard deviations beyond +-s; what is beyond forms two half-lines."""


def frontier_by_lp(law: SignGaussian, eps: Exact, delta: Exact | None, cells: int = 400) -> Enclosure:
    """The best robust accuracy of any classifier of standard accuracy at least 1 - delta (None: of any), any eps >= 0.

    ``cells`` is about how many cells the line is cut into; the enclosure narrows like 1 / cells. Raises ``ValueError``
    when no classifier is that accurate, or when cells < 20.
    """
    eps, share = radius(eps), None if delta is None else as_fraction(delta, "delta")
    if cells < 20:
        raise ValueError(f"cells {cells} are too few; allowed are 20 or more")
    if share is not None and 1 - share > standard_accuracy(bayes_classifier(law), law):
        raise ValueError(f"delta {share} asks for more than the Bayes accuracy, which no classifier exceeds")
    grid = _grid(law, eps, cells)
    lo = _lower(grid, share)
    hi = _upper(grid, share)
    return Enclosure(
        max(Fraction(0), Fraction(lo) - _ROUNDING), min(Fraction(1), Fraction(hi) + _ROUNDING), "linear programming"
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """Cells symmetric about 0, the outermost two half-lines; masses under N(s, 1), and the reach in cells."""

    p: float
    eps: Fraction
    mass: NDArray[np.float64]
    reach: int
    tie: float  # exp(2 s h): the densities' ratio varies by so much over a cell

    @property
    def size(self) -> int:
        return len(self.mass)


def _grid(law: SignGaussian, eps: Fraction, cells: int) -> _Grid:
    import numpy as np
    from scipy.special import ndtr

    s, r = to_float(law.signal), float(eps) * law.d**0.5
    width = 2 * (s + _TAIL) / cells
    reach = int(np.ceil(r / width))
    if reach:
        width = r / reach
    half = int(np.ceil((s + _TAIL) / width))
    borders = width * np.arange(-half, half + 1)
    # The smaller tail keeps its digits: P(cell) = Phi(b) - Phi(a) left of the mean, else 1 - ... of both.
    left, right = borders[:-1] - s, borders[1:] - s
    inner = np.where(left < 0, ndtr(right) - ndtr(left), ndtr(-left) - ndtr(-right))
    mass = np.concatenate(([ndtr(borders[0] - s)], inner, [ndtr(s - borders[-1])]))
    return _Grid(float(law.reliability), eps, mass, min(reach, len(mass)), float(np.exp(2 * s * width)))


class _Programme:
    """max c.x over x in [0, 1]^n subject to rows a.x <= b, collected as triplets."""

    def __init__(self) -> None:
        self.size = 0
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.entries: list[float] = []
        self.bounds: list[float] = []

    def variables(self, n: int) -> NDArray[np.int64]:
        import numpy as np

        self.size += n
        return np.arange(self.size - n, self.size)

    def add(self, terms: dict[int, float], bound: float) -> None:
        """The row sum of entry * variable <= bound."""
        self.rows += [len(self.bounds)] * len(terms)
        self.columns += terms.keys()
        self.entries += terms.values()
        self.bounds.append(bound)

    def below(self, small: int, large: int) -> None:
        self.add({small: 1.0, large: -1.0}, 0.0)

    def below_windows(self, small: NDArray[np.int64], values: NDArray[np.int64], reach: int) -> None:
        """small[j] <= values[k] for |k - j| <= reach, by minima over runs of 1, 2, 4, ... cells."""
        n = len(values)
        runs = [values]
        while 2 ** len(runs) <= min(n, 2 * reach + 1):
            last, half = runs[-1], 2 ** (len(runs) - 1)
            longer = self.variables(n - 2 * half + 1)
            for k, run in enumerate(longer.tolist()):
                self.below(run, int(last[k]))
                self.below(run, int(last[k + half]))
            runs.append(longer)
        for j, variable in enumerate(small.tolist()):
            first, last_cell = max(0, j - reach), min(n - 1, j + reach)
            level = (last_cell - first + 1).bit_length() - 1
            self.below(variable, int(runs[level][first]))
            self.below(variable, int(runs[level][last_cell - 2**level + 1]))

    def solve(self, gain: dict[int, float]) -> tuple[NDArray[np.float64], float]:
        """The solver's point, and the bound that its multipliers y prove: b.y + sum of max(0, c - A'y)."""
        import numpy as np
        from scipy.optimize import linprog
        from scipy.sparse import csr_matrix

        matrix = csr_matrix((self.entries, (self.rows, self.columns)), shape=(len(self.bounds), self.size))
        c = np.zeros(self.size)
        c[list(gain)] = list(gain.values())
        found = linprog(-c, A_ub=matrix, b_ub=self.bounds, bounds=(0, 1), method="highs")
        if found.x is None:
            raise ArithmeticError(f"the solver found no point: {found.message}")
        multipliers = np.maximum(0.0, -found.ineqlin.marginals)
        bound = float(np.dot(self.bounds, multipliers) + np.maximum(0.0, c - matrix.T @ multipliers).sum())
        return found.x, bound


def _lower(grid: _Grid, delta: Fraction | None) -> float:
    """The robust accuracy of a classifier that is constant on cells."""
    import numpy as np

    n, programme = grid.size, _Programme()
    phi = programme.variables(n)
    gain, psi = _robust_part(programme, grid, phi, phi, grid.reach, whole=True)
    if delta is not None:
        _demand(programme, grid, phi, phi, float(1 - delta))
    x, _ = programme.solve(gain)
    rule = np.clip(x[phi], 0.0, 1.0)
    zero = np.clip(x[psi], 0.0, 1.0) if psi is not None else np.full(n, 0.5)
    zero = (zero + 1 - zero[::-1]) / 2
    if delta is not None:
        # The solver may miss the demand by its tolerance; a little of the most accurate cell rule makes up for it.
        best = (grid.p * grid.mass > (1 - grid.p) * grid.mass[::-1]).astype(float)
        missing, room = float(1 - delta) + 1e-13 - _standard(grid, rule), _standard(grid, best) - _standard(grid, rule)
        if missing > 0:
            if missing > room:
                return 0.0
            rule = rule + missing / room * (best - rule)
    return _robust(grid, rule, zero)


def _upper(grid: _Grid, delta: Fraction | None) -> float:
    """A bound on the robust accuracy of every classifier."""
    n, programme = grid.size, _Programme()
    a, b = programme.variables(n), programme.variables(n)
    gain, _ = _robust_part(programme, grid, a, b, grid.reach - 1, whole=False)
    for first, second in zip(a[1:-1].tolist(), b[1:-1].tolist(), strict=True):
        for x, y in ((first, second), (second, first)):
            programme.add({y: 1.0, x: -grid.tie}, 0.0)  # y <= tie x
            programme.add({x: grid.tie, y: -1.0}, grid.tie - 1)  # 1 - y <= tie (1 - x), with the roles of x and y
    if delta is not None:
        _demand(programme, grid, a, b, float(1 - delta))
    return programme.solve(gain)[1]


def _robust_part(
    programme: _Programme,
    grid: _Grid,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    reach: int,
    *,
    whole: bool,
) -> tuple[dict[int, float], NDArray[np.int64] | None]:
    """Variables for the chance of withstanding the attack when y = +1; their weights, and the variables of psi.

    ``whole``: the half-lines at the ends are cells like any other (for a classifier constant on them). Else nothing is
    known of a function's least value there, and points there count as withstanding.
    """
    n = grid.size
    inside = slice(None) if whole else slice(1, -1)
    agree, differ = programme.variables(n), programme.variables(n)  # x_1 = +1 and x_1 = -1
    gain = {int(v): grid.p * float(w) for v, w in zip(agree, grid.mass, strict=True)}
    gain |= {int(v): (1 - grid.p) * float(w) for v, w in zip(differ, grid.mass, strict=True)}
    if reach < 0:  # eps = 0: no window at all, means are means
        for j in range(n):
            programme.below(int(agree[j]), int(a[j]))
            programme.add({int(differ[j]): 1.0, int(b[n - 1 - j]): 1.0}, 1.0)
        return gain, None
    low, mirrored = programme.variables(n), programme.variables(n)
    for k in range(n):
        for values in {id(a): a, id(b): b}.values():
            programme.below(int(low[k]), int(values[k]))
            programme.add({int(mirrored[k]): 1.0, int(values[n - 1 - k]): 1.0}, 1.0)
    psi = None
    seen = [[low], [mirrored]]
    if grid.eps >= 2:
        seen = [[low, mirrored]] * 2
    elif grid.eps >= 1:
        psi = programme.variables(n)
        for k in range((n + 1) // 2):
            programme.add({int(psi[k]): 1.0, int(psi[n - 1 - k]): 1.0}, 1.0)
        seen = [[low, psi], [mirrored, psi]]
    for small, functions in zip((agree, differ), seen, strict=True):
        for values in functions:
            programme.below_windows(small[inside], values[inside], reach)
    return gain, psi


def _demand(
    programme: _Programme, grid: _Grid, a: NDArray[np.int64], b: NDArray[np.int64], accuracy: float
) -> None:
    """Standard accuracy p sum mass a + (1-p) sum mass (1 - b mirrored) >= accuracy."""
    terms: dict[int, float] = {}
    for j, mass in enumerate(grid.mass.tolist()):
        first, second = int(a[j]), int(b[len(b) - 1 - j])
        terms[first] = terms.get(first, 0.0) - grid.p * mass
        terms[second] = terms.get(second, 0.0) + (1 - grid.p) * mass
    programme.add(terms, (1 - grid.p) * float(grid.mass.sum()) - accuracy)


def _standard(grid: _Grid, rule: Any) -> float:
    return float(grid.p * grid.mass @ rule + (1 - grid.p) * grid.mass @ (1 - rule[::-1]))


def _robust(grid: _Grid, rule: Any, zero: Any) -> float:
    """The robust accuracy of a rule that is constant on cells, with the function ``zero`` at x_1 = 0."""
    import numpy as np
    from scipy.ndimage import minimum_filter1d

    def least(values: Any) -> Any:
        return minimum_filter1d(values, 2 * grid.reach + 1, mode="nearest")

    agree, differ = least(rule), least(1 - rule[::-1])
    if grid.eps >= 2:
        agree = differ = np.minimum(agree, differ)
    elif grid.eps >= 1:
        agree, differ = np.minimum(agree, least(zero)), np.minimum(differ, least(zero))
    return float(grid.mass @ (grid.p * agree + (1 - grid.p) * differ))
