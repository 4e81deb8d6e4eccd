"""Plans: how to call them.

Guarantees: a description is made without calling the plan. A default that is not a Python literal does not make a plan
unusable: the parameter can be omitted, and what is shown is the default's repr.
What docstrings say is not in here: the supervisor adds it.
"""

import functools
import inspect
from dataclasses import replace
from typing import Any, Final

from queueserver_inventory.descriptions import ParameterDescription, ParameterKind, PlanDescription
from queueserver_inventory.device_places import takes_device_names
from queueserver_inventory.parameter_types import ParameterType

from queueserver_environment.describe.default_names import DefaultNames
from queueserver_environment.describe.expansion import MAX_NAMES, Expansion
from queueserver_environment.describe.plan_reading import NO_DEFAULT, Plan, ReadParameter, read_plan
from queueserver_environment.describe.types.literals import MAX_DEFAULT, default_text
from queueserver_environment.plans.failures import shorten

MAX_DESCRIPTION: Final = 20_000
"""Longest description, in characters."""
_TOO_LONG: Final = (
    "The list {} of the parameter {} of the plan {} is too long, so any name is taken: "
    f"let it select at most {MAX_NAMES:,} names."
)
_KINDS: Final = {
    inspect.Parameter.POSITIONAL_ONLY: ParameterKind.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: ParameterKind.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL: ParameterKind.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY: ParameterKind.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD: ParameterKind.VAR_KEYWORD,
}


def describe_plan(
    name: str, plan: Plan, expansion: Expansion, names: DefaultNames, problems: list[str]
) -> PlanDescription:
    """Describe a plan; sentences about what could not be kept are added to `problems`.

    Raises
    ------
    PlanError
        The plan contradicts itself.
    ValueError, TypeError
        The plan has no signature.

    """
    read = read_plan(plan)
    function: Any = plan.func if isinstance(plan, functools.partial) else plan
    parameters = []
    for parameter in read.parameters.values():
        tree, too_long = expansion.expand(parameter.takes.tree, parameter.takes.lists)
        problems.extend(_TOO_LONG.format(listed, parameter.name, name) for listed in too_long)
        parameters.append(_describe_parameter(parameter, tree, names))
    return PlanDescription(
        name=name,
        description=shorten(read.description, MAX_DESCRIPTION),
        parameters=tuple(parameters),
        module=getattr(function, "__module__", None) or "",
        returns_generator=inspect.isgeneratorfunction(plan),
        function_name=getattr(function, "__name__", name),
    )


def asked_classes(plan: Plan) -> set[type]:
    """List the classes of devices for which a plan asks; none if it can't be read."""
    try:
        parameters = read_plan(plan).parameters.values()
    except BaseException:  # noqa: BLE001 - protects the inventory: what is wrong is told when the plan is described
        return set()
    types = (each for parameter in parameters for each in parameter.takes.type.everything)
    return {each.device_class for each in types if each.device_class is not None}


def _describe_parameter(parameter: ReadParameter, tree: ParameterType, names: DefaultNames) -> ParameterDescription:
    said = {**parameter.takes.limits, **parameter.said}
    description = ParameterDescription(
        name=parameter.name,
        kind=_KINDS[parameter.kind],
        type=tree,
        annotation=shorten(parameter.takes.text, MAX_DESCRIPTION),
        default_text=_default_text(parameter, names),
        description=shorten(said.get("description", ""), MAX_DESCRIPTION),
        default_in_decorator=parameter.default_in_decorator,
        minimum=_float(said.get("min")),
        maximum=_float(said.get("max")),
        step=_float(said.get("step")),
        unit=said.get("unit", ""),
        convert_device_names=said.get("convert_device_names"),
        convert_plan_names=said.get("convert_plan_names"),
        unchecked=shorten(", ".join(parameter.takes.type.unchecked), MAX_DESCRIPTION),
    )
    return replace(description, takes_device_names=takes_device_names(description))


def _default_text(parameter: ReadParameter, names: DefaultNames) -> str | None:
    if parameter.default is NO_DEFAULT:
        return None
    named = names.text_of(parameter.default, parameter.takes.type)
    return shorten(named, MAX_DEFAULT) or default_text(parameter.default)


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)
