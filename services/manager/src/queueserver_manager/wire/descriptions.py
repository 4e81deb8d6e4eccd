"""Descriptions of plans and devices, reduced to what a user group may use.

What a group may use as a whole is passed on as the Worker sent it, without being decoded.
"""

from __future__ import annotations

from collections.abc import Sequence

from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory.parameter_types import ParameterType

from queueserver_manager.domain.inventory import Device, Plan
from queueserver_manager.domain.validation.allowed import AllowedInventory, DeviceShare


class DescriptionCutter:
    """Makes serialized descriptions."""

    def plan(self, plan: Plan, allowed: AllowedInventory) -> bytes:
        """A plan that may be used, with its lists of names reduced."""
        reduced = allowed.plan(plan.name)
        if reduced is None or reduced is plan:
            return plan.wire
        message = pb.PlanDescription.FromString(plan.wire)
        for parameter, known in zip(message.parameters, reduced.parameters, strict=True):
            _reduce(parameter.type, known.type)
        return message.SerializeToString(deterministic=True)

    def device(self, device: Device, share: DeviceShare, below: Sequence[str] = ()) -> bytes:
        """A device with those of its components that may be used, and what leads to them.

        Or only the component to which the names ``below`` lead, one below the other.
        """
        if share.is_whole and not below:
            return device.wire
        message = pb.DeviceDescription.FromString(device.wire)
        for name in below:
            message = next(component for component in message.components if component.name == name)
        _cut(message, share)
        return message.SerializeToString(deterministic=True)


def _reduce(message: pb.ParameterType, reduced: ParameterType) -> None:
    if message.listed and len(message.choices) > len(reduced.choices):
        del message.choices[:]
        message.choices.extend(reduced.choices)
    for argument, known in zip(message.arguments, reduced.arguments, strict=True):
        _reduce(argument, known)
    for field, known_field in zip(message.fields, reduced.fields, strict=True):
        _reduce(field.type, known_field.type)
    if reduced.key is not None:
        _reduce(message.key, reduced.key)


def _cut(message: pb.DeviceDescription, share: DeviceShare) -> None:
    if share.is_whole:
        return
    message.excluded = not share.itself
    kept = [component for component in message.components if component.name in share.components]
    for component in kept:
        _cut(component, share.components[component.name])
    rest = pb.DeviceDescription()
    rest.components.extend(kept)
    del message.components[:]
    message.components.MergeFrom(rest.components)
