"""Plan arguments from messages and back, and where a value that can't be passed on is said to be."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf.struct_pb2 import ListValue, Struct
from hypothesis import given
from hypothesis import strategies as st
from queueserver_long_work.work import at_once
from queueserver_manager.domain.refusals.errors import ItemInvalid, ItemTooLarge, NumberNotExact
from queueserver_manager.wire.values import MAX_DEPTH, MAX_VALUES, ValueReader, dict_to_struct, list_to_list_value

from tests.unit.manager.samples import relaxed, texts, values
from tests.unit.manager.store.codecs.test_codec import types_in


def as_struct(value: dict[str, Any]) -> Struct:
    struct = Struct()
    dict_to_struct(value, struct)
    return struct


def as_list(value: list[Any]) -> ListValue:
    target = ListValue()
    list_to_list_value(value, target)
    return target


def object_of(struct: Struct, path: str) -> dict[str, Any]:
    return at_once(ValueReader("item").object(struct, path))


def list_of(values_: ListValue, path: str) -> list[Any]:
    return at_once(ValueReader("item").array(values_, path))


@relaxed
@given(st.dictionaries(texts, values, max_size=4))
def test_an_object_comes_back_with_the_same_values_and_types(value: dict[str, Any]) -> None:
    struct = Struct.FromString(as_struct(value).SerializeToString())
    back = object_of(struct, "item.kwargs")
    assert back == value
    assert types_in(back) == types_in(value)


@relaxed
@given(st.lists(values, max_size=4))
def test_a_list_comes_back_with_the_same_values_and_types(value: list[Any]) -> None:
    back = list_of(ListValue.FromString(as_list(value).SerializeToString()), "item.args")
    assert back == value
    assert types_in(back) == types_in(value)


def test_what_people_type_arrives_as_python_values() -> None:
    struct = Struct()
    struct.update({"num": 5, "delay": 0.5, "on": True, "none": None, "x": [1, "a", {"b": [2.5]}], "empty": {}})
    assert object_of(struct, "item.kwargs") == {
        "num": 5,
        "delay": 0.5,
        "on": True,
        "none": None,
        "x": [1, "a", {"b": [2.5]}],
        "empty": {},
    }


def test_a_value_of_no_kind_is_refused_with_its_path() -> None:
    values_ = ListValue()
    values_.values.add()
    with pytest.raises(ItemInvalid, match="null_value") as caught:
        list_of(values_, "item.args")
    assert [violation.field for violation in caught.value.violations] == ["item.args[0]"]


@pytest.mark.parametrize("number", [2.0**53, -(2.0**53), 1e18, math.nan, math.inf])
@pytest.mark.parametrize(
    ("value", "path"),
    [
        (lambda number: [1, number], "item.args[1]"),
        (lambda number: [[0, [number]]], "item.args[0][1][0]"),
        (lambda number: [{"a": {"b": number}}], "item.args[0].a.b"),
        (lambda number: [{"a": [1, 2, number]}], "item.args[0].a[2]"),
    ],
)
def test_a_number_that_is_not_exact_is_refused_with_its_path(number: float, value: Any, path: str) -> None:
    with pytest.raises(NumberNotExact) as caught:
        list_of(as_list(value(number)), "item.args")
    (violation,) = caught.value.violations
    assert violation.field == path
    assert caught.value.message.startswith(f"{path}: ")


def test_the_path_begins_where_the_caller_says() -> None:
    with pytest.raises(NumberNotExact) as caught:
        object_of(as_struct({"a": {"b": math.nan}}), "items[4].kwargs")
    assert caught.value.violations[0].field == "items[4].kwargs.a.b"


def nested(depth: int, *, lists: bool) -> Any:
    """A value with ``depth`` containers around it."""
    value: Any = 1
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [True, False])
def test_values_are_taken_down_to_the_deepest_level_and_no_deeper(lists: bool) -> None:
    deepest = nested(MAX_DEPTH, lists=lists)
    too_deep = nested(MAX_DEPTH + 1, lists=lists)
    if lists:
        assert list_of(as_list(deepest), "item.args") == deepest
        with pytest.raises(ItemInvalid, match=f"nested deeper than {MAX_DEPTH} levels"):
            list_of(as_list(too_deep), "item.args")
    else:
        assert object_of(as_struct(deepest), "item.kwargs") == deepest
        with pytest.raises(ItemInvalid, match="put such data where the plan can read it") as caught:
            object_of(as_struct(too_deep), "item.kwargs")
        assert caught.value.violations[0].field == "item.kwargs" + ".a" * MAX_DEPTH


def test_an_item_has_at_most_so_many_values_those_in_lists_and_objects_counted_too() -> None:
    reader = ValueReader("items[3]")
    half = as_list([{"a": [1.5]}] * (MAX_VALUES // 6))
    assert len(at_once(reader.array(half, "items[3].args"))) == MAX_VALUES // 6
    with pytest.raises(ItemTooLarge, match="pass its name") as caught:
        at_once(reader.object(as_struct({"x": [None] * (MAX_VALUES // 2 + 10)}), "items[3].kwargs"))
    assert [(one.field, one.description) for one in caught.value.violations] == [
        ("items[3]", f"has more than the {MAX_VALUES} values that it may have")
    ]
