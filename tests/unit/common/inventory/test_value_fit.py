"""Whether a value fits a type: the Manager and the Worker decide alike about any value and any type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_environment.describe.types.value_types import plain_type
from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_inventory.type_messages import type_message
from queueserver_inventory.value_fit import first_outside, key_value
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.type_matching import first_misfits
from queueserver_manager.worker_client.inventory import inventory_from_proto

from tests.unit.common.inventory.type_notation import types
from tests.unit.common.inventory.value_records import records

#: Few different ones, so that many fit the types.
scalars = st.sampled_from(
    [None, True, False, 0, 1, -2.5, 1e300, "", "1", "true", "det1", "count", "slow", "2026-01-31"]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "1", "slow"]), inner, max_size=2),
    max_leaves=6,
)


def is_right_for_the_manager(tree: ParameterType, value: Any) -> bool:
    plan = pb.PlanDescription(name="plan", parameters=[pb.ParameterDescription(name="a", type=type_message(tree))])
    inventory = inventory_from_proto(pb.Inventory(plans=[plan]))
    return not first_misfits(value, inventory.plans["plan"].parameters[0].type, AllowedInventory(inventory))


@settings(deadline=None, max_examples=300)
@given(types | records(), values)
def test_manager_and_worker_decide_alike(tree: ParameterType, value: Any) -> None:
    # There are no devices, and no plan that the values name.
    assert is_right_for_the_manager(tree, value) == plain_type(tree).accepts(value, names=False)


def test_bounds_of_a_field_count_for_both() -> None:
    field = RecordField("width", ParameterType(TypeKind.NUMBER), minimum=0, maximum=5)
    tree = ParameterType(TypeKind.RECORD, fields=(field,))
    for value, is_right in ({"width": 5}, True), ({"width": -1}, False), ({"width": 5.5}, False):
        assert is_right_for_the_manager(tree, value) is is_right
        assert plain_type(tree).accepts(value) is is_right


@pytest.mark.parametrize("value", [5, [1, 5], (1, 5), {"a": {"b": [1, 5, 7]}}])
def test_the_first_number_out_of_bounds_is_found_anywhere_in_a_value(value: Any) -> None:
    assert first_outside(value, None, 4) == 5
    assert first_outside(value, None, 4.5) == 5
    assert first_outside(value, 0, 7) is None


def test_truth_values_keys_and_texts_have_no_bounds() -> None:
    assert first_outside([True, "9", {"9": None}], 5, 6) is None


@pytest.mark.parametrize("key", ["one", '"1"', "[1]", "{}", "[" * 100_000])
def test_a_key_that_spells_no_number_stands_for_none(key: str) -> None:
    integer = ParameterType(TypeKind.INTEGER)
    assert key_value("-5", integer, lambda _type, _name: False) == -5
    with pytest.raises((ValueError, RecursionError)):
        key_value(key, integer, lambda _type, _name: False)
