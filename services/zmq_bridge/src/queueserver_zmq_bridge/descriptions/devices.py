"""The description of a device and of its components."""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import inventory_pb2
from queueserver_long_work.work import Work


def device_description(device: inventory_pb2.DeviceDescription) -> Work[dict[str, Any]]:
    """The object for a device, in steps: one device may have many thousands of components."""
    fields: dict[str, Any] = {
        "is_readable": device.readable,
        "is_movable": device.movable,
        "is_flyable": device.flyable,
        "classname": device.class_name,
        "module": device.module,
    }
    if device.excluded:
        fields["excluded"] = True
    components: dict[str, Any] = {}
    for component in device.components:
        components[component.name] = yield from device_description(component)
        yield
    if components:
        fields["components"] = components
    return fields
