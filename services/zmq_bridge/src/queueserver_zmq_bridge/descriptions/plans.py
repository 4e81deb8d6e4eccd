"""The description of a plan."""

from __future__ import annotations

import ast
from collections.abc import Set as AbstractSet
from typing import Any, Final, Literal

from queueserver.common.v1 import inventory_pb2 as pb

from queueserver_zmq_bridge.descriptions.annotations import annotation_fields

_KIND_PREFIX: Final = "PARAMETER_KIND_"
_LIMITS: Final[tuple[tuple[str, Literal["minimum", "maximum", "step"]], ...]] = (
    ("min", "minimum"),
    ("max", "maximum"),
    ("step", "step"),
)


def plan_description(plan: pb.PlanDescription, plan_names: AbstractSet[str]) -> dict[str, Any]:
    """The object for a plan. ``plan_names`` are those of all plans in the same list."""
    fields: dict[str, Any] = {
        "name": plan.function_name or plan.name,
        "properties": {"is_generator": plan.returns_generator},
        "parameters": [_parameter(parameter, plan_names) for parameter in plan.parameters],
    }
    if plan.module:
        fields["module"] = plan.module
    if plan.description:
        fields["description"] = plan.description
    return fields


def _parameter(parameter: pb.ParameterDescription, plan_names: AbstractSet[str]) -> dict[str, Any]:
    kind = parameter.kind or pb.PARAMETER_KIND_POSITIONAL_OR_KEYWORD
    name = pb.ParameterKind.Name(kind).removeprefix(_KIND_PREFIX)
    fields: dict[str, Any] = {"name": parameter.name, "kind": {"name": name, "value": kind - 1}}
    if parameter.description:
        fields["description"] = parameter.description
    fields |= annotation_fields(parameter, plan_names)
    if parameter.HasField("default_text"):
        fields["default"] = _literal(parameter.default_text)
        if parameter.default_in_decorator:
            fields["default_defined_in_decorator"] = True
    for key, field in _LIMITS:
        if parameter.HasField(field):
            fields[key] = _number(getattr(parameter, field))
    return fields


def _literal(text: str) -> str:
    """A default that clients can read as a literal: the text itself, or a literal of the text."""
    try:
        ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return repr(text)
    return text


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
