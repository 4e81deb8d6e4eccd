"""What functions return: passed on without loss, or refused with the type and the place."""

import datetime as dt
from enum import Enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_environment.tasks.errors import TaskRefusedError
from queueserver_environment.tasks.return_values import encode_return_value

from tests.unit.environment.channel_forms import arrived_value
from tests.unit.environment.value_decoder import decode

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def returned(value: Any) -> Any:
    return decode(arrived_value(encode_return_value(value)))


class Thing:
    pass


class Color(Enum):
    RED = "red"


@given(VALUES)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    assert returned(value) == value


def test_what_python_has_of_its_own_becomes_what_every_language_has() -> None:
    value = {"tuple": (1, 2), "set": {3}, "enum": Color.RED, "date": dt.date(2026, 1, 2), 5: range(2), None: True}
    assert returned(value) == {
        "tuple": [1, 2],
        "set": [3],
        "enum": "red",
        "date": "2026-01-02",
        "5": [0, 1],
        "None": True,
    }
    assert returned(np.int32(7)) == 7
    assert returned(np.array([1, None], dtype=object)) == [1, None]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (Thing(), "an object of type Thing, which"),
        ([1, Thing()], "an object of type Thing at [1], which"),
        ({"a": {"b": {Thing}}}, "an object of type type at ['a']['b'][0], which"),
        ((element for element in ()), "an object of type generator, which"),
        ({Thing: 1}, "a key of type type, which"),
        ({"a": {(1, 2): 3}}, "a key of type tuple at ['a'], which"),
        ({1: "a", "1": "b"}, "two keys have the text '1'"),
        (np.array([Thing()], dtype=object), "an object of type Thing at [0], which"),
        (np.ma.masked_array([1], [True]), "an object of type MaskedArray, which"),
        (b"x" * 2_200_000, "the function returned 2200005 bytes"),
    ],
)
def test_what_can_not_be_passed_on_is_refused_with_its_type_and_place(value: Any, complaint: str) -> None:
    with pytest.raises(TaskRefusedError) as refused:
        encode_return_value(value)
    assert complaint in str(refused.value)


def test_a_list_that_has_itself_inside_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TaskRefusedError, match="more than 24 deep"):
        encode_return_value(value)


def test_a_short_value_with_more_in_it_than_a_frame_carries_is_refused() -> None:
    with pytest.raises(TaskRefusedError, match="more than 4193304 numbers, texts, lists and maps"):
        encode_return_value([[]] * 1_500_000)
