"""Docstrings of plans, as they are: the supervisor reads them, and describes what the decorators do not.

Guarantees: their length is bounded; one that can't be had is left out.
"""

import functools
from collections.abc import Mapping
from typing import Any, Final

from queueserver_inventory.descriptions import Inventory, PlanDescription

MAX_DOCSTRING: Final = 20_000
"""Characters of one docstring."""
MAX_DOCSTRINGS: Final = 4 * 1024 * 1024
"""Characters of all of them."""


def docstrings_of(inventory: Inventory, namespace: Mapping[str, Any]) -> dict[str, str]:
    """Return the docstrings, by the names of the plans, of those plans whose decorators do not say everything."""
    found: dict[str, str] = {}
    left = MAX_DOCSTRINGS
    for plan in inventory.plans:
        text = "" if _is_complete(plan) else _docstring_of(namespace.get(plan.name))
        left -= len(text)
        if text and left >= 0:
            found[plan.name] = text
    return found


def _is_complete(plan: PlanDescription) -> bool:
    return bool(plan.description) and all(parameter.description for parameter in plan.parameters)


def _docstring_of(plan: Any) -> str:
    try:
        text = (plan.func if isinstance(plan, functools.partial) else plan).__doc__
    except BaseException:  # noqa: BLE001 - protects the inventory from an object whose attributes raise
        return ""
    return text[:MAX_DOCSTRING].encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else ""
