"""Whether a text in an argument that names a device becomes that device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from queueserver_inventory.descriptions import ParameterDescription
from queueserver_inventory.metadata_names import is_metadata_name
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_trees import parts_of

_DEVICES: Final = frozenset({TypeKind.DEVICE, TypeKind.DEVICE_OR_PLAN})


def takes_device_names(parameter: ParameterDescription) -> bool:
    """Tell whether names of devices convert anywhere in what a parameter takes."""
    if parameter.convert_device_names is not None:
        return parameter.convert_device_names
    kinds = set(_kinds(parameter.type))
    is_untyped = TypeKind.UNSPECIFIED in kinds and not is_metadata_name(parameter.name)
    return is_untyped or bool(kinds & _DEVICES)


def _kinds(tree: ParameterType) -> Iterator[TypeKind]:
    yield tree.kind
    for part in parts_of(tree):
        yield from _kinds(part)
