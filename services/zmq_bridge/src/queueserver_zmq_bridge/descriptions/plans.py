"""The description of a plan."""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import inventory_pb2


def plan_description(plan: inventory_pb2.PlanDescription) -> dict[str, Any]:
    """The object for a plan."""
    fields: dict[str, Any] = {
        "name": plan.function_name or plan.name,
        "properties": {"is_generator": plan.returns_generator},
        "parameters": [],
    }
    if plan.module:
        fields["module"] = plan.module
    if plan.description:
        fields["description"] = plan.description
    return fields
