"""How deep trees of devices are described, what is left out of them, and what startup code registers."""

# mypy: disable-error-code="misc"

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import pytest
from ophyd import ADComponent, Component, Device, EpicsSignal, Signal, SimDetector
from queueserver_environment.describe import inventory as inventories
from queueserver_environment.describe.device_trees import MAX_COMPONENTS, DeviceTree
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.plans.names import Names
from queueserver_environment.user_api.registration import (
    clear_registrations,
    register_device,
    register_plan,
)
from queueserver_inventory.description_sizes import Sizes
from queueserver_inventory.descriptions import InventoryIssueKind

from tests.unit.environment.reference_devices import Detector, reference_tree


class Stage(Device):
    x = Component(Signal, value=0)


class Bundle(Device):
    mtrs = Component(Stage)


class Camera(SimDetector):
    extra = ADComponent(EpicsSignal, "Extra")


class Moody(Detector):
    """Raises while its components are listed, or when one of them is looked at."""

    component_names = ("good", "broken", "last")
    children = None  # type: ignore[assignment] # it names its components instead
    good = Detector()
    last = Detector()

    @property
    def broken(self) -> Any:
        raise RuntimeError("no connection")


class Interrupted(Detector):
    def children(self) -> Iterator[tuple[str, Any]]:
        yield "first", Detector()
        raise RuntimeError("power cut")


def plan() -> Iterator[Any]:
    yield


@pytest.fixture(autouse=True)
def _no_registrations() -> Iterator[None]:
    clear_registrations()
    yield
    clear_registrations()


def paths(devices: Any, above: str = "") -> list[str]:
    return [
        path
        for device in devices
        for path in (f"{above}{device.name}", *paths(device.components, f"{above}{device.name}."))
    ]


@pytest.mark.parametrize(
    ("depth", "found"),
    [
        (0, ["bundle", "bundle.mtrs", "bundle.mtrs.x"]),
        (1, ["bundle"]),
        (2, ["bundle", "bundle.mtrs"]),
        (3, ["bundle", "bundle.mtrs", "bundle.mtrs.x"]),
    ],
)
def test_trees_are_described_to_the_depth_that_is_wanted(depth: int, found: list[str]) -> None:
    devices = take_inventory({"bundle": Bundle(name="bundle")}, device_max_depth=depth).devices
    assert paths(devices) == found


def test_trees_of_other_devices_end_at_the_same_depth() -> None:
    devices = take_inventory(reference_tree(), device_max_depth=2).devices
    assert paths(devices) == (
        [
            "det1",
            "det1.val",
            "det2",
            "fly",
            "motor",
            "motor.val",
            "stage",
            "stage.mtrs",
            "stage.det",
            "stage2",
            "stage2.det",
        ]
    )


def test_a_registered_device_has_a_depth_of_its_own() -> None:
    register_device("stage")
    register_device("det1", depth=0)
    register_device("motor", depth=2)
    devices = take_inventory(reference_tree(), device_max_depth=1).devices
    assert paths(devices) == ["det1", "det1.val", "det2", "fly", "motor", "motor.val", "stage", "stage2"]


def test_area_detectors_are_expanded_only_if_they_are_registered() -> None:
    namespace = {"camera": Camera("NO:SUCH:", name="camera")}
    assert paths(take_inventory(namespace).devices) == ["camera"]
    register_device("camera")
    assert paths(take_inventory(namespace).devices) == ["camera"]
    register_device("camera", depth=2)
    assert "camera.extra" in paths(take_inventory(namespace).devices)


def test_what_is_registered_as_excluded_is_neither_listed_nor_found() -> None:
    namespace = {**reference_tree(), "plan": plan, "other": plan}
    register_device("stage", exclude=True)
    register_plan("plan", exclude=True)
    register_plan("other")
    inventory = take_inventory(namespace)
    assert "stage" not in [device.name for device in inventory.devices]
    assert [described.name for described in inventory.plans] == ["other"]
    names = Names(namespace)
    assert names.plan("plan") is None
    assert names.device("stage.mtrs") is None
    assert names.plan("other") is plan


def test_what_was_registered_and_is_not_there_is_told() -> None:
    register_device("missing")
    register_plan("det2")
    inventory = take_inventory(reference_tree())
    assert [(issue.name, issue.kind) for issue in inventory.issues] == [
        ("det2", InventoryIssueKind.STARTUP_CODE),
        ("missing", InventoryIssueKind.STARTUP_CODE),
    ]
    assert "names something that is not a plan" in inventory.issues[0].message
    assert "names nothing that the startup code defines" in inventory.issues[1].message


def test_what_was_registered_through_the_original_package_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("bluesky_queueserver.manager.profile_ops")
    devices = {"stage": {"obj": None, "depth": 1, "exclude": False}, "det1": {"depth": 1, "exclude": True}}
    module.reg_ns_items = SimpleNamespace(reg_devices=devices, reg_plans={})  # type: ignore[attr-defined] # as there
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = paths(take_inventory(reference_tree()).devices)
    assert "stage" in found
    assert "stage.mtrs" not in found
    assert "det1" not in found


@pytest.mark.parametrize(
    ("name", "depth", "error"),
    [("a.b", 1, ValueError), ("", 1, ValueError), (5, 1, TypeError), ("a", -1, ValueError), ("a", "1", TypeError)],
)
def test_wrong_registrations_are_refused_at_once(name: Any, depth: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        register_device(name, depth=depth)
    if depth == 1:
        with pytest.raises(error):
            register_plan(name)


def test_only_the_component_that_raises_is_left_out() -> None:
    inventory = take_inventory({"moody": Moody()})
    assert paths(inventory.devices) == ["moody", "moody.good", "moody.last"]
    (issue,) = inventory.issues
    assert "The component moody.broken was left out (RuntimeError: no connection)" in issue.message
    assert (issue.kind, issue.file) == (InventoryIssueKind.DEVICE, __file__)
    assert issue.line > 0


def test_what_was_listed_before_a_device_raised_is_kept() -> None:
    inventory = take_inventory({"cut": Interrupted()})
    assert paths(inventory.devices) == ["cut", "cut.first"]
    assert "Components of cut were left out (RuntimeError: power cut)" in inventory.issues[0].message


def test_a_device_that_contains_itself_is_not_followed() -> None:
    ring = Detector()
    ring._components = {"inner": Detector(ring=ring), "other": Detector()}
    inventory = take_inventory({"ring": ring})
    assert paths(inventory.devices) == ["ring", "ring.inner", "ring.other"]
    assert "ring.inner.ring was left out (ValueError: it contains itself)" in inventory.issues[0].message


def test_a_device_has_a_bounded_number_of_components() -> None:
    tree = Detector()
    for _ in range(30):
        tree = Detector(a=tree, b=tree)
    inventory = take_inventory({"tree": tree})
    assert len(paths(inventory.devices)) == MAX_COMPONENTS + 1
    (issue,) = inventory.issues
    assert "too many components" in issue.message


def test_a_class_whose_components_multiply_is_described_in_bounded_size() -> None:
    cls: type[Device] = Stage
    for level in range(24):
        cls = type(f"Doubling{level}", (Device,), {"a": Component(cls), "b": Component(cls)})
    # Such a device can't be made, but what is described is its class.
    tree = DeviceTree()
    assert Sizes().device(tree.describe("wide", cls.__new__(cls))) < 4 * 1024 * 1024
    assert [problem.message for problem in tree.problems] == [
        "wide has too many components to list all of them; register the device with less depth."
    ]


def test_when_all_devices_together_are_too_much_they_are_described_to_less_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two_levels = take_inventory(reference_tree(), device_max_depth=2).devices
    monkeypatch.setattr(inventories, "MAX_DEVICES_BYTES", sum(map(Sizes().device, two_levels)))
    inventory = take_inventory(reference_tree())
    assert max(path.count(".") for path in paths(inventory.devices)) <= 1
    assert "limit the depth of devices" in inventory.issues[-1].message


def test_one_device_that_is_too_much_is_described_to_less_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    two_levels = DeviceTree(2).describe("deep", Detector(a=Detector(b=Detector())))
    most = Sizes().device(two_levels)
    monkeypatch.setattr(inventories, "MAX_DEVICE_BYTES", most)
    inventory = take_inventory({"deep": Detector(a=Detector(b=Detector(c=Detector()))), "flat": Detector(a=Detector())})
    assert paths(inventory.devices) == ["deep", "deep.a", "flat", "flat.a"]
    assert all(Sizes().device(device) <= most for device in inventory.devices)
    (issue,) = inventory.issues
    assert (issue.name, "only 2 levels are" in issue.message) == ("deep", True)


def test_a_plan_whose_description_is_too_long_is_left_out_and_that_is_told() -> None:
    choices = Literal[tuple(f"sample {number} {'x' * 100}" for number in range(20_000))]  # type: ignore[valid-type] # made here

    def too_many(sample: choices) -> Iterator[Any]:  # type: ignore[valid-type] # as above
        yield sample

    inventory = take_inventory({"too_many": too_many})
    assert not inventory.plans
    assert "give its parameters fewer choices" in inventory.issues[0].message
