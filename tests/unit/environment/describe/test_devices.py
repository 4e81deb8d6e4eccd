# What is described here is written as users write it: on ophyd, which has no types, and without type arguments.
# mypy: disable-error-code="misc, type-arg, untyped-decorator"

from typing import Any

from ophyd import ADComponent, Component, Device, EpicsMotor, EpicsSignal, Signal, SimDetector
from ophyd.sim import SynAxis, motor, trivial_flyer
from ophyd_async.core import DeviceVector, StandardReadable, soft_signal_rw
from queueserver_environment.describe.device_trees import MAX_DEPTH
from queueserver_environment.describe.devices import find_component, is_device
from queueserver_environment.describe.inventory import take_inventory
from queueserver_inventory.descriptions import DeviceDescription


class Stage(Device):
    x = Component(SynAxis)
    y = Component(SynAxis)


class Bundle(Device):
    mtrs = Component(Stage)
    gain = Component(Signal, value=1)


class LazyBundle(Device):
    far = Component(EpicsSignal, "far", lazy=True)
    motor = Component(EpicsMotor, "motor", lazy=True)


class Camera(SimDetector):
    extra = ADComponent(EpicsSignal, "Extra")


class Sample(StandardReadable):
    def __init__(self, name: str = "") -> None:
        with self.add_children_as_readables():
            self.temperature = soft_signal_rw(float)
            self.heaters = DeviceVector({1: soft_signal_rw(float), 2: soft_signal_rw(float)})
        super().__init__(name=name)


class Plain:
    """A device without any library, whose properties must not be touched."""

    name = "plain"
    parent = None

    def read(self) -> None: ...
    def describe(self) -> None: ...

    @property
    def hints(self) -> None:
        raise AssertionError("the inventory must not run properties")

    @property
    def position(self) -> None:
        raise AssertionError("the inventory must not run properties")


class GivenAtBirth:
    """A flyer that gets its members from its initializer."""

    def __init__(self) -> None:
        self.name, self.kickoff, self.complete = "flyer", print, print


class Broken(Sample):
    def children(self) -> Any:
        if self.name == "broken":
            raise RuntimeError("no children today")
        return super().children()


def describe(**devices: Any) -> dict[str, DeviceDescription]:
    inventory = take_inventory(devices)
    assert not inventory.issues
    return {device.name: device for device in inventory.devices}


def paths(device: DeviceDescription, prefix: str = "") -> list[str]:
    below = [path for component in device.components for path in paths(component, f"{prefix}{device.name}.")]
    return [f"{prefix}{device.name}", *below]


def test_components_of_ophyd_devices_are_listed_in_the_order_of_definition() -> None:
    device = describe(bundle=Bundle(name="bundle"))["bundle"]
    assert [component.name for component in device.components] == ["mtrs", "gain"]
    assert {"bundle.mtrs.x", "bundle.mtrs.x.readback", "bundle.gain"} <= set(paths(device))
    assert (device.class_name, device.module) == ("Bundle", __name__)


def test_what_a_device_can_do_is_told() -> None:
    found = describe(motor=motor, flyer=trivial_flyer, born=GivenAtBirth(), plain=Plain())
    abilities = {name: (d.readable, d.movable, d.flyable) for name, d in found.items()}
    assert abilities == {
        "motor": (True, True, False),
        "flyer": (False, False, True),
        "born": (False, False, True),
        "plain": (True, False, False),
    }


def test_lazy_components_and_motors_that_are_switched_off_are_described_without_being_made() -> None:
    lazy = LazyBundle("NO:SUCH:", name="lazy")
    described = paths(describe(lazy=lazy)["lazy"])
    assert {"lazy.far", "lazy.motor", "lazy.motor.velocity"} <= set(described)
    assert not lazy._signals


def test_area_detectors_are_not_expanded() -> None:
    assert not describe(camera=Camera("NO:SUCH:", name="camera"))["camera"].components


def test_children_of_ophyd_async_devices_are_listed_and_found() -> None:
    sample = Sample("sample")
    device = describe(sample=sample)["sample"]
    below = ["temperature", "heaters", "heaters.1", "heaters.2"]
    assert paths(device) == ["sample", *(f"sample.{name}" for name in below)]
    heaters = find_component(sample, "heaters")
    assert heaters is not None
    assert find_component(heaters, "2") is sample.heaters[2]


def test_a_tree_ends_at_its_greatest_depth() -> None:
    cls: type[Device] = Device
    for level in range(MAX_DEPTH + 3):
        cls = type(f"Level{level}", (Device,), {"inner": Component(cls)})
    assert max(path.count(".") + 1 for path in paths(describe(deep=cls(name="deep"))["deep"])) == MAX_DEPTH


def test_classes_functions_and_other_objects_are_no_devices() -> None:
    assert not any(map(is_device, (Bundle, Plain, motor.read, print, 5, "motor", None, {"read": 1})))


def test_components_that_cant_be_read_are_left_out_and_told_about() -> None:
    broken = Broken("fine")
    broken._name = "broken"
    inventory = take_inventory({"device": broken, "motor": motor})
    assert [device.name for device in inventory.devices] == ["device", "motor"]
    assert not inventory.devices[0].components
    assert inventory.issues[0].name == "device"
    assert "no children today" in inventory.issues[0].message
