"""Whether a plan call fits a description, for code that checks before it submits.

The rules are those of the Manager, which decides: it knows what it allows at the moment of submission.
"""

from collections.abc import Mapping
from typing import Any

from queueserver_inventory.descriptions import ParameterDescription, ParameterKind
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.value_fit import IsThere, first_outside, fits

from queueserver_environment.user_api.plan_arguments import read_description, signature_of


class _MisfitError(ValueError):
    """What is wrong with a call."""


def validate_plan(
    plan: Mapping[str, Any],
    *,
    allowed_plans: Mapping[str, Any] | None,
    allowed_devices: Mapping[str, Any] | None,
) -> tuple[bool, str]:
    """Tell whether a plan call would be accepted.

    Parameters
    ----------
    plan
        The item: `name`, and perhaps `args` and `kwargs`.
    allowed_plans
        Descriptions by name; None: nothing is checked.
    allowed_devices
        Descriptions by name; None: any name will do.

    Returns
    -------
    bool, str
        Whether it is accepted, and why not.

    """
    if allowed_plans is None:
        return True, ""
    try:
        _check(plan, allowed_plans, allowed_devices)
    except (_MisfitError, TypeError) as error:
        return False, f"Plan validation failed: {error}\nPlan: {dict(plan)}"
    return True, ""


def _check(
    plan: Mapping[str, Any], allowed_plans: Mapping[str, Any], allowed_devices: Mapping[str, Any] | None
) -> None:
    name = str(plan.get("name", ""))
    if name not in allowed_plans:
        raise _MisfitError(f"Plan {name!r} is not in the list of allowed plans.")
    description = read_description(allowed_plans[name])
    bound = signature_of(allowed_plans[name]).bind(*plan.get("args", ()), **plan.get("kwargs", {}))

    def is_there(expected: ParameterType, text: str) -> bool:
        if expected.listed and text not in expected.choices:
            return False
        is_plan = expected.kind is not TypeKind.DEVICE and text in allowed_plans
        is_device = expected.kind is not TypeKind.PLAN and (
            allowed_devices is None or _has_device(allowed_devices, text)
        )
        return is_plan or is_device

    for parameter in description.parameters:
        if parameter.name in bound.arguments:
            for value in _values(parameter, bound.arguments[parameter.name]):
                _check_value(parameter, value, is_there)


def _has_device(devices: Mapping[str, Any], path: str) -> bool:
    level: Any = devices
    device: Any = {}
    for part in path.split("."):
        device = level.get(part)
        if not isinstance(device, Mapping):
            return False
        level = device.get("components", {})
    return not device.get("excluded", False)


def _values(parameter: ParameterDescription, value: Any) -> list[Any]:
    if parameter.kind is ParameterKind.VAR_POSITIONAL:
        return list(value)
    return list(value.values()) if parameter.kind is ParameterKind.VAR_KEYWORD else [value]


def _check_value(parameter: ParameterDescription, value: Any, is_there: IsThere) -> None:
    if not fits(value, parameter.type, is_there):
        wanted = parameter.annotation or "its type"
        raise _MisfitError(f"The parameter {parameter.name!r} must be of type {wanted}, which {value!r} is not.")
    minimum, maximum = parameter.minimum, parameter.maximum
    number = first_outside(value, minimum, maximum)
    if number is not None:
        is_low = minimum is not None and number < minimum
        why = f"{number} < {minimum}" if is_low else f"{number} > {maximum}"
        raise _MisfitError(f"The parameter {parameter.name!r} is out of range: {why}.")
