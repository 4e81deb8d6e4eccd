"""Plans and devices as nested dictionaries, in the form that clients of bluesky-queueserver know.

Guarantees: what a description says is in its entry, and can be read back, except for what no entry has a place
for: the order of components, the fields of a record, the class of a device, a default that is not a Python literal (its
text is there, as a text), a type of which a part can't be expressed (the parameter counts as not annotated then).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from queueserver_inventory.descriptions import (
    DeviceDescription,
    ParameterDescription,
    ParameterKind,
    PlanDescription,
)
from queueserver_inventory.device_places import takes_device_names
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_text import TypeNames, TypeTextError, read_type, type_names, write_type
from queueserver_inventory.type_trees import parts_of

Entry = dict[str, Any]

FILE_NAME: Final = "existing_plans_and_devices.yaml"

#: Deepest tree of devices that is read.
MOST_LEVELS: Final = 64
_KINDS: Final = {kind.name: kind for kind in ParameterKind if kind}
_LIMITS: Final = (("min", "minimum"), ("max", "maximum"), ("step", "step"))
_SWITCHES: Final = ("convert_device_names", "convert_plan_names")
_ABILITIES: Final = ("readable", "movable", "flyable")
_DEVICES: Final = (TypeKind.DEVICE, TypeKind.DEVICE_OR_PLAN)
_PLANS: Final = (TypeKind.PLAN, TypeKind.DEVICE_OR_PLAN)


class EntryError(ValueError):
    """An entry does not have the form of a plan or device; the message is a phrase that says why."""


def plan_entry(plan: PlanDescription) -> Entry:
    """The entry of a plan, to be kept under the plan's name."""
    entry: Entry = {
        "name": plan.function_name or plan.name,
        "properties": {"is_generator": plan.returns_generator},
        "parameters": [_parameter_entry(parameter) for parameter in plan.parameters],
    }
    return entry | _given(module=plan.module, description=plan.description)


def device_entry(device: DeviceDescription) -> Entry:
    """The entry of a device or component, to be kept under its name."""
    entry: Entry = {f"is_{ability}": getattr(device, ability) for ability in _ABILITIES}
    entry |= {"classname": device.class_name, "module": device.module}
    components = {component.name: device_entry(component) for component in device.components}
    return entry | _given(components=components, excluded=device.excluded)


def plan_of(name: str, entry: object) -> PlanDescription:
    """The plan that an entry describes. Raises EntryError."""
    plan = _mapping("it", entry)
    properties = _mapping("'properties'", plan.get("properties", {}))
    return PlanDescription(
        name=name,
        description=_text(plan, "description"),
        parameters=tuple(_parameter_of(parameter) for parameter in _list(plan, "parameters")),
        module=_text(plan, "module"),
        returns_generator=bool(properties.get("is_generator", True)),
        function_name=_text(plan, "name") or name,
    )


def device_of(name: str, entry: object, level: int = 1) -> DeviceDescription:
    """The device that an entry describes. Raises EntryError."""
    if level > MOST_LEVELS:
        raise EntryError(f"it has more than {MOST_LEVELS} levels of components")
    device = _mapping("it", entry)
    components = _mapping("'components'", device.get("components", {}))
    return DeviceDescription(
        name=name,
        readable=bool(device.get("is_readable")),
        movable=bool(device.get("is_movable")),
        flyable=bool(device.get("is_flyable")),
        class_name=_text(device, "classname"),
        module=_text(device, "module"),
        components=tuple(device_of(key, value, level + 1) for key, value in sorted(components.items())),
        excluded=bool(device.get("excluded")),
    )


def _parameter_entry(parameter: ParameterDescription) -> Entry:
    kind = parameter.kind or ParameterKind.POSITIONAL_ONLY
    entry: Entry = {"name": parameter.name, "kind": {"name": kind.name, "value": kind - 1}}
    entry |= _given(description=parameter.description, annotation=_annotation(parameter), unit=parameter.unit)
    if parameter.default_text is not None:
        entry["default"] = _literal(parameter.default_text)
        entry |= _given(default_defined_in_decorator=parameter.default_in_decorator)
    for key, field in _LIMITS:
        limit = getattr(parameter, field)
        if limit is not None:
            entry[key] = _number_text(limit)
    return entry | _switches(parameter)


def _annotation(parameter: ParameterDescription) -> Entry:
    """The text of the type with the lists that it names; empty if there is none that can be read again."""
    tree, text = parameter.type, parameter.annotation
    if tree.kind is TypeKind.UNSPECIFIED:
        return {}
    names = type_names(tree)
    if not _reads_as(text, names, tree):
        try:
            text, names = write_type(tree)
        except TypeTextError:
            return {}
    lists = {"devices": names.devices, "plans": names.plans, "enums": names.enums}
    return {"type": text} | {key: {k: list(v) for k, v in named.items()} for key, named in lists.items() if named}


def _reads_as(text: str, names: TypeNames, tree: ParameterType) -> bool:
    try:
        return read_type(text, names) == tree
    except TypeTextError:
        return False


def _switches(parameter: ParameterDescription) -> Entry:
    """What converts: as the decorator says, else what follows from a type that names any device, plan or function."""
    derived = _follows(parameter.type)
    said = {name: getattr(parameter, name) for name in _SWITCHES}
    return derived | {name: value for name, value in said.items() if value is not None}


def _follows(tree: ParameterType) -> Entry:
    found: Entry = {}
    for part in parts_of(tree):
        found |= _follows(part)
    if tree.kind in _DEVICES and not tree.listed:
        found["convert_device_names"] = True
    if tree.kind in _PLANS and not tree.listed:
        found["convert_plan_names"] = True
    if tree.kind is TypeKind.CALLABLE:
        found["eval_expressions"] = True
    return found


def _parameter_of(entry: object) -> ParameterDescription:
    given = _mapping("a parameter", entry)
    kind = _mapping("'kind' of a parameter", given.get("kind", {})).get("name", "POSITIONAL_OR_KEYWORD")
    if kind not in _KINDS:
        raise EntryError(f"a parameter has the kind {kind!r}, which does not exist")
    annotation = _mapping("'annotation'", given.get("annotation", {}))
    tree = _type_of(annotation) if "annotation" in given else ParameterType()
    derived = _follows(tree)
    said = {name: bool(given[name]) for name in _SWITCHES if name in given}
    parameter = ParameterDescription(
        name=_text(given, "name"),
        kind=_KINDS[kind],
        type=tree,
        annotation=_text(annotation, "type"),
        default_text=_text(given, "default") if "default" in given else None,
        description=_text(given, "description"),
        default_in_decorator=bool(given.get("default_defined_in_decorator")),
        unit=_text(given, "unit"),
    )
    found: dict[str, Any] = {field: _number(given[key]) for key, field in _LIMITS if key in given}
    found |= {name: value for name, value in said.items() if value != derived.get(name)}
    parameter = replace(parameter, **found)
    return replace(parameter, takes_device_names=takes_device_names(parameter))


def _type_of(annotation: Mapping[str, Any]) -> ParameterType:
    names = TypeNames(*(_lists(annotation, key) for key in ("devices", "plans", "enums")))
    try:
        return read_type(_text(annotation, "type"), names, lenient=True)
    except TypeTextError as error:
        raise EntryError(str(error).removesuffix(".")) from error


def _lists(annotation: Mapping[str, Any], key: str) -> dict[str, list[str]]:
    named = _mapping(f"{key!r} of an annotation", annotation.get(key, {}))
    return {name: [_as_text(text) for text in _list(named, name)] for name in named}


def _literal(text: str) -> str:
    """A default that readers can take for a literal: the text itself, or a literal of the text."""
    try:
        ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return repr(text)
    return text


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type] # whatever it is, it is a number or refused
    except (TypeError, ValueError, OverflowError) as error:
        raise EntryError(f"a limit of a parameter is not a number: {value!r}") from error


def _given(**values: Any) -> Entry:
    return {key: value for key, value in values.items() if value}


def _mapping(what: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise EntryError(f"{what} must be a mapping with names as keys")
    return value


def _list(entry: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = entry.get(key, [])
    if not isinstance(value, (list, tuple)):
        raise EntryError(f"{key!r} must be a list")
    return value


def _text(entry: Mapping[str, Any], key: str) -> str:
    return _as_text(entry.get(key, ""))


def _as_text(value: object) -> str:
    """What was written by hand without quotes may have become a number."""
    return value if isinstance(value, str) else repr(value)
