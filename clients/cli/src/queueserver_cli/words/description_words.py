"""What people want to know of one plan or device, in a dictionary of few words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from queueserver_client import DeviceDescription, ParameterDescription, ParameterKind, PlanDescription

_STARS = {ParameterKind.VAR_POSITIONAL: "*", ParameterKind.VAR_KEYWORD: "**"}


def plan_words(plan: PlanDescription) -> dict[str, Any]:
    """What a plan does and what each of its parameters takes."""
    parameters = {f"{_STARS.get(one.kind, '')}{one.name}": _parameter_words(one) for one in plan.parameters}
    body = {"description": plan.description, "module": plan.module, "parameters": parameters}
    return {key: value for key, value in body.items() if value or key == "parameters"}


def _parameter_words(parameter: ParameterDescription) -> str:
    """For example "float = 1.0 (0 to 10 mm): how far to go"."""
    written = parameter.annotation or "any value"
    if parameter.default_text is not None:
        written += f" = {parameter.default_text}"
    bounds = bounds_words(parameter)
    told = f"{written} ({bounds})" if bounds else written
    return f"{told}: {parameter.description}" if parameter.description else told


def bounds_words(parameter: ParameterDescription) -> str:
    """Its limits and its unit, for example "0 to 10 mm"; empty if it has none."""
    return " ".join(_bounds(parameter))


def _bounds(parameter: ParameterDescription) -> Iterator[str]:
    if parameter.minimum is not None and parameter.maximum is not None:
        yield f"{parameter.minimum:g} to {parameter.maximum:g}"
    elif parameter.minimum is not None:
        yield f"{parameter.minimum:g} or more"
    elif parameter.maximum is not None:
        yield f"{parameter.maximum:g} or less"
    if parameter.unit:
        yield parameter.unit


def device_words(device: DeviceDescription) -> dict[str, Any]:
    """What a device is and its direct components."""
    able = {"read": device.is_readable, "move": device.is_movable, "fly": device.is_flyable}
    body: dict[str, Any] = {"classname": device.classname, "can": [word for word, can in able.items() if can]}
    if device.excluded:
        body["excluded"] = "only what is below it may be used"
    if device.components:
        body["components"] = {component.name: component.classname for component in device.components}
    return body
