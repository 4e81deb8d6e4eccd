"""Texts that name no device where one could stand: which are told, and what looking for them costs at most."""

from __future__ import annotations

from typing import Any

import pytest
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory.access import Access, GroupRules
from queueserver_inventory.parameter_types import ParameterType, RecordField
from queueserver_inventory.parameter_types import TypeKind as Kind
from queueserver_manager.domain.inventory import Device, Inventory, Parameter, ParameterKind, Plan
from queueserver_manager.domain.permissions.permissions import BUILT_IN
from queueserver_manager.domain.validation import allowed as allowed_module
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.item_warnings import Warner
from queueserver_manager.domain.validation.near_names import NearNames
from queueserver_manager.worker_client.inventory import inventory_from_proto

UNTYPED, ANY, TEXT, NUMBER = (ParameterType(kind) for kind in (Kind.UNSPECIFIED, Kind.ANY, Kind.STRING, Kind.NUMBER))
DEVICE = ParameterType(Kind.DEVICE)
MODE = ParameterType(Kind.ENUM, choices=("motor",))
DEVICES = {
    name: Device(name, {part: Device(part) for part in parts})
    for name, parts in {
        "det1": (),
        "det2": (),
        "motor1": ("velocity", "setpoint"),
        "motor2": (),
        "secret1": (),
    }.items()
}
ALLOWED = AllowedInventory(
    Inventory(devices=DEVICES),
    Access(
        "some",
        GroupRules(all_plans=True, all_devices=True),
        GroupRules(all_devices=True, forbidden_devices=("secret1",)),
    ),
)


def union(*types: ParameterType) -> ParameterType:
    return ParameterType(Kind.UNION, types)


def listed(*types: ParameterType) -> ParameterType:
    return ParameterType(Kind.LIST, types)


def plan_of(type_: ParameterType, kind: ParameterKind = ParameterKind.POSITIONAL_OR_KEYWORD, name: str = "x") -> Plan:
    return Plan("plan", (Parameter(name, kind, required=False, type=type_, takes_device_names=True),))


def told(type_: ParameterType, *args: Any, kind: ParameterKind = ParameterKind.VAR_POSITIONAL) -> dict[str, Any]:
    """Near matches by the path of what is told."""
    warnings = Warner().look(plan_of(type_, kind), args, {}, ALLOWED, "item")
    return {warning.field.removeprefix("item.args"): list(warning.near_matches) for warning in warnings}


def test_a_misspelt_motor_of_a_scan_is_told_with_what_is_near() -> None:
    (warning,) = Warner().look(
        plan_of(union(DEVICE, ANY), ParameterKind.VAR_POSITIONAL), ["motr1", -1, 1, 5], {}, ALLOWED, "item"
    )
    assert (warning.field, warning.text, warning.near_matches) == ("item.args[0]", "motr1", ("motor1",))
    assert warning.message == "item.args[0]: 'motr1' names no device; did you mean 'motor1'?"


@pytest.mark.parametrize(
    ("type_", "args", "result"),
    [
        (UNTYPED, ["motr1"], {"[0]": ["motor1"]}),
        (UNTYPED, ["MOTOR1"], {"[0]": ["motor1", "motor2"]}),
        (UNTYPED, ["motor1.velocty"], {"[0]": ["motor1.velocity"]}),
        (UNTYPED, ["motor1", "motor1.velocity", "det1"], {}),
        (UNTYPED, ["fast", 5, None, True, "", "a sample of gold"], {}),
        (UNTYPED, ["secret1", "secret2"], {}),
        (UNTYPED, [["det1", "camera"], "camera"], {"[0][1]": []}),
        (UNTYPED, ["det1", "camera", "not a name"], {"[1]": []}),
        (UNTYPED, [{"dets": ["detr1"], "md": {"by": "motr1"}, "motr1": 1}], {"[0].dets[0]": ["det1"]}),
        (union(DEVICE, ANY), ["camera", 1, 2], {"[0]": []}),
        (union(DEVICE, NUMBER), ["det1", 1], {}),
        (union(DEVICE, TEXT), ["camera", "motr1"], {"[1]": ["motor1"]}),
        (union(DEVICE, MODE), ["motor"], {}),
        (listed(union(DEVICE, ANY)), [["det1", "camera"]], {"[0][1]": []}),
        (ParameterType(Kind.TUPLE, (union(DEVICE, ANY), TEXT)), ["motr1", "motr1"], {"[0]": ["motor1"]}),
        (ParameterType(Kind.MAP, (union(DEVICE, TEXT),)), [{"a": "motr1"}], {"[0].a": ["motor1"]}),
        (
            ParameterType(
                Kind.RECORD,
                fields=(
                    RecordField("at", UNTYPED, required=True),
                    RecordField("mode", TEXT, required=True),
                ),
            ),
            [{"at": "motr1", "mode": "motr1", "more": "motr1"}],
            {"[0].at": ["motor1"]},
        ),
        (TEXT, ["motr1"], {}),
        (ANY, ["fast"], {}),
    ],
)
def test_what_names_no_device_where_one_could_stand_is_told(type_: ParameterType, args: list[Any], result: Any) -> None:
    found = told(type_, *args)
    assert found == result


def test_arguments_by_name_and_further_ones_are_looked_at_and_metadata_is_not() -> None:
    plan = Plan(
        "plan",
        (
            Parameter(
                "motor", ParameterKind.POSITIONAL_OR_KEYWORD, required=True, type=UNTYPED, takes_device_names=True
            ),
            Parameter("md", ParameterKind.KEYWORD_ONLY, required=False, type=UNTYPED),
            Parameter("others", ParameterKind.VAR_KEYWORD, required=False, type=UNTYPED, takes_device_names=True),
        ),
    )
    kwargs = {"motor": "motr1", "md": "motr1", "sample_md": "motr1", "detector": "dett1"}
    fields = [warning.field for warning in Warner().look(plan, [], kwargs, ALLOWED, "items[3]")]
    assert fields == ["items[3].kwargs.motor", "items[3].kwargs.detector"]


def test_further_arguments_by_name_are_fields_if_their_type_has_fields() -> None:
    record = ParameterType(Kind.RECORD, fields=(RecordField("at", UNTYPED, required=True),))
    plan = plan_of(record, ParameterKind.VAR_KEYWORD)
    fields = [w.field for w in Warner().look(plan, [], {"at": "motr1", "more": "motr1"}, ALLOWED, "item")]
    assert fields == ["item.kwargs.at"]


def test_a_parameter_that_takes_no_device_names_is_left_alone() -> None:
    plan = Plan("plan", (Parameter("x", ParameterKind.POSITIONAL_OR_KEYWORD, required=True, type=UNTYPED),))
    assert Warner().look(plan, ["motr1"], {}, ALLOWED, "item") == ()


def test_what_is_told_of_one_item_and_of_one_request_is_bounded() -> None:
    warner, plan = Warner(), plan_of(UNTYPED)
    numbers = [len(warner.look(plan, [["motr1"] * 50], {}, ALLOWED, f"items[{index}]")) for index in range(8)]
    assert numbers == [20, 20, 20, 20, 20, 0, 0, 0]


def test_few_texts_are_compared_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    near = NearNames.near
    monkeypatch.setattr(NearNames, "near", lambda names, text: compared.append(text) or near(names, text))
    allowed = AllowedInventory(Inventory(devices=DEVICES), BUILT_IN.access_for("admin"))
    warner, plan = Warner(), plan_of(UNTYPED)
    for item in range(100):
        warner.look(plan, [[f"sample{item}x{number}" for number in range(3_000)]], {}, allowed, "item")
    assert len(compared) == 100
    Warner().look(plan, [compared[:5]], {}, allowed, "item")
    assert len(compared) == 100, "what was looked for is kept"
    assert allowed_module._MISTAKES_KEPT > 100


def test_of_thousands_of_names_the_nearest_are_found() -> None:
    names = NearNames([f"motor{number}" for number in range(5_000)] + ["shutter"])
    assert names.near("shuter") == ["shutter"]
    assert "motor4999" in names.near("mottor4999")


def test_an_inventory_tells_where_names_of_devices_convert() -> None:
    parameters = [pb.ParameterDescription(name="a", takes_device_names=True), pb.ParameterDescription(name="b")]
    plan = inventory_from_proto(pb.Inventory(plans=[pb.PlanDescription(name="p", parameters=parameters)])).plans["p"]
    assert plan.doubtful == {"a"}
