"""Whether a plan call fits the plan, decided without bluesky and without evaluating anything.

Arguments are bound to the parameters as Python would bind them, and every mismatch is reported, each with the
path of its field; then each value is compared with the type of its parameter. A value typed as a device must
name one. What is not typed may be anything.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from queueserver_manager.domain.allowed import AllowedInventory
from queueserver_manager.domain.errors import InvalidRequest, ItemInvalid, PlanNotFound, Violation
from queueserver_manager.domain.inventory import (
    Parameter,
    ParameterKind,
    ParameterType,
    Plan,
    TypeKind,
)
from queueserver_manager.domain.item import QUEUE_STOP, ItemKind

Found = list[Violation]
_LONGEST_SHOWN = 60
_BY_NAME = (ParameterKind.POSITIONAL_OR_KEYWORD, ParameterKind.KEYWORD_ONLY)


def check_item(
    kind: ItemKind,
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    allowed: AllowedInventory,
    path: str = "item",
) -> None:
    """Check one call. Raises ItemInvalid or PlanNotFound."""
    if not name:
        raise ItemInvalid("The item has no name: give the name of a plan.", violations=[_v(f"{path}.name", "required")])
    if kind is ItemKind.INSTRUCTION:
        if name != QUEUE_STOP:
            raise ItemInvalid(
                f"There is no instruction {name!r}: the only one is {QUEUE_STOP!r}.",
                violations=[_v(f"{path}.name", f"must be {QUEUE_STOP!r}")],
            )
        return
    plan = allowed.plan(name)
    if plan is None:
        raise _unknown_plan(name, allowed, path)
    found: Found = []
    _bind(plan, args, kwargs, allowed, path, found)
    if found:
        raise ItemInvalid(
            f"The call does not fit the plan {name!r}: "
            + "; ".join(f"{violation.field}: {violation.description}" for violation in found[:5]).removesuffix("?")
            + ".",
            violations=found,
        )


def _unknown_plan(name: str, allowed: AllowedInventory, path: str) -> InvalidRequest:
    near = near_matches(name, allowed.plan_names())
    hint = f"did you mean {near}?" if near else "list the plans to see which there are."
    return PlanNotFound(
        f"There is no plan {name!r} that you may use: {hint}",
        violations=[_v(f"{path}.name", f"no such plan; {hint}")],
    )


def near_matches(name: str, candidates: Iterable[str]) -> str:
    """Up to three similar names, quoted, or empty text."""
    return ", ".join(repr(match) for match in difflib.get_close_matches(name, list(candidates), n=3))


def _bind(
    plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], allowed: AllowedInventory, path: str, found: Found
) -> None:
    """Bind as Python binds, collecting what does not fit and checking what does."""
    names, by_position = plan.by_name, plan.by_position
    rest = plan.catch_all(ParameterKind.VAR_POSITIONAL)
    others = plan.catch_all(ParameterKind.VAR_KEYWORD)
    given: set[str] = set()

    for index, value in enumerate(args):
        where = f"{path}.args[{index}]"
        if index < len(by_position):
            given.add(by_position[index].name)
            _check(value, by_position[index].type, allowed, where, found)
        elif rest is not None:
            _check(value, rest.type, allowed, where, found)
        else:
            found.append(_v(where, f"too many: the plan takes {len(by_position)} positional arguments"))
            break

    for name, value in kwargs.items():
        where = f"{path}.kwargs.{name}"
        parameter = names.get(name)
        if parameter is not None and parameter.kind in _BY_NAME:
            if name in given:
                found.append(_v(where, "given twice: by position and by name"))
            given.add(name)
            _check(value, parameter.type, allowed, where, found)
        elif others is not None:
            _check(value, others.type, allowed, where, found)
        else:
            found.append(_v(where, _unexpected(name, parameter, names)))

    found.extend(_v(f"{path}.kwargs.{name}", "required and not given") for name in plan.required if name not in given)


def _unexpected(name: str, parameter: Parameter | None, names: Mapping[str, Parameter]) -> str:
    if parameter is not None and parameter.kind is ParameterKind.POSITIONAL_ONLY:
        return "can be given by position only"
    by_name = [known for known, its in names.items() if its.kind in _BY_NAME]
    near = near_matches(name, by_name)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(by_name) or 'none'}"
    return f"no such parameter; {hint}"


def _check(value: Any, expected: ParameterType, allowed: AllowedInventory, where: str, found: Found) -> None:
    if not fits(value, expected, allowed):
        found.append(_v(where, mismatch(value, expected, allowed)))


def fits(value: Any, expected: ParameterType, allowed: AllowedInventory) -> bool:
    """Whether a value fits a type: the same as an empty ``mismatch``, without the words for what is wrong.

    Nearly every value fits, and every argument of every submitted item comes through here.
    """
    kind = expected.kind
    if kind is TypeKind.UNTYPED or kind is TypeKind.ANY:
        return True
    if kind is TypeKind.UNION:
        return any(fits(value, option, allowed) for option in expected.arguments)
    if kind is TypeKind.DEVICE:
        return isinstance(value, str) and allowed.has_device(value)
    if kind is TypeKind.LIST and isinstance(value, list) and expected.arguments:
        element_type = expected.arguments[0]
        return all(fits(element, element_type, allowed) for element in value)
    return not mismatch(value, expected, allowed)


def mismatch(value: Any, expected: ParameterType, allowed: AllowedInventory) -> str:
    """What is wrong with a value, as a phrase; empty if it fits.

    As in Python, a whole number is a number. Unlike there, a truth value is neither, because JSON keeps them
    apart and a client that mixes them up has made a mistake.
    """
    kind = expected.kind
    if kind in (TypeKind.UNTYPED, TypeKind.ANY):
        return ""
    if kind is TypeKind.UNION:
        if any(not mismatch(value, option, allowed) for option in expected.arguments):
            return ""
        unknown = [mismatch(value, o, allowed) for o in expected.arguments if _names_device(o) and _is_text(value)]
        return unknown[0] if unknown else f"must be {describe(expected)}, not {_shown(value)}"
    if kind in (TypeKind.LIST, TypeKind.TUPLE, TypeKind.MAP):
        return _container_mismatch(value, expected, allowed)
    if kind is TypeKind.DEVICE:
        return _device_mismatch(value, allowed)
    if not _SCALARS[kind](value, expected):
        return f"must be {describe(expected)}, not {_shown(value)}"
    return ""


def _container_mismatch(value: Any, expected: ParameterType, allowed: AllowedInventory) -> str:
    if not isinstance(value, dict if expected.kind is TypeKind.MAP else list):
        return f"must be {describe(expected)}, not {_shown(value)}"
    if expected.kind is TypeKind.TUPLE:
        if len(value) != len(expected.arguments):
            return f"must have {len(expected.arguments)} elements, not {len(value)}"
        pairs = list(zip(value, expected.arguments, strict=True))
    elif not expected.arguments:
        return ""
    else:
        elements = value.values() if isinstance(value, dict) else value
        pairs = [(element, expected.arguments[0]) for element in elements]
    for index, (element, element_type) in enumerate(pairs):
        problem = mismatch(element, element_type, allowed)
        if problem:
            return f"element {index} {problem}"
    return ""


def _device_mismatch(value: Any, allowed: AllowedInventory) -> str:
    if not isinstance(value, str):
        return f"must be the name of a device, not {_shown(value)}"
    if allowed.has_device(value):
        return ""
    near = near_matches(value, allowed.device_names())
    return f"must be the name of a device, and there is no {value!r}" + (f"; did you mean {near}?" if near else "")


def _is_text(value: Any, _: ParameterType | None = None) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any, _: ParameterType | None = None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS: dict[TypeKind, Callable[[Any, ParameterType], bool]] = {
    TypeKind.NONE: lambda value, _: value is None,
    TypeKind.BOOLEAN: lambda value, _: isinstance(value, bool),
    TypeKind.INTEGER: _is_integer,
    TypeKind.NUMBER: lambda value, _: isinstance(value, (int, float)) and not isinstance(value, bool),
    TypeKind.STRING: _is_text,
    TypeKind.ENUM: lambda value, expected: isinstance(value, str) and value in expected.choices,
    TypeKind.PLAN: _is_text,
    TypeKind.DEVICE_OR_PLAN: _is_text,
    TypeKind.CALLABLE: _is_text,
}

_NAMES = {
    TypeKind.NONE: "null",
    TypeKind.BOOLEAN: "true or false",
    TypeKind.INTEGER: "a whole number",
    TypeKind.NUMBER: "a number",
    TypeKind.STRING: "text",
    TypeKind.LIST: "a list",
    TypeKind.TUPLE: "a list",
    TypeKind.MAP: "an object",
    TypeKind.DEVICE: "the name of a device",
    TypeKind.PLAN: "the name of a plan",
    TypeKind.DEVICE_OR_PLAN: "the name of a device or plan",
    TypeKind.CALLABLE: "a dotted name",
}


def _names_device(expected: ParameterType) -> bool:
    return expected.kind is TypeKind.DEVICE


def describe(expected: ParameterType) -> str:
    """A type as people read it."""
    if expected.kind is TypeKind.UNION:
        return " or ".join(dict.fromkeys(describe(option) for option in expected.arguments))
    if expected.kind is TypeKind.ENUM:
        return "one of " + ", ".join(repr(choice) for choice in expected.choices)
    if expected.kind is TypeKind.LIST and expected.arguments:
        return f"a list (each element {describe(expected.arguments[0])})"
    return _NAMES.get(expected.kind, "anything")


def _shown(value: Any) -> str:
    """A value as JSON has it, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _v(field: str, description: str) -> Violation:
    return Violation(field, description)
