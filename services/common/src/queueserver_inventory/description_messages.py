"""Descriptions of plans and devices: messages of the contract from :mod:`queueserver_inventory.descriptions`, and back.

Guarantees: what is read from a message gives the same message again, except for what only a newer program knows.
"""

from __future__ import annotations

from collections.abc import Iterable

from queueserver.common.v1 import inventory_pb2 as pb

from queueserver_inventory.descriptions import (
    DeviceDescription,
    Inventory,
    ParameterDescription,
    ParameterKind,
    PlanDescription,
)
from queueserver_inventory.type_messages import TypeReader, type_message

_KINDS = {kind.value: kind for kind in ParameterKind}


def inventory_message(inventory: Inventory) -> pb.Inventory:
    """The contract's message. Raises TypeError, ValueError or UnicodeError for what no message can hold."""
    devices = _DeviceMessages()
    return pb.Inventory(
        plans=map(_plan_message, inventory.plans),
        devices=map(devices.message, inventory.devices),
        issues=(
            pb.InventoryIssue(
                name=issue.name,
                message=issue.message,
                kind=pb.InventoryIssueKind.ValueType(issue.kind),
                file=issue.file,
                line=issue.line,
            )
            for issue in inventory.issues
        ),
        no_plans=(pb.NoPlan(name=each.name, message=each.message) for each in inventory.no_plans),
        reserved_metadata=inventory.reserved_metadata,
        functions=(
            pb.FunctionDescription(name=each.name, signature=each.signature, description=each.description)
            for each in inventory.functions
        ),
    )


def plans_of(messages: Iterable[pb.PlanDescription]) -> tuple[PlanDescription, ...]:
    """Read plans."""
    types = TypeReader()
    return tuple(
        PlanDescription(
            name=message.name,
            description=message.description,
            parameters=tuple(_parameter_of(parameter, types) for parameter in message.parameters),
            module=message.module,
            returns_generator=message.returns_generator,
            function_name=message.function_name,
        )
        for message in messages
    )


def devices_of(messages: Iterable[pb.DeviceDescription]) -> tuple[DeviceDescription, ...]:
    """Read devices; components that read the same are one object."""
    return tuple(map(_DeviceReader().read, messages))


class _DeviceMessages:
    """Makes messages of devices. Components that several devices share are made once."""

    def __init__(self) -> None:
        self._known: dict[int, list[pb.DeviceDescription]] = {}

    def message(self, device: DeviceDescription) -> pb.DeviceDescription:
        return pb.DeviceDescription(
            name=device.name,
            readable=device.readable,
            movable=device.movable,
            flyable=device.flyable,
            class_name=device.class_name,
            module=device.module,
            components=self._components(device.components),
            excluded=device.excluded,
            instance_of=device.instance_of,
        )

    def _components(self, components: tuple[DeviceDescription, ...]) -> list[pb.DeviceDescription]:
        known = self._known.get(id(components))
        if known is None:
            known = self._known[id(components)] = list(map(self.message, components))
        return known


class _DeviceReader:
    def __init__(self) -> None:
        self._known: dict[bytes, DeviceDescription] = {}

    def read(self, message: pb.DeviceDescription) -> DeviceDescription:
        wire = message.SerializeToString(deterministic=True)
        known = self._known.get(wire)
        if known is None:
            known = self._known[wire] = self._read(message)
        return known

    def _read(self, message: pb.DeviceDescription) -> DeviceDescription:
        return DeviceDescription(
            name=message.name,
            readable=message.readable,
            movable=message.movable,
            flyable=message.flyable,
            class_name=message.class_name,
            module=message.module,
            components=tuple(map(self.read, message.components)),
            excluded=message.excluded,
            instance_of=tuple(message.instance_of),
        )


def _plan_message(plan: PlanDescription) -> pb.PlanDescription:
    return pb.PlanDescription(
        name=plan.name,
        description=plan.description,
        parameters=map(_parameter_message, plan.parameters),
        module=plan.module,
        returns_generator=plan.returns_generator,
        function_name=plan.function_name,
    )


def _parameter_message(parameter: ParameterDescription) -> pb.ParameterDescription:
    return pb.ParameterDescription(
        name=parameter.name,
        kind=pb.ParameterKind.ValueType(parameter.kind),
        type=type_message(parameter.type),
        annotation=parameter.annotation,
        default_text=parameter.default_text,
        description=parameter.description,
        default_in_decorator=parameter.default_in_decorator,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        step=parameter.step,
        unit=parameter.unit,
        convert_device_names=parameter.convert_device_names,
        convert_plan_names=parameter.convert_plan_names,
        takes_device_names=parameter.takes_device_names,
        unchecked=parameter.unchecked,
    )


def _parameter_of(message: pb.ParameterDescription, types: TypeReader) -> ParameterDescription:
    return ParameterDescription(
        name=message.name,
        kind=_KINDS.get(int(message.kind), ParameterKind.POSITIONAL_OR_KEYWORD),
        type=types.read(message.type),
        annotation=message.annotation,
        default_text=message.default_text if message.HasField("default_text") else None,
        description=message.description,
        default_in_decorator=message.default_in_decorator,
        minimum=message.minimum if message.HasField("minimum") else None,
        maximum=message.maximum if message.HasField("maximum") else None,
        step=message.step if message.HasField("step") else None,
        unit=message.unit,
        convert_device_names=message.convert_device_names if message.HasField("convert_device_names") else None,
        convert_plan_names=message.convert_plan_names if message.HasField("convert_plan_names") else None,
        takes_device_names=message.takes_device_names,
        unchecked=message.unchecked,
    )
