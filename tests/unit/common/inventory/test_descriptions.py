"""Descriptions in plain Python are those of the contract: same names, same numbers, same sizes, nothing lost."""

from __future__ import annotations

import dataclasses
import typing
from enum import IntEnum
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from hypothesis import given, settings
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory import descriptions, parameter_types
from queueserver_inventory.description_messages import devices_of, inventory_message, plans_of
from queueserver_inventory.description_sizes import Sizes
from queueserver_inventory.descriptions import (
    DeviceDescription,
    FunctionDescription,
    Inventory,
    InventoryIssue,
    InventoryIssueKind,
    NoPlan,
    ParameterDescription,
    PlanDescription,
)
from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_inventory.type_messages import TypeReader, type_message

from tests.unit.common.inventory.inventories import inventories
from tests.unit.common.inventory.type_notation import types
from tests.unit.common.inventory.value_records import records

MESSAGES: dict[type, Descriptor] = {
    cls: pb.DESCRIPTOR.message_types_by_name[cls.__name__]
    for module in (descriptions, parameter_types)
    for cls in vars(module).values()
    if dataclasses.is_dataclass(cls) and isinstance(cls, type)
}
ENUMS: dict[type[IntEnum], EnumDescriptor] = {
    TypeKind: pb.ParameterType.Kind.DESCRIPTOR,
    InventoryIssueKind: pb.InventoryIssueKind.DESCRIPTOR,
    descriptions.ParameterKind: pb.ParameterKind.DESCRIPTOR,
}
PLAIN = {
    FieldDescriptor.CPPTYPE_STRING: str,
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_DOUBLE: float,
    FieldDescriptor.CPPTYPE_INT32: int,
}


def kind_of(field: FieldDescriptor) -> Any:
    """What a field of a dataclass is annotated with if it stands for a field of a message."""
    if field.message_type is not None:
        known = {descriptor: cls for cls, descriptor in MESSAGES.items()}
        kind: Any = known.get(field.message_type, Any)
    elif field.enum_type is not None:
        kind = {descriptor: cls for cls, descriptor in ENUMS.items()}[field.enum_type]
    else:
        kind = PLAIN[field.cpp_type]
    if field.is_repeated:
        return tuple[kind, ...]
    is_optional = field.has_presence and (field.message_type is None or field.name == "key")
    return kind | None if is_optional else kind


def test_there_is_a_class_for_each_message_and_each_enum() -> None:
    assert set(MESSAGES.values()) == set(pb.DESCRIPTOR.message_types_by_name.values())
    top = set(pb.DESCRIPTOR.enum_types_by_name.values())
    assert set(ENUMS.values()) == top | {pb.ParameterType.Kind.DESCRIPTOR}


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_fields_have_the_names_kinds_and_defaults_of_the_contract(cls: Any) -> None:
    hints = typing.get_type_hints(cls)
    described = {field.name: kind_of(field) for field in MESSAGES[cls].fields}
    assert {field.name: hints[field.name] for field in dataclasses.fields(cls)} == described
    assert cls() == cls(*(field.default for field in dataclasses.fields(cls)))


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_members_have_the_numbers_of_the_contract(enum: type[IntEnum]) -> None:
    values = ENUMS[enum].values
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    assert {member.name: member.value for member in enum} == {
        value.name.removeprefix(prefix): value.number for value in values
    }


@settings(deadline=None)
@given(inventories)
def test_what_became_a_message_is_read_again_and_has_its_size(inventory: Inventory) -> None:
    message = inventory_message(inventory)
    assert plans_of(message.plans) == inventory.plans
    assert devices_of(message.devices) == inventory.devices
    assert [Sizes().plan(plan) for plan in inventory.plans] == [plan.ByteSize() for plan in message.plans]
    assert [Sizes().device(device) for device in inventory.devices] == [device.ByteSize() for device in message.devices]


@settings(deadline=None)
@given(types | records())
def test_a_type_that_became_a_message_is_read_again_and_has_its_size(tree: ParameterType) -> None:
    message = type_message(tree)
    assert TypeReader().read(pb.ParameterType.FromString(message.SerializeToString())) == tree
    plan = PlanDescription(parameters=(ParameterDescription(type=tree),))
    assert Sizes().plan(plan) == inventory_message(Inventory((plan,))).plans[0].ByteSize()


def test_long_texts_have_their_size_too() -> None:
    for length in (127, 128, 16_383, 16_384, 3_000_000):
        device = DeviceDescription(name="é" * length, components=(DeviceDescription(class_name="x" * length),))
        assert Sizes().device(device) == inventory_message(Inventory(devices=(device,))).devices[0].ByteSize()


def test_all_the_rest_becomes_a_message_too() -> None:
    inventory = Inventory(
        issues=(InventoryIssue("p", "It is odd.", InventoryIssueKind.PLAN, "a.py", 5),),
        no_plans=(NoPlan("f", "It is none."),),
        reserved_metadata=("uid",),
        functions=(FunctionDescription("f", "(a)", "Do it."),),
    )
    assert inventory_message(inventory) == pb.Inventory(
        issues=[pb.InventoryIssue(name="p", message="It is odd.", kind=1, file="a.py", line=5)],
        no_plans=[pb.NoPlan(name="f", message="It is none.")],
        reserved_metadata=["uid"],
        functions=[pb.FunctionDescription(name="f", signature="(a)", description="Do it.")],
    )


@pytest.mark.parametrize("odd", ["\ud800", b"a", 5])
def test_what_no_message_can_hold_has_no_size(odd: Any) -> None:
    with pytest.raises((TypeError, UnicodeError)):
        Sizes().device(DeviceDescription(components=(DeviceDescription(module=odd),)))
    tree = ParameterType(TypeKind.RECORD, fields=(RecordField("a", ParameterType(TypeKind.ENUM, choices=(odd,))),))
    with pytest.raises((TypeError, UnicodeError)):
        Sizes().plan(PlanDescription(parameters=(ParameterDescription(type=tree),)))


def test_one_and_true_are_different_values_of_a_literal() -> None:
    one, true = (ParameterType(TypeKind.LITERAL, values=(value,)) for value in (1, True))
    assert one != true
    assert one == ParameterType(TypeKind.LITERAL, values=(1.0,))
    assert len({one, true, ParameterType(TypeKind.LITERAL, values=(1.0,))}) == 2
