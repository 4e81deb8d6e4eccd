"""From the Worker's report of plans and devices to what the domain understands."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Mapping

from queueserver.common.v1 import inventory_pb2
from queueserver_inventory.patterns import Traits
from queueserver_inventory.type_messages import TypeReader
from queueserver_long_work.work import at_once

from queueserver_manager.domain import inventory as inv

#: As many as the contract says, whatever a Worker sends.
_MOST_FUNCTIONS = 1_000


def take_inventory_apart(message: inventory_pb2.Inventory) -> Generator[None, None, inv.Inventory]:
    """Plans and devices, by name in alphabetical order, step by step: a large beamline takes some ten milliseconds."""
    plans, devices, types = {}, {}, TypeReader()
    for plan in sorted(message.plans, key=lambda plan: plan.name):
        plans[plan.name] = _plan(plan, types)
        yield
    for device in sorted(message.devices, key=lambda device: device.name):
        devices[device.name] = _device(device)
        yield
    issues = tuple(issue.SerializeToString() for issue in sorted(message.issues, key=lambda issue: issue.name))
    wire = message.SerializeToString(deterministic=True)
    return inv.Inventory(
        plans,
        devices,
        issues=issues,
        wire=wire,
        no_plans=_no_plans(message),
        reserved_metadata=frozenset(message.reserved_metadata),
        functions={each.name: each.SerializeToString() for each in message.functions[:_MOST_FUNCTIONS]},
    )


def _no_plans(message: inventory_pb2.Inventory) -> dict[str, str]:
    """Why something is no plan; for a plan that was left out, what is wrong with it."""
    found = {no_plan.name: no_plan.message for no_plan in message.no_plans}
    left_out = (issue for issue in message.issues if issue.kind == inventory_pb2.INVENTORY_ISSUE_KIND_PLAN)
    return found | {issue.name: issue.message for issue in left_out}


def inventory_from_proto(message: inventory_pb2.Inventory) -> inv.Inventory:
    """As :func:`take_inventory_apart`, without pauses."""
    return at_once(take_inventory_apart(message))


def inventory_from_bytes(data: bytes) -> inv.Inventory:
    """Plans and devices, as they were stored."""
    return inventory_from_proto(inventory_pb2.Inventory.FromString(data))


def _plan(message: inventory_pb2.PlanDescription, types: TypeReader) -> inv.Plan:
    parameters = tuple(
        inv.Parameter(
            name=parameter.name,
            kind=_PARAMETER_KINDS.get(int(parameter.kind), inv.ParameterKind.POSITIONAL_OR_KEYWORD),
            required=not parameter.HasField("default_text") and int(parameter.kind) not in _NEVER_REQUIRED,
            type=types.read(parameter.type),
            minimum=parameter.minimum if parameter.HasField("minimum") else None,
            maximum=parameter.maximum if parameter.HasField("maximum") else None,
            takes_device_names=parameter.takes_device_names,
            default=_number_in(parameter.default_text),
        )
        for parameter in message.parameters
    )
    return inv.Plan(message.name, parameters, message.SerializeToString(deterministic=True))


#: A kind that is not given, or that only a newer Worker knows, counts as an ordinary parameter.
_PARAMETER_KINDS = {kind.value: kind for kind in inv.ParameterKind}
_NEVER_REQUIRED = frozenset({inv.ParameterKind.VAR_POSITIONAL.value, inv.ParameterKind.VAR_KEYWORD.value})


def _number_in(text: str) -> float | None:
    """The number that a text spells, if it is one."""
    try:
        return float(text)
    except ValueError:
        return None


#: One object for each combination, because there can be very many devices and components.
_NO_CLASSES: frozenset[str] = frozenset()
_TRAITS = {flags: Traits(*flags) for flags in itertools.product((False, True), repeat=3)}


def _device(message: inventory_pb2.DeviceDescription) -> inv.Device:
    """A device. Its components are decoded when one is requested."""
    wire = message.SerializeToString(deterministic=True)
    traits = _TRAITS[message.readable, message.movable, message.flyable]
    components = _Components(wire) if message.components else {}
    return inv.Device(message.name, components, wire, traits, _classes_of(message))


def _classes_of(message: inventory_pb2.DeviceDescription) -> frozenset[str]:
    return frozenset(message.instance_of) if message.instance_of else _NO_CLASSES


class _Components(Mapping[str, inv.Device]):
    """Components of one device by name.

    A large beamline has tens of thousands of them, which would block other clients for a tenth of a second, and most of
    them are never named.
    """

    __slots__ = ("_known", "_wire")

    def __init__(self, wire: bytes) -> None:
        self._wire = wire
        self._known: dict[str, inv.Device] | None = None

    def _devices(self) -> dict[str, inv.Device]:
        if self._known is None:
            self._known = _components(inventory_pb2.DeviceDescription.FromString(self._wire))
        return self._known

    def __getitem__(self, name: str) -> inv.Device:
        return self._devices()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices())

    def __len__(self) -> int:
        return len(self._devices())


def _components(message: inventory_pb2.DeviceDescription) -> dict[str, inv.Device]:
    """All of them, to any depth, without descriptions of their own."""
    return {
        each.name: inv.Device(
            each.name,
            _components(each),
            traits=_TRAITS[each.readable, each.movable, each.flyable],
            instance_of=_classes_of(each),
        )
        for each in message.components
    }
