"""What one user group may use of the inventory, checked name by name.

Nothing is listed in advance: a plan is reduced when it is requested, and a device is looked up when it is named. So
a check of one item costs the same however many devices there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from queueserver_inventory.access import Access, DeviceAccess
from queueserver_inventory.parameter_types import ParameterType, TypeKind

from queueserver_manager.domain.inventory import Device, Inventory, Plan
from queueserver_manager.domain.validation.near_names import NearNames

#: Access to all that exists.
UNLIMITED = Access.unlimited()
#: Names that are suggested instead of a wrong one, and wrong names whose suggestions are kept.
_NEAR, _MISTAKES_KEPT = 3, 1_000


@dataclass(frozen=True, slots=True)
class DeviceShare:
    """How much of a device or component may be used."""

    #: The device itself, whatever is below it.
    itself: bool
    #: It and everything below it; ``components`` is empty then.
    is_whole: bool
    #: Shares of those components of which anything may be used.
    components: Mapping[str, DeviceShare] = field(default_factory=dict)


_ALL_OF_IT = DeviceShare(itself=True, is_whole=True)


class AllowedInventory:
    """The inventory as one group sees it. Neither of its parts ever changes; another part needs another object."""

    def __init__(self, inventory: Inventory, access: Access = UNLIMITED) -> None:
        #: Everything that exists.
        self.inventory = inventory
        self.access = access
        self._plans: dict[str, Plan] = {}
        self._devices: dict[str, bool] = {}
        #: By id, as the types live as long as the inventory: many parameters share one with thousands of names.
        self._types: dict[int, ParameterType] = {}
        self._near_devices: NearNames | None = None
        self._like: dict[str, tuple[str, ...]] = {}

    def plan(self, name: str) -> Plan | None:
        """A plan with its lists of names reduced to what may be used; None if there is none or it may not be used."""
        known = self._plans.get(name)
        if known is None:
            plan = self.inventory.plans.get(name)
            if plan is None or not self.access.allows_plan(name):
                return None
            known = self._plans[name] = self._reduced(plan)
        return known

    def why_no_plan(self, name: str) -> str:
        """Why something of that name is not a plan, in one sentence; empty if nothing looks like one."""
        reason = self.inventory.no_plans.get(name, "")
        # A plan that may not be used is treated as absent, also when something is wrong with it.
        return reason if reason and name not in self.inventory.plans and self.access.allows_plan(name) else ""

    def has_device(self, dotted_name: str) -> bool:
        """Whether a name such as ``bundle.motors.x`` leads to a device or component that itself may be used."""
        known = self._devices.get(dotted_name)
        if known is None:
            device = self.inventory.find_device(dotted_name)
            if device is None:
                return False
            known = self._devices[dotted_name] = self.access.allows_device(dotted_name, device.traits)
        return known

    def plan_names(self) -> Iterator[str]:
        """Names of all plans that may be used, in alphabetical order."""
        return filter(self.access.allows_plan, self.inventory.plans)

    def device_names(self) -> Iterator[str]:
        """Names of all devices, without components, that may be used, in alphabetical order."""
        return filter(self.has_device, self.inventory.devices)

    def offers(self, kind: TypeKind, name: str) -> bool:
        """Whether a name of a device, a plan or either is there and may be used."""
        if kind is TypeKind.PLAN:
            return self._has_plan(name)
        if kind is TypeKind.DEVICE:
            return self.has_device(name)
        return self.has_device(name) or self._has_plan(name)

    def devices_like(self, name: str) -> tuple[str, ...]:
        """Up to three devices with a similar name, best first; of a dotted name, components with a similar last part.

        Results are kept, because the same mistake often repeats in a whole batch.
        """
        if name not in self._like:
            if len(self._like) >= _MISTAKES_KEPT:
                self._like.clear()
            self._like[name] = tuple(self._look_for_devices_like(name))
        return self._like[name]

    def has_looked_for(self, name: str) -> bool:
        """Whether `devices_like` knows the result without searching."""
        return name in self._like

    def _look_for_devices_like(self, name: str) -> list[str]:
        parent, _, last = name.rpartition(".")
        device = self.inventory.find_device(parent) if parent else None
        if device is not None:
            near = [f"{parent}.{component}" for component in NearNames(device.components).near(last)]
        else:
            if self._near_devices is None:
                self._near_devices = NearNames(self.inventory.devices)
            near = self._near_devices.near(name)
        return list(filter(self.has_device, near))[:_NEAR]

    def names(self, expected: ParameterType, name: str) -> bool:
        """Whether a name stands for a device or plan that a type takes and that may be used."""
        if expected.listed and name not in expected.choices:
            return False
        if not self.offers(expected.kind, name):
            return False
        if expected.kind is not TypeKind.DEVICE or not (expected.device_protocol or expected.device_class):
            return True
        device = self.inventory.find_device(name)
        return device is not None and device.suits(expected)

    def devices_for(self, expected: ParameterType) -> Iterator[str]:
        """Names of the devices, without components, that a type takes and that may be used, in alphabetical order."""
        if not (expected.device_protocol or expected.device_class):
            return self.device_names()
        return (name for name in self.device_names() if self.inventory.devices[name].suits(expected))

    def share_of(self, device: Device) -> DeviceShare | None:
        """How much of a device may be used; None if nothing of it."""
        return _share(device, (device.name,), self.access.within_device(device.name))

    def share_at(self, dotted_name: str) -> DeviceShare | None:
        """How much of the device or component to which a name leads may be used; None if nothing of it."""
        device = self.inventory.find_device(dotted_name)
        if device is None or self.access is UNLIMITED:
            return _ALL_OF_IT if device else None
        path = tuple(dotted_name.split("."))
        return _share(device, path, self.access.within_device(path[0]))

    def _has_plan(self, name: str) -> bool:
        return name in self.inventory.plans and self.access.allows_plan(name)

    def _reduced(self, plan: Plan) -> Plan:
        types = [self._reduced_type(parameter.type) for parameter in plan.parameters]
        if all(type_ is parameter.type for type_, parameter in zip(types, plan.parameters, strict=True)):
            return plan
        parameters = zip(plan.parameters, types, strict=True)
        return replace(plan, parameters=tuple(replace(parameter, type=type_) for parameter, type_ in parameters))

    def _reduced_type(self, type_: ParameterType) -> ParameterType:
        """The same object if everything in it may be used."""
        known = self._types.get(id(type_))
        if known is None:
            choices = type_.choices
            if type_.listed:
                choices = tuple(name for name in choices if self.offers(type_.kind, name))
            arguments = tuple(map(self._reduced_type, type_.arguments))
            fields = tuple(replace(each, type=self._reduced_type(each.type)) for each in type_.fields)
            key = None if type_.key is None else self._reduced_type(type_.key)
            known = replace(type_, choices=choices, arguments=arguments, fields=fields, key=key)
            known = self._types[id(type_)] = type_ if known == type_ else known
        return known


def _share(device: Device, path: tuple[str, ...], access: DeviceAccess) -> DeviceShare | None:
    itself = access.allows(path, device.traits)
    if not device.components:
        return _ALL_OF_IT if itself else None
    components: dict[str, DeviceShare] = {}
    for name, component in device.components.items():
        share = _share(component, (*path, name), access)
        if share is not None:
            components[name] = share
    if itself and len(components) == len(device.components):
        if all(share.is_whole for share in components.values()):
            return _ALL_OF_IT
    elif not itself and not components:
        return None
    return DeviceShare(itself, is_whole=False, components=components)
