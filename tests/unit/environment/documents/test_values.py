import datetime as dt
import math
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_environment.documents.values import MAX_DEPTH, plain

from tests.unit.environment.channel_forms import arrived_value
from tests.unit.environment.value_decoder import decode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=20)
NESTED = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)
DTYPES = st.sampled_from(["<f8", ">f4", "<i8", ">i2", "|u1", "|b1", "<c16", "<U3", "|S4", "<M8[ns]", "<f2"])


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def through_the_wire(value: Any) -> Any:
    return decode(arrived_value(value))


@given(NESTED)
def test_plain_data_survives_the_wire_with_its_types(value: Any) -> None:
    assert same(through_the_wire(value), value)


@given(DTYPES, st.lists(st.integers(0, 4), max_size=3), st.integers(0, 2**32))
def test_arrays_survive_the_wire_with_dtype_shape_and_bytes(dtype: str, shape: list[int], seed: int) -> None:
    size = np.dtype(dtype).itemsize * math.prod(shape)
    data = np.random.default_rng(seed).integers(0, 2, size, dtype="u1").tobytes()
    array = np.frombuffer(data, dtype=dtype).reshape(shape)
    decoded = through_the_wire(array)
    assert (decoded.dtype, decoded.shape, decoded.tobytes()) == (array.dtype, array.shape, array.tobytes())


@given(st.integers(-(2**63), 2**63 - 1))
def test_numpy_integers_become_whole_numbers(number: int) -> None:
    assert same(through_the_wire(np.int64(number)), number)


ODD = (
    st.builds(np.float32, st.floats(width=32))
    | st.builds(np.int16, st.integers(-(2**15), 2**15 - 1))
    | st.builds(np.array, st.lists(st.integers(0, 9), max_size=3))
    | st.builds(lambda values: np.array(values, dtype=">i4")[::-1], st.lists(st.integers(0, 9), max_size=3))
    | st.builds(lambda value: np.array(value, dtype=object), st.none() | st.text(max_size=2))
    | st.sets(st.integers(0, 9), max_size=3)
    | st.complex_numbers(allow_nan=False)
    | st.dates()
    | st.text(st.characters(categories=["Cs"]), max_size=2)
    | st.builds(bytearray, st.binary(max_size=3))
)
KEYS = st.text(max_size=3) | st.integers(0, 9) | st.none() | st.tuples(st.integers(0, 9))
ANYTHING = st.recursive(
    SCALARS | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(ANYTHING)
def test_what_is_passed_on_as_it_is_arrives_like_what_is_converted_first(value: Any) -> None:
    wires = [arrived_value(each).SerializeToString(deterministic=True) for each in (value, plain(value))]
    assert wires[0] == wires[1]


def test_an_array_that_is_not_contiguous_arrives_in_c_order() -> None:
    array = np.arange(12).reshape(3, 4).T[::2]
    assert (through_the_wire(array) == array).all()


def test_a_whole_number_of_any_length_keeps_its_digits() -> None:
    assert arrived_value(-(10**5000) - 7).big_integer == "-1" + "0" * 4999 + "7"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.float64("nan"), math.nan),
        (np.bool_(1), True),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.str_("text"), "text"),
        (np.bytes_(b"raw"), b"raw"),
        ((1, (2,)), [1, [2]]),
        ({3, 1, 2}, [1, 2, 3]),
        (range(3), [0, 1, 2]),
        (bytearray(b"x"), b"x"),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.timezone.utc), "2026-01-02T03:04:00+00:00"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.ma.masked_array([1, 2], mask=[False, True]), [1, None]),
        (np.array([1, "a", None], dtype=object), [1, "a", None]),
        ("\ud800", "\\ud800"),
        (Path("a/b"), "PosixPath('a/b')"),
    ],
)
def test_other_types_become_the_nearest_plain_value(value: Any, plain: Any) -> None:
    assert same(through_the_wire(value), plain)


def test_enum_members_become_their_values_also_when_they_are_strings() -> None:
    class Mode(str, Enum):
        FAST = "fast"

    class Gain(Enum):
        LOW = 1

    assert (through_the_wire(Mode.FAST), through_the_wire(Gain.LOW)) == ("fast", 1)


def test_a_complex_number_is_a_scalar_array() -> None:
    decoded = through_the_wire(1 + 2j)
    assert (decoded.shape, decoded.dtype.str, complex(decoded)) == ((), "<c16", 1 + 2j)


def test_a_structured_array_becomes_its_columns() -> None:
    table = np.array([(1, 2.5), (3, 4.5)], dtype=[("count", "<i4"), ("value", "<f8")])
    decoded = through_the_wire(table)
    assert decoded["count"].tolist() == [1, 3]
    assert decoded["value"].tolist() == [2.5, 4.5]


def test_an_object_whose_repr_raises_is_still_text() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert through_the_wire(Broken()) == "<Broken that can't be printed>"


def test_nesting_beyond_what_readers_accept_becomes_text() -> None:
    value: Any = []
    value.append(value)
    decoded, depth = through_the_wire({"a": value}), 0
    while not isinstance(decoded, str):
        decoded, depth = (decoded["a"] if isinstance(decoded, dict) else decoded[0]), depth + 1
    assert depth == MAX_DEPTH
