"""Which Python number a JSON number becomes, and which is refused because it may not be what was meant."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain.validation.numbers import exact_number

from tests.unit.manager.samples import relaxed


@relaxed
@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_below_two_to_the_53_is_that_int(number: int) -> None:
    exact = exact_number(float(number))
    assert type(exact) is int
    assert exact == number


@relaxed
@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()))
def test_a_number_with_a_fraction_is_that_float(number: float) -> None:
    exact = exact_number(number)
    assert type(exact) is float
    assert exact == number


@relaxed
@given(st.floats(2.0**64, allow_infinity=False), st.sampled_from([1, -1]))
def test_a_number_beyond_all_counting_is_that_float(number: float, sign: int) -> None:
    exact = exact_number(sign * number)
    assert type(exact) is float
    assert exact == sign * number


@relaxed
@given(st.floats(2.0**53, 2.0**64, exclude_max=True), st.sampled_from([1, -1]))
def test_a_whole_number_that_may_have_lost_digits_is_refused(number: float, sign: int) -> None:
    with pytest.raises(ValueError, match="pass it as text"):
        exact_number(sign * number)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not a number that JSON has"):
        exact_number(number)


def test_zero_is_an_int_whatever_its_sign() -> None:
    assert str(exact_number(-0.0)) == "0"
