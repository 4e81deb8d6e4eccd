"""Whether a plan call fits the plan, decided without bluesky and without evaluating anything.

Arguments are bound to the parameters as Python would bind them, and every mismatch is reported, each with the
path of its field; then each value is compared with the type and the bounds of its parameter (``fitting.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from queueserver_manager.domain.allowed import AllowedInventory
from queueserver_manager.domain.errors import InvalidRequest, ItemInvalid, PlanNotFound, Violation
from queueserver_manager.domain.fitting import fits, mismatch, near_matches, out_of_bounds
from queueserver_manager.domain.inventory import Parameter, ParameterKind, Plan
from queueserver_manager.domain.item import QUEUE_STOP, ItemKind

Found = list[Violation]
#: Mistakes after which a call is not looked at any further: each takes long to put into words.
_MOST_VIOLATIONS = 50
_BY_NAME = (ParameterKind.POSITIONAL_OR_KEYWORD, ParameterKind.KEYWORD_ONLY)


def check_item(
    kind: ItemKind,
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    allowed: AllowedInventory,
    path: str = "item",
    meta: Mapping[str, Any] | None = None,
) -> None:
    """Check one call and its metadata. Raises ItemInvalid or PlanNotFound."""
    if not name:
        problem = "item has no name: give the name of a plan"
        raise ItemInvalid(f"The {problem}.", violations=[_v(f"{path}.name", problem)])
    if kind is ItemKind.INSTRUCTION:
        if name != QUEUE_STOP:
            problem = f"no instruction {name!r}: the only one is {QUEUE_STOP!r}"
            raise ItemInvalid(f"There is {problem}.", violations=[_v(f"{path}.name", problem)])
        return
    plan = allowed.plan(name)
    if plan is None:
        raise _unknown_plan(name, allowed, path)
    found: Found = []
    _bind(plan, args, kwargs, allowed, path, found)
    what = f"The call does not fit the plan {name!r}" if found else "The metadata can't be used"
    taken = sorted(allowed.inventory.reserved_metadata.intersection(meta or ()))
    found.extend(
        _v(f"{path}.meta.{key}", "the RunEngine needs this name for itself: choose another one") for key in taken
    )
    if found:
        told = "; ".join(f"{violation.field}: {violation.description}" for violation in found[:5])
        end = "" if told.endswith("?") else "."
        raise ItemInvalid(f"{what}: {told}{end}", violations=found)


def _unknown_plan(name: str, allowed: AllowedInventory, path: str) -> InvalidRequest:
    no_plan = allowed.why_no_plan(name)
    if no_plan:
        return PlanNotFound(no_plan, violations=[_v(f"{path}.name", no_plan)])
    near = near_matches(name, tuple(allowed.plan_names()))
    hint = f"did you mean {near}?" if near else "list the plans to see which there are."
    problem = f"no plan {name!r} that you may use: {hint}"
    return PlanNotFound(f"There is {problem}", violations=[_v(f"{path}.name", problem)])


def _bind(
    plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], allowed: AllowedInventory, path: str, found: Found
) -> None:
    """Bind as Python binds, collecting what does not fit and checking what does, until that is enough."""
    names, by_position = plan.by_name, plan.by_position
    rest = plan.catch_all(ParameterKind.VAR_POSITIONAL)
    others = plan.catch_all(ParameterKind.VAR_KEYWORD)
    given: set[str] = set()

    for index, value in enumerate(args):
        if len(found) >= _MOST_VIOLATIONS:
            return
        where = f"{path}.args[{index}]"
        if index < len(by_position):
            given.add(by_position[index].name)
            _check(value, by_position[index], allowed, where, found)
        elif rest is not None:
            _check(value, rest, allowed, where, found)
        else:
            found.append(_v(where, f"too many: the plan takes {len(by_position)} positional arguments"))
            break

    for name, value in kwargs.items():
        if len(found) >= _MOST_VIOLATIONS:
            return
        where = f"{path}.kwargs.{name}"
        parameter = names.get(name)
        if parameter is not None and parameter.kind in _BY_NAME:
            if name in given:
                found.append(_v(where, "given twice: by position and by name"))
            given.add(name)
            _check(value, parameter, allowed, where, found)
        elif others is not None:
            _check(value, others, allowed, where, found)
        else:
            found.append(_v(where, _unexpected(name, parameter, names)))

    found.extend(_v(f"{path}.kwargs.{name}", "required and not given") for name in plan.required if name not in given)


def _unexpected(name: str, parameter: Parameter | None, names: Mapping[str, Parameter]) -> str:
    if parameter is not None and parameter.kind is ParameterKind.POSITIONAL_ONLY:
        return "can be given by position only"
    by_name = [known for known, its in names.items() if its.kind in _BY_NAME]
    near = near_matches(name, tuple(by_name))
    hint = f"did you mean {near}?" if near else f"there are {', '.join(by_name) or 'none'}"
    return f"no such parameter; {hint}"


def _check(value: Any, parameter: Parameter, allowed: AllowedInventory, where: str, found: Found) -> None:
    if not fits(value, parameter.type, allowed):
        found.append(_v(where, mismatch(value, parameter.type, allowed)))
    elif parameter.minimum is not None or parameter.maximum is not None:
        problem = out_of_bounds(value, parameter.minimum, parameter.maximum)
        if problem:
            found.append(_v(where, problem))


def _v(field: str, description: str) -> Violation:
    return Violation(field, description)
