"""What a group may use of the inventory: devices with and without components, and names in lists of plans."""

from __future__ import annotations

from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory.access import Access, GroupRules
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permissions import BUILT_IN
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.wire.descriptions import DescriptionCutter
from queueserver_manager.worker_client.inventory import inventory_from_proto

from tests.unit.common.inventory.device_tree import TREE, Node

ROOT = BUILT_IN.groups["root"]
CUTTER = DescriptionCutter()
KIND = pb.ParameterType


def describe(name: str, node: Node) -> pb.DeviceDescription:
    traits = node.traits
    return pb.DeviceDescription(
        name=name,
        readable=traits.is_readable,
        movable=traits.is_movable,
        flyable=traits.is_flyable,
        components=[describe(below, component) for below, component in node.components.items()],
    )


def listed(kind: pb.ParameterType.Kind.ValueType, *choices: str) -> pb.ParameterType:
    return pb.ParameterType(kind=kind, listed=True, choices=choices)


def plan(name: str, *types: pb.ParameterType) -> pb.PlanDescription:
    parameters = [pb.ParameterDescription(name=f"p{index}", type=each) for index, each in enumerate(types)]
    return pb.PlanDescription(name=name, description="what it does", parameters=parameters)


def inventory(*plans: pb.PlanDescription) -> Inventory:
    devices = [describe(name, node) for name, node in TREE.items()]
    return inventory_from_proto(pb.Inventory(plans=plans, devices=devices))


def allowed(group: GroupRules, *plans: pb.PlanDescription) -> AllowedInventory:
    return AllowedInventory(inventory(*plans), Access("group", ROOT, group))


def outline(message: pb.DeviceDescription) -> str:
    """A device and its components in brackets; those that are excluded themselves in parentheses."""
    name = f"({message.name})" if message.excluded else message.name
    below = " ".join(map(outline, message.components))
    return f"{name}[{below}]" if below else name


def devices(group: GroupRules) -> list[str]:
    seen = allowed(group)
    shares = [(device, seen.share_of(device)) for device in seen.inventory.devices.values()]
    cut = [CUTTER.device(device, share) for device, share in shares if share is not None]
    return [outline(pb.DeviceDescription.FromString(wire)) for wire in cut]


def test_a_group_that_may_use_everything_gets_descriptions_as_they_came() -> None:
    seen = allowed(GroupRules(all_devices=True))

    for device in seen.inventory.devices.values():
        share = seen.share_of(device)
        assert share is not None
        assert CUTTER.device(device, share) is device.wire


def test_a_forbidden_device_stays_as_the_path_to_its_components() -> None:
    assert devices(GroupRules(all_devices=True, forbidden_devices=(":^stage$", ":^[dfm]", "stage2.det"))) == [
        "(det1)[val]",
        "(motor)[val]",
        "(stage)[mtrs[x[val] y] det[val]]",
        "stage2[(det)[val]]",
    ]


def test_a_whole_tree_is_forbidden_with_all_below() -> None:
    assert devices(GroupRules(all_devices=True, forbidden_devices=(":^stage:?.*", ":^[dfm]:?.*"))) == []


def test_allowing_devices_does_not_allow_their_components() -> None:
    assert devices(GroupRules(allowed_devices=(":.*",))) == ["det1", "det2", "fly", "motor", "stage", "stage2"]


def test_one_allowed_component_keeps_only_the_path_to_it() -> None:
    assert devices(GroupRules(allowed_devices=("stage.mtrs.x",))) == ["(stage)[(mtrs)[x]]"]


def test_names_that_nobody_has_lead_nowhere() -> None:
    seen = allowed(GroupRules(all_devices=True, forbidden_devices=("det2",)))

    assert seen.has_device("stage.mtrs.x")
    for name in ("det2", "nope", "stage.nope", "det1.val.deeper", "", "."):
        assert not seen.has_device(name)
    assert list(seen.device_names()) == ["det1", "fly", "motor", "stage", "stage2"]


PLANS = (
    plan("count", listed(KIND.KIND_DEVICE, "det1", "det2", "nope", "stage.mtrs.x")),
    plan("scan", pb.ParameterType(kind=KIND.KIND_UNION, arguments=[listed(KIND.KIND_PLAN, "count", "scan", "other")])),
    plan("both", listed(KIND.KIND_DEVICE_OR_PLAN, "det1", "count", "det2", "scan")),
    plan("free", pb.ParameterType(kind=KIND.KIND_ENUM, choices=["det2", "x"])),
    plan("_own"),
)
VISITORS = GroupRules(
    allowed_plans=(":.*",), forbidden_plans=("scan",), allowed_devices=("det1", ":^stage:?x$", "nope")
)


def test_lists_of_names_are_reduced_to_what_is_there_and_may_be_used() -> None:
    seen = allowed(VISITORS, *PLANS)

    def choices(name: str) -> list[tuple[str, ...]]:
        found = seen.plan(name)
        assert found is not None
        message = pb.PlanDescription.FromString(CUTTER.plan(seen.inventory.plans[name], seen))
        types = [one.type.arguments[0] if one.type.arguments else one.type for one in found.parameters]
        sent = [one.type.arguments[0] if one.type.arguments else one.type for one in message.parameters]
        assert message.description == "what it does"
        assert [one.choices for one in types] == [tuple(one.choices) for one in sent]
        return [one.choices for one in types]

    assert choices("count") == [("det1", "stage.mtrs.x")]
    assert choices("both") == [("det1", "count")]
    assert choices("free") == [("det2", "x")]


def test_plans_that_may_not_be_used_are_not_there() -> None:
    seen = allowed(VISITORS, *PLANS)

    assert list(seen.plan_names()) == ["both", "count", "free"]
    assert seen.plan("scan") is None
    assert seen.plan("_own") is None
    assert seen.plan("nope") is None


def test_it_is_told_why_something_is_no_plan_to_who_might_use_it_as_one() -> None:
    left_out = pb.InventoryIssue(name="align", message="align was left out.", kind=pb.INVENTORY_ISSUE_KIND_PLAN)
    device = pb.InventoryIssue(name="bad", message="bad was left out.", kind=pb.INVENTORY_ISSUE_KIND_DEVICE)
    message = pb.Inventory(
        plans=[plan("count")],
        issues=[left_out, device],
        no_plans=[pb.NoPlan(name=name, message=f"{name} is not a plan.") for name in ("helper", "count")],
    )
    taken = inventory_from_proto(message)
    everybody, few = (
        AllowedInventory(taken),
        AllowedInventory(taken, Access("few", ROOT, GroupRules(allowed_plans=("count",)))),
    )
    names = ("align", "helper", "bad", "count", "nothing")
    reasons = ["align was left out.", "helper is not a plan.", "", "", ""]
    assert [everybody.why_no_plan(name) for name in names] == reasons
    assert not any(few.why_no_plan(name) for name in names)


def test_a_plan_of_which_nothing_is_reduced_is_passed_on_as_it_came() -> None:
    seen = allowed(GroupRules(all_plans=True, all_devices=True), *PLANS)
    free = seen.inventory.plans["free"]

    assert seen.plan("free") is free
    assert CUTTER.plan(free, seen) is free.wire


def test_names_in_lists_of_plans_are_reduced_inside_of_other_types() -> None:
    seen = allowed(GroupRules(all_plans=True, forbidden_plans=("count",)), *PLANS)

    message = pb.PlanDescription.FromString(CUTTER.plan(seen.inventory.plans["scan"], seen))

    assert list(message.parameters[0].type.arguments[0].choices) == ["scan"]
