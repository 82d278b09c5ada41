r"""How fast mass gathers near a decision boundary: lim Pr[X in B(DB(f), eps)] / eps (TRADES, Theorem C.1).

X has independent coordinates of density exp(-(2 Gamma(1 + 1/p) |x|)^p): p = 1 is Laplace exp(-2|x|), p = 2 the normal
law of variance 1/(2 pi), p = infinity the uniform law on [-1/2, 1/2]. All are even and 1 at their peak, so M(0) = 0 in
the theorem's exp(-M), and sqrt(M) is a multiple of |x|^(p/2), convex exactly for **p >= 2**.

**The rate of a smooth boundary.** The points whose l_q ball meets the hyperplane n.x = t are those with
|n.x - t| <= eps |n|_q', where q' is dual to q (Hoelder). So a half-space has the rate |n|_q' (g(t-) + g(t+)), with g
the density of n.X, and a piecewise smooth boundary of unit normal n(x) has twice its integral of |n(x)|_q' times the
density of X. For q = 2 this is twice the boundary measure mu^+: one half for each side of the boundary.

**The theorem's constant** is lost in the text; it is c = 2. For A = {f > 0} and B(DB(f), eps) as in section 2.1, the
points of B(DB(f), eps) outside A are those of A_eps minus A, and those inside are those of (A^c)_eps minus A^c, so the
rate is at least mu^+(A) + mu^+(A^c) >= 2 I(gamma) = 2 by Lemma C.2; {x_1 > 0} attains it under every one of these laws.
(Equations (9) and (10) subtract Pr[sign f = +-1] once too often: as printed, both sides are minus infinity.)

**Where it ends.** In the plane the half-space n.x > 0 has g(0) = 1/|n|_p, so its rate is 2 |n|_q' / |n|_p: below 2 in
some direction exactly if q' > p. Hence "a half-space minimises, for products of log-concave laws" (start of C.1) fails

* for p < 2 under the Euclidean ball: the diagonal under Laplace has 2^(1/2) < 2, and mu^+ = 2^(1/2 - 1/p) in general;
* for q < 2 under the normal law: x_1 + ... + x_d > 0 under l_1 has 2 / sqrt(d), so no constant c > 0 is left;
* for Laplace under every norm: q = infinity leaves no half-plane below 2, but the centred disc of mass 1/2 has 1.929.

For q >= 2 and p >= 2 the theorem stands, since the l_q ball holds the Euclidean one. Nor does *any* half-space minimise
for p > 2: the diagonal of the uniform square has 2 sqrt(2), so "linear classifier" must read "one along a coordinate".

>>> print(f"{boundary_rate(half_space([1, 1]), ExponentialPower(1, 2)):.12f}")
[1.414213562373, 1.414213562374]
>>> boundary_rate(half_space([1, 1]), ExponentialPower(1, 2), ord=math.inf).fraction
Fraction(2, 1)
>>> boundary_rate(half_space([1] * 9), ExponentialPower(2, 9), ord=1).fraction
Fraction(2, 3)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory import special
from theory.arbs import enclose, to_arb, working_precision
from theory.boxes import Boxes, neighbours
from theory.enclosure import Enclosure, Undecided, as_enclosure
from theory.numbers import Exact, as_fraction
from theory.table import Table
from theory.trades.exponential_power import (
    ExponentialPower,
    ball_power,
    complex_power,
    edge,
    integral,
    peak_scale,
    projection_density,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

# ---- regions: each stands for {f > 0} and for its boundary ----


@dataclass(frozen=True, slots=True)
class Hyperplanes:
    """f(x) = product of (n.x - t) over ``planes`` = ((n, t), ...); the boundary is the union of the hyperplanes.

    Where two of them cross, their neighbourhoods share O(eps^2), so the rates add. Raises ``ValueError`` for n = 0, for
    normals of different length, or for one hyperplane named twice (f does not change its sign there).
    """

    planes: tuple[tuple[tuple[Fraction, ...], Fraction | Enclosure], ...]

    def __init__(self, planes: Sequence[tuple[Sequence[Exact], Exact | Enclosure]]) -> None:
        made = []
        for normal, t in planes:
            n = tuple(as_fraction(x, "normal") for x in normal)
            if not any(n):
                raise ValueError(f"normal {list(normal)} is zero; a hyperplane needs a direction")
            made.append((n, t if isinstance(t, Enclosure) else as_fraction(t, "threshold")))
        if not made or len({len(n) for n, _ in made}) > 1:
            raise ValueError("hyperplanes need at least one normal, and all normals one length")
        for i, (n, t) in enumerate(made):
            for m, s in made[:i]:
                k = next(j for j, x in enumerate(n) if x)
                if m[k] and all(x * m[k] == y * n[k] for x, y in zip(n, m, strict=True)) and t * m[k] == s * n[k]:
                    raise ValueError(f"hyperplane {i + 1} is named twice; f would not change its sign there")
        object.__setattr__(self, "planes", tuple(made))

    @property
    def dim(self) -> int:
        return len(self.planes[0][0])


@dataclass(frozen=True, slots=True)
class Sphere:
    """The centred Euclidean ball |x|_2 <= radius in ``dim`` dimensions."""

    radius: Fraction | Enclosure
    dim: int

    def __init__(self, radius: Exact | Enclosure, dim: int) -> None:
        object.__setattr__(self, "radius", _radius(radius))
        object.__setattr__(self, "dim", dim)


@dataclass(frozen=True, slots=True)
class QuarterDisc:
    """The points of the square [-1/2, 1/2]^2 within ``radius`` <= 1 of its corner (-1/2, -1/2)."""

    radius: Fraction | Enclosure

    def __init__(self, radius: Exact | Enclosure) -> None:
        object.__setattr__(self, "radius", _radius(radius))

    @property
    def dim(self) -> int:
        return 2


Region = Hyperplanes | Sphere | QuarterDisc | Boxes


def half_space(normal: Sequence[Exact], threshold: Exact | Enclosure = 0) -> Hyperplanes:
    """{x : normal.x > threshold}; of probability 1/2 if the threshold is 0."""
    return Hyperplanes([(normal, threshold)])


def strip(half_width: Exact | Enclosure, dim: int) -> Hyperplanes:
    """{x : |x_1| > half_width}; of probability 1/2 at `median_half_width`."""
    a = _radius(half_width)
    e = [1] + [0] * (dim - 1)
    return Hyperplanes([(e, a), (e, -a)])


def xor(dim: int = 2) -> Hyperplanes:
    """{x : x_1 x_2 ... x_dim > 0}, a union of orthants; of probability 1/2."""
    return Hyperplanes([([int(i == j) for j in range(dim)], 0) for i in range(dim)])


def median_half_width(law: ExponentialPower) -> Enclosure:
    """The a with P(|x_1| > a) = 1/2.

    >>> print(f"{median_half_width(ExponentialPower(2, 1)):.12f}")
    [0.269082479050, 0.269082479051]
    """
    if math.isinf(law.shape):
        return Enclosure.exact("1/4")
    with working_precision():
        s, half, c, p = to_arb(1 / law.finite), to_arb("1/2"), peak_scale(law.finite), to_arb(law.finite)
        return _root(lambda a: half - ((c * a) ** p).gamma_upper(s, 1))


def median_radius(law: ExponentialPower) -> Enclosure:
    """The r with P(|X|_2 <= r) = 1/2: for the normal law in any dimension, for all others in the plane.

    >>> print(f"{median_radius(ExponentialPower(math.inf, 2)):.12f}")  # 1 / sqrt(2 pi)
    [0.398942280401, 0.398942280402]
    """
    with working_precision():
        half = to_arb("1/2")
        if law.shape == 2:
            s, pi = to_arb(Fraction(law.dim, 2)), half.pi()
            return _root(lambda r: half - (pi * r * r).gamma_upper(s, 1))
        _plane(law, "a median radius")
        if math.isinf(law.shape):
            return enclose(1 / (2 * half.pi()).sqrt())
        return _root(lambda r: _disc_mass(r, law.finite) - half)


# ---- the rate ----


def boundary_rate(region: Region, law: ExponentialPower, ord: float = 2) -> Enclosure:
    """lim of Pr[X in B(DB(f), eps)] / eps as eps falls to 0, for balls of the norm ``ord`` (1, 2 or inf) in R^d.

    ``Boxes`` (unions of boxes) have axis-parallel faces, whose unit normals have norm 1 in every norm. Raises
    ``ValueError`` for another norm, a region of another dimension, or a law for which the rate is not implemented.

    >>> law = ExponentialPower(2, 2)
    >>> print(f"{boundary_rate(strip(median_half_width(law), 2), law):.9f}")
    [3.186190968, 3.186190969]
    >>> print(f"{boundary_rate(Sphere(median_radius(law), 2), law):.9f}")
    [2.951329253, 2.951329254]
    >>> boundary_rate(Boxes([((0, None), (0, None)), ((None, 0), (None, 0))]), law).fraction
    Fraction(4, 1)
    """
    if ord not in (1, 2, math.inf):
        raise ValueError(f"norm {ord!r} is not supported; allowed are 1, 2 and inf")
    if region.dim != law.dim:
        raise ValueError(f"the region has {region.dim} dimensions but the law has {law.dim}; they must agree")
    if isinstance(region, Hyperplanes):
        total = Enclosure.exact(0)
        for normal, t in region.planes:
            total = total + 2 * _half_space_rate(normal, t, law, ord)
        return total
    if isinstance(region, Boxes):
        return _faces(region, law)
    with working_precision():
        radius = to_arb(region.radius)
        if isinstance(region, QuarterDisc):
            if not math.isinf(law.shape):
                raise ValueError(f"a quarter disc is cut from the uniform square; the law has shape {law.shape}")
            if not as_enclosure(region.radius) <= 1:
                raise ValueError(f"radius {region.radius} is above 1, where the arc leaves the square")
            return enclose(2 * radius * 2 * _arc(radius.pi() / 4, ord))
        if law.shape == 2:
            s = to_arb(Fraction(law.dim, 2))
            surface = 2 * radius.pi() ** s / s.gamma() * radius ** (law.dim - 1)
            return enclose(2 * surface * (-radius.pi() * radius * radius).exp() * _mean_dual(law.dim, ord))
        _plane(law, "a sphere")
        return enclose(_circle(radius, law, ord))


def _half_space_rate(normal: Sequence[Fraction], t: Exact | Enclosure, law: ExponentialPower, ord: float) -> Enclosure:
    """|n|_q' times the density of n.X at t; the two norms cancel exactly for the normal law and the Euclidean ball."""
    if law.shape == ord == 2 and as_enclosure(t).is_exact:
        square = as_enclosure(t).fraction ** 2 / sum(x * x for x in normal)
        return special.exp(-square * _pi()) if square else Enclosure.exact(1)
    return projection_density(normal, t, law) * _dual_norm(normal, ord)


# ---- what is shown ----


def competitors(law: ExponentialPower, ord: float = 2) -> Table:
    """Classifiers with Pr[f > 0] = 1/2 and their rates; ``below_2`` says whether one beats the theorem's 2.

    None there means that the enclosure holds 2: under Laplace the strip has exactly 2, for rho(a) = P(|x_1| > a).

    >>> print(competitors(ExponentialPower(math.inf, 2)))
    classifier     rate                  excess                below_2
    -------------  --------------------  --------------------  -------
    x_1 > 0        2                     0                     no
    x_1 + x_2 > 0  [2.828427, 2.828428]  [0.828427, 0.828428]  no
    |x_1| > a      4                     2                     no
    x_1 x_2 > 0    4                     2                     no
    |x| < r        [5.013256, 5.013257]  [3.013256, 3.013257]  no
    quarter disc   [2.506628, 2.506629]  [0.506628, 0.506629]  no
    """
    d = law.dim
    rows: list[dict[str, Any]] = []

    def add(name: str, region: Region) -> None:
        rate = boundary_rate(region, law, ord)
        apart = not rate.overlaps(2) or rate.is_exact
        rows.append({"classifier": name, "rate": rate, "excess": rate - 2, "below_2": rate < 2 if apart else None})

    add("x_1 > 0", half_space([1] + [0] * (d - 1)))
    for k in range(2, d + 1):
        if k < 4 or law.shape in (1, 2, math.inf):
            name = " + ".join(f"x_{i + 1}" for i in range(k)) if k < 4 else f"x_1 + ... + x_{k}"
            add(f"{name} > 0", half_space([1] * k + [0] * (d - k)))
    add("|x_1| > a", strip(median_half_width(law), d))
    if d >= 2:
        add("x_1 x_2 > 0", Hyperplanes([([1, *[0] * (d - 1)], 0), ([0, 1, *[0] * (d - 2)], 0)]))
    if law.shape == 2 or d == 2:
        add("|x| < r", Sphere(median_radius(law), d))
    if math.isinf(law.shape) and d == 2:
        add("quarter disc", QuarterDisc(special.sqrt(Enclosure.exact(2) / _pi())))
    return Table(["classifier", "rate", "excess", "below_2"], rows)


def figure(grid: Sequence[Exact] = (1, "3/2", 2, "5/2", 3, 4, 5, 6)) -> Figure:
    """Rates in the plane: half-spaces by angle, and competitors by the shape of the law, against the theorem's 2.

    ``grid`` holds the shapes of the competitors; each costs about a second.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    fig = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    colours = mpl.colormaps["viridis"]
    shapes: list[Exact | float] = [1, "3/2", 2, 3, math.inf]
    slopes = [Fraction(i, 40) for i in range(41)]
    angles = [math.degrees(math.atan(s)) for s in slopes]
    for i, shape in enumerate(shapes):
        law = ExponentialPower(shape, 2)
        rates = [_middle(boundary_rate(half_space([1, s]), law)) for s in slopes]
        left.plot(angles, rates, color=colours(i / len(shapes)), label=f"p = {shape}")
    left.set(xlabel="angle of the normal, degrees", ylabel="rate", title="half-planes through 0, Euclidean ball")
    lines: dict[str, list[float]] = {}
    for p in grid:
        for row in competitors(ExponentialPower(p, 2)).rows:
            lines.setdefault(str(row["classifier"]), []).append(_middle(row["rate"]))
    for name, values in lines.items():
        right.plot([float(as_fraction(p)) for p in grid], values, label=f"${name}$")
    right.set(xlabel="shape p of the law exp(-M), M ~ |x|^p", title="classifiers with Pr[f > 0] = 1/2")
    for axes in (left, right):
        axes.axhline(2, color="black", linewidth=0.8, linestyle=":")
        axes.legend(fontsize=8)
    right.axvline(2, color="grey", linewidth=0.8, linestyle=":")
    return fig


def _dual_norm(normal: Sequence[Fraction], ord: float) -> Enclosure:
    sizes = [abs(x) for x in normal]
    if ord == 2:
        return special.sqrt(sum(x * x for x in sizes))
    return Enclosure.exact(max(sizes) if ord == 1 else sum(sizes))


# ---- curved boundaries, and faces of boxes ----


def _arc(angle: Any, ord: float) -> Any:
    """The integral of |(cos, sin)|_q' over [0, angle], angle <= pi/4."""
    if ord == 2:
        return angle
    return angle.sin() if ord == 1 else angle.sin() + 1 - angle.cos()


def _circle(radius: Any, law: ExponentialPower, ord: float) -> Any:
    """2 r times the integral of |n|_q' rho(r cos) rho(r sin) over the circle: 16 r times that over [0, pi/4]."""
    from flint import acb, arb

    quarter = arb.pi() / 4
    if math.isinf(law.shape):
        if radius <= arb(1) / 2:
            start = arb(0)
        elif radius > arb(1) / 2:
            start = (1 / (2 * radius)).acos()
            if start >= quarter:
                return arb(0)
        else:
            raise Undecided(f"cannot tell whether the radius {radius} exceeds 1/2, where the circle leaves the square")
        return 16 * radius * (_arc(quarter, ord) - _arc(start, ord))
    p, cut = law.finite, edge()
    scaled = ball_power(peak_scale(p) * radius, p)

    def along(z: Any) -> Any:
        weight = acb(1) if ord == 2 else z.cos() if ord == 1 else z.cos() + z.sin()
        return weight * (-acb(scaled) * (complex_power(z.cos(), p) + complex_power(z.sin(), p))).exp()

    return 16 * radius * (integral(along, cut, quarter) + arb(0).union(2 * cut))


def _disc_mass(radius: Any, p: Fraction) -> Any:
    """P(|X|_2 <= r) in the plane: the radial integral is P(2/p, k^p r^p g) Gamma(2/p) / (p k^2 g^(2/p))."""
    from flint import acb, arb

    p_, cut = to_arb(p), edge()
    scaled = ball_power(peak_scale(p) * radius, p)

    def along(z: Any) -> Any:
        g = complex_power(z.cos(), p) + complex_power(z.sin(), p)
        x = acb(scaled) * g
        # flint's incomplete gamma is slow at the integer 2/p = 2, which has an elementary form
        mass = 1 - (-x).exp() * (1 + x) if p == 1 else x.gamma_lower(acb(2 / p_), 1)
        return mass * (-(g.log() * 2 / p_)).exp()

    whole = (2 / p_).gamma() / (p_ * peak_scale(p) ** 2)
    # cos^p + sin^p >= 2^(-p/2) on the piece left out
    return 8 * whole * (integral(along, cut, arb.pi() / 4) + arb(0).union(2 * cut))


def _mean_dual(dim: int, ord: float) -> Any:
    """The mean of |n|_q' over unit vectors n: 1, E|n|_1 = d Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)), or E max |n_i|.

    The last is E max |G_i| / E |G|_2 for normal G; E max |G_i| is the integral of 1 - erf(x/sqrt 2)^d, whose tail
    beyond T is at most 2 d phi(T).
    """
    from flint import acb, arb

    half = to_arb(Fraction(dim, 2))
    if ord == 2:
        return arb(1)
    if ord == math.inf:
        return dim * half.gamma() / (arb.pi().sqrt() * (half + arb(1) / 2).gamma())
    far = arb(16)
    largest = integral(lambda x: 1 - (x / acb(2).sqrt()).erf() ** dim, 0, far)
    largest += arb(0).union(2 * dim * (-far * far / 2).exp())
    return largest * half.gamma() / (arb(2).sqrt() * (half + arb(1) / 2).gamma())


def _faces(region: Boxes, law: ExponentialPower) -> Enclosure:
    """Twice the sum over all faces of (density across) times (mass along)."""
    import numpy as np

    total = Enclosure.exact(0)
    widths = [
        [law.between(lo, hi) for lo, hi in zip((None, *axis), (*axis, None), strict=True)] for axis in region.edges
    ]
    for a, axis in enumerate(region.edges):
        below, above = neighbours(region.mask, a)
        for where in zip(*np.nonzero(below != above), strict=True):
            face = law.density(axis[int(where[a])])
            for b, cell in enumerate(where):
                if b != a:
                    face = face * widths[b][int(cell)]
            total = total + 2 * face
    return total


# ---- machinery ----


def _root(rising: Callable[[Any], Any]) -> Enclosure:
    """The zero above 1/64 of a rising function of an arb: floats propose a bracket, proved signs confirm it."""
    from scipy.optimize import brentq

    top = 0.5
    while not rising(to_arb(Fraction(top))) > 0:
        top *= 2
    guess = Fraction(brentq(lambda x: float(rising(to_arb(Fraction(x))).mid()), 2**-6, top, xtol=1e-14))
    lo, hi = guess - Fraction(1, 2**40), guess + Fraction(1, 2**40)
    if not (rising(to_arb(lo)) < 0 < rising(to_arb(hi))):
        raise Undecided(f"cannot prove that a median lies near {float(guess)}")
    while hi - lo > Fraction(1, 2**80):
        middle = (lo + hi) / 2
        value = rising(to_arb(middle))
        if not (value > 0 or value < 0):
            break
        lo, hi = (lo, middle) if value > 0 else (middle, hi)
    return Enclosure(lo, hi, "bisection with ball arithmetic")


def _radius(radius: Exact | Enclosure) -> Fraction | Enclosure:
    made = radius if isinstance(radius, Enclosure) else as_fraction(radius, "radius")
    if not made > 0:
        raise ValueError(f"radius {radius} is not positive; a strip or ball has a positive one")
    return made


def _plane(law: ExponentialPower, what: str) -> None:
    if law.dim != 2:
        raise ValueError(
            f"{what} under shape {law.shape} is implemented in 2 dimensions, not {law.dim}; the normal law has all"
        )


def _pi() -> Enclosure:
    with working_precision():
        return enclose(to_arb(0).pi())


def _middle(x: Any) -> float:
    return float((as_enclosure(x).lo + as_enclosure(x).hi) / 2)
