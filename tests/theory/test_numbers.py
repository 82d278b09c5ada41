"""as_fraction: the spelling of a number, and one sentence for everything that is none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.numbers import as_fraction


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_quotient_is_read_back(numerator, denominator):
    value = Fraction(numerator, denominator)
    assert as_fraction(f" {numerator}/{denominator} ") == as_fraction(str(value)) == as_fraction(value) == value


@given(st.integers(-(10**9), 10**9), st.integers(0, 12))
def test_a_decimal_is_the_number_it_shows(digits, places):
    text = f"{abs(digits):0{places + 1}d}"
    text = "-" * (digits < 0) + (f"{text[:-places]}.{text[-places:]}" if places else text)
    assert as_fraction(text) == as_fraction(f"{digits}e-{places}") == Fraction(digits, 10**places)


@given(st.integers())
def test_whole_numbers_of_any_kind_are_exact(n):
    assert as_fraction(n) == n
    assert as_fraction(np.int64(n % 2**63)) == n % 2**63


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_dyadic_value_on_demand_and_refused_otherwise(x):
    assert as_fraction(x, exact_float=True) == Fraction(x)
    with pytest.raises(TypeError, match=r"eps .* is a float, .* write the string"):
        as_fraction(x, "eps")


def test_the_dyadic_value_of_a_tenth_is_not_a_tenth():
    assert as_fraction(0.1, exact_float=True) != as_fraction("0.1") == Fraction(1, 10)


@pytest.mark.parametrize("text", ["", "x", "1/0", "nan", "inf", "-inf", "1/2/3", "0.1.2", "1e", "0x10", "½", "1,5"])
def test_text_that_is_no_number_is_named_in_the_error(text):
    with pytest.raises(ValueError, match=r"is not a number; write it like 0\.1, 8/255 or 1e-3") as error:
        as_fraction(text, "prior")
    assert str(error.value).startswith(f"prior {text!r}")


@pytest.mark.parametrize("text", ["1e99999999", "1E-99999999", "1e1_000_000_0", "1e+000000001"])
def test_an_exponent_that_would_fill_the_memory_is_refused(text):
    with pytest.raises(ValueError, match="is not a number"):
        as_fraction(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_nan_and_infinity_are_refused_even_as_exact_floats(value):
    with pytest.raises(ValueError, match="is not a finite number"):
        as_fraction(value, exact_float=True)


@pytest.mark.parametrize("value", [None, True, [1], 1j, b"1", np.float32(0.5), np.bool_(True)])
def test_other_types_are_refused(value):
    with pytest.raises(TypeError, match="is not a number; allowed are"):
        as_fraction(value)
