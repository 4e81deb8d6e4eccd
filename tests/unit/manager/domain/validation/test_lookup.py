"""One plan or device by its name: the same as in the lists, or a sentence that says what there is instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory.access import Access, GroupRules
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permissions import BUILT_IN
from queueserver_manager.domain.refusals.errors import DeviceNotFound, FieldInvalid, PlanNotFound, Refused
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.lookup import require_plan, share_of_device
from queueserver_manager.wire.descriptions import DescriptionCutter
from queueserver_manager.worker_client.inventory import inventory_from_proto

from tests.unit.common.inventory.device_tree import TREE, Node

CUTTER = DescriptionCutter()
#: Rules that keep back devices, components, whole branches, or nothing.
PATTERNS = [
    "stage",
    "stage.mtrs",
    "stage2.det",
    ":^stage$",
    ":^[dfm]",
    ":mtrs",
    ":?^s.*:depth=3",
    ":^stage2:.*$",
    "det1.val",
]


def describe(name: str, node: Node) -> pb.DeviceDescription:
    below = [describe(component, its) for component, its in node.components.items()]
    return pb.DeviceDescription(name=name, readable=node.traits.is_readable, components=below)


def inventory() -> Inventory:
    plans = [pb.PlanDescription(name=name) for name in ("count", "scan", "_hidden")]
    return inventory_from_proto(
        pb.Inventory(
            plans=plans,
            devices=[describe(name, node) for name, node in TREE.items()],
            no_plans=[pb.NoPlan(name="give", message="There is a function give, but it is not a plan: let it yield.")],
        )
    )


INVENTORY = inventory()


def dotted_names() -> list[str]:
    def below(name: str, node: Node) -> Iterator[str]:
        yield name
        for component, its in node.components.items():
            yield from below(f"{name}.{component}", its)

    return [dotted for name, node in TREE.items() for dotted in below(name, node)]


def allowed(allowing: list[str], forbidding: list[str]) -> AllowedInventory:
    rules = GroupRules(allowed_devices=tuple(allowing), forbidden_devices=tuple(forbidding), all_plans=True)
    return AllowedInventory(INVENTORY, Access("group", BUILT_IN.groups["root"], rules))


def in_list(seen: AllowedInventory, dotted_name: str) -> pb.DeviceDescription | None:
    """What the list of devices has of a device or component."""
    first, *rest = dotted_name.split(".")
    share = seen.share_of(INVENTORY.devices[first])
    if share is None:
        return None
    found = pb.DeviceDescription.FromString(CUTTER.device(INVENTORY.devices[first], share))
    for name in rest:
        matching = [component for component in found.components if component.name == name]
        if not matching:
            return None
        (found,) = matching
    return found


@given(
    st.lists(st.sampled_from(PATTERNS), max_size=3),
    st.lists(st.sampled_from(PATTERNS), max_size=2),
    st.sampled_from(dotted_names()),
)
def test_a_device_by_its_name_is_what_the_list_has_of_it(allowing: list[str], forbidding: list[str], name: str) -> None:
    seen = allowed(allowing, forbidding)
    expected = in_list(seen, name)
    if expected is None:
        with pytest.raises(DeviceNotFound):
            share_of_device(name, seen, "group")
        return
    share = share_of_device(name, seen, "group")
    first, *below = name.split(".")
    assert pb.DeviceDescription.FromString(CUTTER.device(INVENTORY.devices[first], share, below)) == expected


@pytest.mark.parametrize("name", dotted_names())
def test_of_all_that_exists_a_device_is_whole(name: str) -> None:
    seen = AllowedInventory(INVENTORY)
    first, *below = name.split(".")
    found = CUTTER.device(INVENTORY.devices[first], share_of_device(name, seen, None), below)
    assert pb.DeviceDescription.FromString(found) == in_list(seen, name)


Ask = Callable[[str, AllowedInventory, "str | None"], object]


@pytest.mark.parametrize(
    ("ask", "name", "group", "kind", "sentence"),
    [
        (require_plan, "cuont", None, PlanNotFound, "There is no plan 'cuont': did you mean 'count'?"),
        (
            require_plan,
            "scam",
            "primary",
            PlanNotFound,
            "There is no plan 'scam' that user group 'primary' may use: did you mean 'scan'?",
        ),
        (require_plan, "zzz", None, PlanNotFound, "There is no plan 'zzz': list the plans to see which exist."),
        (require_plan, "give", None, PlanNotFound, "There is a function give, but it is not a plan: let it yield."),
        (require_plan, "x" * 1000, None, PlanNotFound, f"There is no plan '{'x' * 100}': list the plans"),
        (require_plan, "", None, FieldInvalid, "name: required: the name of a plan."),
        (share_of_device, "stag", None, DeviceNotFound, "There is no device 'stag': did you mean 'stage', 'stage2'?"),
        (share_of_device, "stage.mtr", None, DeviceNotFound, "did you mean 'stage.mtrs'?"),
        (share_of_device, "zzz.zzz", None, DeviceNotFound, "list the devices to see which exist."),
        (share_of_device, "." * 1000, None, DeviceNotFound, "list the devices to see which exist."),
        (share_of_device, "", "primary", FieldInvalid, "name: required: the name of a device."),
    ],
)
def test_a_name_that_is_not_there_is_told_with_what_to_do(
    ask: Ask, name: str, group: str | None, kind: type[Refused], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        ask(name, AllowedInventory(INVENTORY), group)
    assert sentence in caught.value.message
    assert [violation.field for violation in caught.value.violations] == ["name"]


def test_only_names_that_the_group_may_use_are_proposed() -> None:
    seen = allowed(["stage2"], [])
    with pytest.raises(DeviceNotFound, match=r"'stage2'\?$"):
        share_of_device("stage", seen, "group")
