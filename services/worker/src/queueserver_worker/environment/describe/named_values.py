"""Where in the value of a parameter a text that names a device becomes that device."""

from collections.abc import Iterator
from typing import Final

from queueserver.common.v1.inventory_pb2 import ParameterType
from queueserver_inventory.metadata_names import is_metadata_name
from queueserver_inventory.type_trees import parts_of

from queueserver_worker.environment.describe.plan_reading import ReadParameter

_DEVICES: Final = frozenset({ParameterType.KIND_DEVICE, ParameterType.KIND_DEVICE_OR_PLAN})


def takes_device_names(parameter: ReadParameter) -> bool:
    """Tell whether names of devices convert anywhere in what a parameter takes."""
    said: bool | None = parameter.said.get("convert_device_names")
    if said is not None:
        return said
    kinds = set(_kinds(parameter.takes.tree))
    is_untyped = ParameterType.KIND_UNSPECIFIED in kinds and not is_metadata_name(parameter.name)
    return is_untyped or bool(kinds & _DEVICES)


def _kinds(tree: ParameterType) -> "Iterator[ParameterType.Kind.ValueType]":
    yield tree.kind
    for part in parts_of(tree):
        yield from _kinds(part)
