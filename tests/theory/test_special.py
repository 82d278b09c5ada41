"""Special functions against independent routes: mpmath, scipy, exact binomial sums, and the functions' own inverses."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theory import special
from theory.enclosure import Enclosure, Undecided

INF = math.inf
REALS = st.fractions(-12, 12, max_denominator=1000)
POSITIVE = st.fractions(Fraction(1, 1000), 40, max_denominator=1000)
UNIT = st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000)
SHAPES = st.fractions(Fraction(1, 4), 30, max_denominator=12)

ORACLES = {
    "exp": (special.exp, mpmath.exp, REALS),
    "log": (special.log, mpmath.log, POSITIVE),
    "log2": (special.log2, lambda t: mpmath.log(t, 2), POSITIVE),
    "sqrt": (special.sqrt, mpmath.sqrt, POSITIVE),
    "tanh": (special.tanh, mpmath.tanh, REALS),
    "gamma": (special.gamma, mpmath.gamma, POSITIVE),
    "erf": (special.erf, mpmath.erf, REALS),
    "normal_cdf": (special.normal_cdf, mpmath.ncdf, REALS),
    "normal_pdf": (special.normal_pdf, mpmath.npdf, REALS),
    "normal_quantile": (special.normal_quantile, lambda t: mpmath.sqrt(2) * mpmath.erfinv(2 * t - 1), UNIT),
}


def as_mpf(x):
    return mpmath.mpf(x.numerator) / x.denominator


def as_exact(value):
    """The dyadic number an mpf is."""
    sign, mantissa, exponent, _ = value._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent


def holds(enclosure, value):
    """Whether the enclosure contains an mpmath value, up to that value's own rounding error at 60 digits."""
    value = as_exact(value)
    slack = abs(value) / 10**50
    return enclosure.lo - slack <= value <= enclosure.hi + slack


def binomial_tail(k, n, p):
    return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(max(k, 0), n + 1))


# ---- elementary and normal functions ----


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=40)
@given(data=st.data(), digits=st.sampled_from([5, 20, 30]))
def test_values_agree_with_mpmath_and_are_tight(name, data, digits):
    function, oracle, arguments = ORACLES[name]
    x = data.draw(arguments)
    result = function(x, digits=digits)
    with mpmath.workdps(60):
        assert holds(result, oracle(as_mpf(x)))
    assert result.width <= min(abs(result.lo), abs(result.hi)) / 10**digits
    assert result.is_exact or result.how == ("ball arithmetic",)


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=25)
@given(data=st.data(), share=st.fractions(0, 1, max_denominator=10))
def test_an_enclosed_argument_gives_all_its_values(name, data, share):
    function, oracle, arguments = ORACLES[name]
    a, b = sorted((data.draw(arguments), data.draw(arguments)))
    result = function(Enclosure(a, b, "measured", "1/20"), digits=20)
    with mpmath.workdps(60):
        values = [oracle(as_mpf(a + (b - a) * s)) for s in (share, Fraction(0), Fraction(1))]
        assert all(holds(result, value) for value in values)
    if name not in ("gamma", "normal_pdf"):  # for the monotone ones the ends are the values at the ends
        for end, value in ((result.lo, min(values)), (result.hi, max(values))):
            assert abs(end - as_exact(value)) <= abs(as_exact(value)) / 10**19
    assert result.alpha == (Fraction(1, 20) if a < b else result.alpha)
    assert result.how[0] == "measured"


def test_precision_is_raised_until_cancelled_digits_are_back():
    near_one = 1 + Fraction(1, 10**60)
    with mpmath.workdps(140):
        value = as_exact(mpmath.log(as_mpf(near_one)))
    result = special.log(near_one, digits=5)
    assert result.contains(value)
    assert result.width < value / 10**5


def test_a_hundred_digits():
    with mpmath.workdps(130):
        result = special.normal_cdf("-3.7", digits=100)
        value = as_exact(mpmath.ncdf(mpmath.mpf(-37) / 10))
    assert abs(result.lo - value) < value / 10**100
    assert result.lo < value < result.hi


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (special.exp(0), 1),
        (special.log(1), 0),
        (special.log2(1024), 10),
        (special.sqrt("49/9"), Fraction(7, 3)),
        (special.sqrt(0), 0),
        (special.power(32, "-3/5"), Fraction(1, 8)),
        (special.power("0.3", 2), Fraction(9, 100)),
        (special.power(7, 0), 1),
        (special.gamma(6), 120),
        (special.erf(0), 0),
        (special.normal_cdf(0), Fraction(1, 2)),
        (special.normal_quantile("1/2"), 0),
        (special.beta_quantile(0, 2, 3), 0),
        (special.beta_quantile(1, 2, 3), 1),
    ],
)
def test_exact_values_are_exact(result, value):
    assert result.fraction == value


def test_infinite_ends_and_borders_are_limits():
    everything = Enclosure(-INF, INF)
    assert special.normal_cdf(everything).same_as(Enclosure(0, 1, special.HOW))
    assert special.erf(everything).same_as(Enclosure(-1, 1, special.HOW))
    assert special.tanh(Enclosure(0, INF)).same_as(Enclosure(0, 1, special.HOW))
    assert special.exp(Enclosure(-INF, 0)).same_as(Enclosure(0, 1, special.HOW))
    assert special.log(Enclosure(0, 1)).same_as(Enclosure(-INF, 0, special.HOW))
    assert special.log(Enclosure(1, INF)).same_as(Enclosure(0, INF, special.HOW))
    assert special.normal_quantile(Enclosure(0, 1)).same_as(Enclosure(-INF, INF, special.HOW))
    assert special.power(Enclosure(0, 4), "-1/2").same_as(Enclosure("1/2", INF, special.HOW))
    assert special.gamma(Enclosure(0, 1)).same_as(Enclosure(1, INF, special.HOW))
    assert special.normal_pdf(everything).lo == 0
    assert special.normal_pdf(Enclosure(-1, 3)).contains(special.normal_pdf(0))
    assert special.normal_pdf(Enclosure(-1, 3)).contains(special.normal_pdf(3))


def test_gamma_knows_its_valley():
    with mpmath.workdps(40):
        lowest = as_exact(mpmath.gamma(mpmath.findroot(mpmath.digamma, mpmath.mpf("1.46"))))
    for argument in (Enclosure(1, 3), Enclosure("1.45", "1.47"), Enclosure("0.1", "1.45"), Enclosure("1.47", 5)):
        result = special.gamma(argument)
        valley = (
            lowest
            if argument.contains("1.4616321449683623")
            else min(special.gamma(argument.lo).hi, special.gamma(argument.hi).hi)
        )
        assert Fraction(88, 100) < result.lo <= valley
        assert result.hi >= max(special.gamma(argument.lo).lo, special.gamma(argument.hi).lo)
        assert result.hi <= max(special.gamma(argument.lo).hi, special.gamma(argument.hi).hi) + Fraction(1, 500)


def test_values_out_of_every_range_stay_enclosed():
    edge = Fraction(1, 2**20_000)
    for tiny in (special.exp(-(10**30)), special.normal_cdf(-(10**5)), special.normal_pdf(10**5)):
        assert (tiny.lo, tiny.hi) == (0, edge)
    huge = special.exp(10**30)
    assert (huge.lo, huge.hi) == (1 / edge, INF)
    for near_one in (special.normal_cdf(10**5), special.erf(10**5), special.tanh(10**5)):
        assert 1 - Fraction(1, 10**30) < near_one.lo < near_one.hi == 1
    power = special.power(2, 10**7)  # exact, this would be a number of ten million bits
    assert (power.lo, power.hi) == (1 / edge, INF)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: special.log(0), ValueError, "log of 0 is infinite"),
        (lambda: special.log(-1), ValueError, "log of -1 does not exist"),
        (lambda: special.log(Enclosure(-1, 1)), Undecided, r"log of \[-1, 1\] may not exist"),
        (lambda: special.sqrt(-1), ValueError, r"power 1/2 of -1 does not exist"),
        (lambda: special.power(0, -1), ValueError, "power -1 of 0 is infinite"),
        (lambda: special.gamma(0), ValueError, "gamma of 0 is infinite"),
        (lambda: special.gamma(Enclosure(-1, 3)), Undecided, "gamma of"),
        (lambda: special.normal_quantile(1), ValueError, "normal_quantile of 1 is infinite"),
        (lambda: special.normal_quantile("1.1"), ValueError, "does not exist"),
        (lambda: special.exp(0.5), TypeError, r"value 0\.5 is a float"),
        (lambda: special.exp(1, digits=0), ValueError, "digits 0 is not allowed; choose from 1 to 10000"),
        (lambda: special.exp(1, digits=2.5), ValueError, r"digits 2\.5 is not allowed"),
        (lambda: special.beta_cdf("1/2", 0, 1), ValueError, "a 0 is no shape"),
        (lambda: special.beta_quantile("1/2", 1, -1), ValueError, "b -1 is no shape"),
        (lambda: special.gamma_upper(-1, 1), ValueError, "s -1 is no shape of a gamma law"),
        (lambda: special.binomial_tail(1.5, 3, "1/2"), TypeError, r"k 1\.5 is not a whole number"),
        (lambda: special.binomial_tail(1, -3, "1/2"), ValueError, "n -3 is negative"),
        (lambda: special.binomial_tail(0, 3, 2), ValueError, "binomial_tail of 2 does not exist"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_callers_precision_survives_success_and_failure():
    from flint import ctx

    with ctx.workprec(77):
        special.normal_cdf(1, digits=50)
        special.beta_quantile("1/40", 3, 8)
        assert ctx.prec == 77
        seen = []

        def fail(ball):
            seen.append(ctx.prec)
            raise RuntimeError("from inside")

        with pytest.raises(RuntimeError, match="from inside"):
            special._ball(fail)(Fraction(1), 100)
        assert seen[0] > 300
        assert ctx.prec == 77


# ---- inverses ----


@settings(max_examples=60)
@given(q=UNIT)
@example(q=Fraction(1, 10**60))
@example(q=1 - Fraction(1, 10**60))
@example(q=Fraction(1, 2) + Fraction(1, 10**60))
def test_normal_quantile_brackets_the_probability(q):
    x = special.normal_quantile(q, digits=25)
    if q != Fraction(1, 2):
        assert special.normal_cdf(x.lo, digits=120) < q < special.normal_cdf(x.hi, digits=120)


@settings(max_examples=40)
@given(n=st.integers(1, 12), data=st.data(), q=UNIT)
def test_beta_quantile_brackets_by_exact_binomial_sums(n, data, q):
    k = data.draw(st.integers(1, n))
    x = special.beta_quantile(q, k, n - k + 1, digits=12)
    assert binomial_tail(k, n, x.lo) <= q <= binomial_tail(k, n, x.hi)
    assert 0 <= x.width <= x.lo / 10**12


@settings(max_examples=30)
@given(q=UNIT, a=SHAPES, b=SHAPES)
@example(q=Fraction(1, 10**40), a=Fraction(1, 2), b=Fraction(3))
@example(q=1 - Fraction(1, 10**40), a=Fraction(3), b=Fraction(7, 2))
def test_beta_quantile_inverts_beta_cdf(q, a, b):
    x = special.beta_quantile(q, a, b, digits=15)
    assert special.beta_cdf(x.lo, a, b, digits=60) <= q <= special.beta_cdf(x.hi, a, b, digits=60)
    assert x.width <= x.lo / 10**15


def test_quantiles_of_enclosures():
    q = Enclosure("0.1", "0.3", "measured", "1/10")
    x = special.beta_quantile(q, 2, 3)
    assert x.contains(special.beta_quantile("0.2", 2, 3))
    assert x.lo == special.beta_quantile("0.1", 2, 3).lo
    assert x.hi == special.beta_quantile("0.3", 2, 3).hi
    assert (x.alpha, x.how) == (Fraction(1, 10), ("measured", special.HOW))


@pytest.mark.parametrize("guess", [math.nan, 0.0, 1.0, 1e-9, 0.5, 1 - 1e-9])
@pytest.mark.parametrize(("a", "b", "q"), [(3, 4, "1/1000"), (1, 1, "1/2"), (1, 40, "9/10"), (2, 1, "1/4")])
def test_a_bad_guess_costs_time_but_not_truth(guess, a, b, q):
    q, shape = Fraction(q), (Fraction(a), Fraction(b))
    cdf = special._beta_cdf(*shape)
    lo, hi = special._invert(lambda x: cdf(x) - special._arb(q), special._beta_density(*shape), guess, 12)
    n = a + b - 1
    assert binomial_tail(a, n, lo) <= q <= binomial_tail(a, n, hi)
    assert hi - lo <= lo / 10**11


def test_without_a_guess_few_evaluations_suffice():
    cdf, calls = special._beta_cdf(Fraction(3), Fraction(4)), []

    def difference(x):
        calls.append(x)
        return cdf(x) - special._arb(Fraction(1, 1000))

    lo, hi = special._invert(difference, special._beta_density(Fraction(3), Fraction(4)), math.nan, 30)
    assert binomial_tail(3, 6, lo) <= Fraction(1, 1000) <= binomial_tail(3, 6, hi)
    assert len(calls) < 50  # bisection to 30 digits takes over a hundred


def test_bisection_alone_brackets_too():
    cdf = special._beta_cdf(Fraction(1), Fraction(1))
    lo, hi = special._bisect(lambda x: cdf(x) - special._arb(Fraction(1, 2)), 12)  # the root is the first midpoint
    assert lo < Fraction(1, 2) < hi
    assert hi - lo < lo / 10**12


# ---- binomial and beta ----


@settings(max_examples=60)
@given(n=st.integers(0, 30), k=st.integers(-2, 33), p=st.fractions(0, 1, max_denominator=50))
def test_binomial_tail_is_the_exact_sum(n, k, p):
    result, value = special.binomial_tail(k, n, p, digits=25), binomial_tail(k, n, p)
    assert result.contains(value)
    assert result.width <= value / 10**25


@settings(max_examples=30)
@given(x=UNIT, a=SHAPES, b=SHAPES)
def test_beta_cdf_agrees_with_mpmath(x, a, b):
    with mpmath.workdps(60):
        value = mpmath.betainc(as_mpf(a), as_mpf(b), 0, as_mpf(x), regularized=True)
        assert holds(special.beta_cdf(x, a, b, digits=20), value)


@settings(max_examples=30)
@given(s=SHAPES, x=POSITIVE)
def test_gamma_upper_agrees_with_mpmath_and_falls(s, x):
    result = special.gamma_upper(s, x, digits=20)
    with mpmath.workdps(60):
        assert holds(result, mpmath.gammainc(as_mpf(s), as_mpf(x), regularized=True))
    assert result.width <= result.lo / 10**20
    spread = special.gamma_upper(s, Enclosure(x, x + 1))
    assert (spread.lo, spread.hi) == (special.gamma_upper(s, x + 1).lo, special.gamma_upper(s, x).hi)
    assert special.gamma_upper(s, Enclosure(0, INF)).same_as(Enclosure(0, 1, special.HOW))
    assert special.gamma_upper(s, 0).fraction == 1


def test_binomial_tail_of_an_enclosed_probability_rises():
    result = special.binomial_tail(2, 5, Enclosure("0.2", "0.4"))
    assert result.contains(binomial_tail(2, 5, Fraction(3, 10)))
    assert result.contains(binomial_tail(2, 5, Fraction(1, 5)))
    assert result.contains(binomial_tail(2, 5, Fraction(2, 5)))
    assert not result.contains(binomial_tail(2, 5, Fraction(1, 2)))
