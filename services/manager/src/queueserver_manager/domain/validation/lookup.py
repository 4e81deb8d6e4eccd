"""Find a plan or device by its name; if there is none, say what there is instead."""

from __future__ import annotations

from queueserver_inventory.parameter_types import TypeKind

from queueserver_manager.domain.refusals.errors import DeviceNotFound, FieldInvalid, PlanNotFound, Violation
from queueserver_manager.domain.validation.allowed import AllowedInventory, DeviceShare
from queueserver_manager.domain.validation.type_words import near_matches

_LONGEST_SHOWN = 100


def near_plans(name: str, allowed: AllowedInventory) -> str:
    """What to do about a name that no plan has, as the end of a sentence."""
    return _advice(near_matches(name, tuple(allowed.plan_names())), "plans")


def require_plan(name: str, allowed: AllowedInventory, group: str | None) -> None:
    """Check that there is a plan of that name. ``group`` is whose inventory it is; None: every plan.

    Raises FieldInvalid, PlanNotFound.
    """
    _require(name, "plan")
    if not allowed.offers(TypeKind.PLAN, name):
        problem = allowed.why_no_plan(name) or _problem("plan", name, group, near_plans(name, allowed))
        raise PlanNotFound(problem, violations=[Violation("name", problem)])


def share_of_device(dotted_name: str, allowed: AllowedInventory, group: str | None) -> DeviceShare:
    """How much may be used of the device or component of that name. Raises FieldInvalid, DeviceNotFound."""
    _require(dotted_name, "device")
    share = allowed.share_at(dotted_name)
    if share is None:
        near = ", ".join(map(repr, allowed.devices_like(dotted_name[:_LONGEST_SHOWN])))
        problem = _problem("device", dotted_name, group, _advice(near, "devices"))
        raise DeviceNotFound(problem, violations=[Violation("name", problem)])
    return share


def _require(name: str, what: str) -> None:
    if not name:
        raise FieldInvalid("name", f"required: the name of a {what}")


def _problem(what: str, name: str, group: str | None, advice: str) -> str:
    whose = "" if group is None else f" that user group {group!r} may use"
    return f"There is no {what} {name[:_LONGEST_SHOWN]!r}{whose}: {advice}"


def _advice(near: str, listed: str) -> str:
    return f"did you mean {near}?" if near else f"list the {listed} to see which exist."
