"""Whether a plan call fits the plan, decided without bluesky and without evaluating anything.

Arguments are bound to the parameters as Python would bind them, and every mismatch is reported, each with the
path of its field; then each value is compared with the type and the bounds of its parameter (``type_matching.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.value_fit import fits

from queueserver_manager.domain.inventory import Parameter, ParameterKind, Plan
from queueserver_manager.domain.queue.item import QUEUE_STOP, ItemKind
from queueserver_manager.domain.refusals.errors import ItemInvalid, PlanNotFound, Violation
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.bounds import out_of_bounds
from queueserver_manager.domain.validation.lookup import near_plans
from queueserver_manager.domain.validation.type_matching import Misfit, first_misfits, record_misfits
from queueserver_manager.domain.validation.type_words import describe, near_matches

Found = list[Violation]
#: Mistakes after which a call is not examined further: each takes long to describe.
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


def _unknown_plan(name: str, allowed: AllowedInventory, path: str) -> PlanNotFound:
    no_plan = allowed.why_no_plan(name)
    if no_plan:
        return PlanNotFound(no_plan, violations=[_v(f"{path}.name", no_plan)])
    problem = f"no plan {name!r} that you may use: {near_plans(name, allowed)}"
    return PlanNotFound(f"There is {problem}", violations=[_v(f"{path}.name", problem)])


def _bind(
    plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], allowed: AllowedInventory, path: str, found: Found
) -> None:
    """Bind as Python binds, collecting what does not fit and checking what does, up to a bound."""
    by_position = plan.by_position
    for index, (value, parameter) in enumerate(zip(args, by_position, strict=False)):
        if len(found) >= _MOST_VIOLATIONS:
            return
        _check(value, parameter, allowed, f"{path}.args[{index}]", found)
    given = {parameter.name for parameter in by_position[: len(args)]}
    if len(args) > len(by_position):
        _bind_rest(plan, args, allowed, path, found)
    _bind_by_name(plan, kwargs, given, allowed, path, found)
    found.extend(_v(f"{path}.kwargs.{name}", "required and not given") for name in plan.required if name not in given)


def _bind_rest(plan: Plan, args: Sequence[Any], allowed: AllowedInventory, path: str, found: Found) -> None:
    """Bind the positional arguments for which there are no parameters of their own."""
    rest, first = plan.catch_all(ParameterKind.VAR_POSITIONAL), len(plan.by_position)
    if rest is None:
        found.append(_v(f"{path}.args[{first}]", f"too many: the plan takes {first} positional arguments"))
        return
    group = _group_of(args[first:], rest.type, allowed)
    for index in range(first, len(args)):
        if len(found) >= _MOST_VIOLATIONS:
            return
        part = group[(index - first) % len(group)] if group else rest.type
        _check(args[index], rest, allowed, f"{path}.args[{index}]", found, part)
    if group and (len(args) - first) % len(group):
        wanted = ", ".join(map(describe, group))
        found.append(_v(f"{path}.args", f"must come in groups of {len(group)} after the first {first}: {wanted}"))


def _group_of(values: Sequence[Any], expected: ParameterType, allowed: AllowedInventory) -> tuple[ParameterType, ...]:
    """The types of which ``*args`` is a repetition; empty if each value is of the type itself.

    A tuple there means either, because people write it for both: ``*args: tuple[Movable, list[float]]``.
    """
    if expected.kind is not TypeKind.TUPLE or all(fits(value, expected, allowed.names) for value in values):
        return ()
    return expected.arguments


def _bind_by_name(
    plan: Plan, kwargs: Mapping[str, Any], given: set[str], allowed: AllowedInventory, path: str, found: Found
) -> None:
    names, others = plan.by_name, plan.catch_all(ParameterKind.VAR_KEYWORD)
    is_record = others is not None and others.type.kind is TypeKind.RECORD
    fields: dict[str, Any] = {}
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
        elif is_record:
            fields[name] = value
        elif others is not None:
            _check(value, others, allowed, where, found)
        else:
            found.append(_v(where, _unexpected(name, parameter, names)))
    if others is not None and is_record:
        _add(islice(record_misfits(fields, others.type, allowed, ""), _MOST_VIOLATIONS), f"{path}.kwargs", found)


def _unexpected(name: str, parameter: Parameter | None, names: Mapping[str, Parameter]) -> str:
    if parameter is not None and parameter.kind is ParameterKind.POSITIONAL_ONLY:
        return "can be given by position only"
    by_name = [known for known, its in names.items() if its.kind in _BY_NAME]
    near = near_matches(name, tuple(by_name))
    hint = f"did you mean {near}?" if near else f"there are {', '.join(by_name) or 'none'}"
    return f"no such parameter; {hint}"


def _check(
    value: Any,
    parameter: Parameter,
    allowed: AllowedInventory,
    where: str,
    found: Found,
    part: ParameterType | None = None,
) -> None:
    """Check one argument against its parameter, or against a part of the parameter's type."""
    expected = parameter.type if part is None else part
    if not fits(value, expected, allowed.names):
        _add(first_misfits(value, expected, allowed), where, found)
    elif parameter.minimum is not None or parameter.maximum is not None:
        problem = out_of_bounds(value, parameter.minimum, parameter.maximum)
        if problem and (parameter.default is None or value != parameter.default):
            found.append(_v(where, problem))


def _add(misfits: Iterable[Misfit], where: str, found: Found) -> None:
    found.extend(_v(where + misfit.path, misfit.phrase) for misfit in misfits)


def _v(field: str, description: str) -> Violation:
    return Violation(field, description)
