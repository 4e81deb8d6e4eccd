"""The description of a device and of its components."""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import inventory_pb2


def device_description(device: inventory_pb2.DeviceDescription) -> dict[str, Any]:
    """The object for a device."""
    fields: dict[str, Any] = {
        "is_readable": device.readable,
        "is_movable": device.movable,
        "is_flyable": device.flyable,
        "classname": device.class_name,
        "module": device.module,
    }
    if device.excluded:
        fields["excluded"] = True
    if device.components:
        fields["components"] = {component.name: device_description(component) for component in device.components}
    return fields
