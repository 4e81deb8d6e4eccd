"""Plans and devices through the channel: nothing is lost, and what is alike is not trusted for that."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from queueserver.common.v1 import inventory_pb2
from queueserver_environment.messages.frames import EnvironmentReady, FromEnvironment
from queueserver_environment.process.frames import encode
from queueserver_inventory.description_messages import inventory_message
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
from queueserver_worker.supervisor.frames.decoding import decode
from queueserver_worker.supervisor.frames.packed import BadFrameError

from tests.unit.common.inventory.inventories import inventories

EVERYTHING = Inventory(
    plans=(
        PlanDescription("p", "It.", (ParameterDescription("a", minimum=-0.0, convert_plan_names=False),), "m", True),
    ),
    issues=(InventoryIssue("x", "It is odd.", InventoryIssueKind.DEVICE, "a.py", 5),),
    no_plans=(NoPlan("f", "It is none."),),
    reserved_metadata=("uid", "time"),
    functions=(FunctionDescription("f", "(a)", ""),),
)


def sent(inventory: Inventory) -> inventory_pb2.Inventory:
    """What the supervisor reads of what an environment sends."""
    return decode(encode(FromEnvironment(ready=EnvironmentReady(inventory)))).ready.inventory


def read(**inventory: Any) -> inventory_pb2.Inventory:
    """What the supervisor reads of an inventory of plain values."""
    return decode(msgpack.packb({"ready": {"inventory": inventory}})).ready.inventory


@settings(deadline=None)
@given(inventories)
def test_what_was_described_arrives(inventory: Inventory) -> None:
    assert sent(inventory) == inventory_message(inventory)


def test_all_the_rest_arrives_too() -> None:
    assert sent(EVERYTHING) == inventory_message(EVERYTHING)


def test_types_and_components_that_several_have_arrive_with_each() -> None:
    tree = ParameterType(
        TypeKind.RECORD, fields=(RecordField("a", ParameterType(TypeKind.LITERAL, values=(1, True, 2.5))),)
    )
    parameters = tuple(ParameterDescription(name, type=tree) for name in "ab")
    components = (DeviceDescription("x", movable=True, components=(DeviceDescription("readback"),)),)
    inventory = Inventory(
        plans=tuple(PlanDescription(name, parameters=parameters) for name in "pq"),
        devices=tuple(DeviceDescription(name, components=components) for name in "de"),
    )
    assert sent(inventory) == inventory_message(inventory)


def nested(levels: int) -> dict[str, Any]:
    device: dict[str, Any] = {"name": "x"}
    for _ in range(levels):
        device = {"name": "x", "components": [device]}
    return device


@pytest.mark.parametrize(
    "odd",
    [
        {"name": 5},
        {"nome": "x"},
        {"readable": 1},
        {"instance_of": "x"},
        {"components": {}},
        "x",
        None,
        [],
        msgpack.ExtType(1, msgpack.packb(("<f8", (1,), b"\0" * 8))),
        msgpack.ExtType(2, b"5"),
    ],
)
def test_a_component_that_is_none_is_refused_each_time(odd: Any) -> None:
    good = {"name": "good", "components": [{"name": "x"}]}
    for _ in range(2):
        with pytest.raises(BadFrameError):
            read(devices=[good, good, {"name": "bad", "components": [{"name": "x"}, odd]}])
    assert [each.name for each in read(devices=[good, good]).devices] == ["good", "good"]


def test_components_that_were_good_where_they_stood_are_refused_where_they_stand_too_deep() -> None:
    assert read(devices=[nested(20)]).devices[0].components[0].name == "x"
    for levels in (60, 240):
        with pytest.raises(BadFrameError):
            read(devices=[nested(levels)])


def test_values_that_are_equal_to_python_stay_apart() -> None:
    def plan(value: Any) -> dict[str, Any]:
        return {"name": "p", "parameters": [{"name": "a", "type": {"kind": 16, "values": [value]}}]}

    plans = read(plans=[plan(value) for value in (True, 1, 1.0, False, 0, "1", None)]).plans
    kinds = [each.parameters[0].type.values[0].WhichOneof("kind") for each in plans]
    numbers = ["number_value"] * 2
    assert kinds == ["bool_value", *numbers, "bool_value", "number_value", "string_value", "null_value"]


def test_a_long_list_is_not_kept_and_arrives() -> None:
    components = [{"name": f"c{number}"} for number in range(10_000)]
    devices = read(devices=[{"name": "d", "components": components}] * 2).devices
    assert [len(each.components) for each in devices] == [10_000, 10_000]
