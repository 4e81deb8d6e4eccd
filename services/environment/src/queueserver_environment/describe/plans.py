"""Plans: how to call them.

Guarantees: a description is made without calling the plan. A default that is not a Python literal does not make a plan
unusable: the parameter can be omitted, and what is shown is the default's repr.
"""

import functools
import inspect
from typing import Any, Final

from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory.device_places import takes_device_names

from queueserver_environment.describe.default_names import DefaultNames
from queueserver_environment.describe.docstrings import PlanText, read_docstring
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
    inspect.Parameter.POSITIONAL_ONLY: pb.PARAMETER_KIND_POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: pb.PARAMETER_KIND_POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL: pb.PARAMETER_KIND_VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY: pb.PARAMETER_KIND_KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD: pb.PARAMETER_KIND_VAR_KEYWORD,
}


def describe_plan(
    name: str, plan: Plan, expansion: Expansion, names: DefaultNames, problems: list[str]
) -> pb.PlanDescription:
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
    text = read_docstring(function.__doc__)
    description = pb.PlanDescription(
        name=name,
        description=shorten(read.description or text.summary, MAX_DESCRIPTION),
        parameters=[_describe_parameter(parameter, text, names) for parameter in read.parameters.values()],
        module=getattr(function, "__module__", None) or "",
        returns_generator=inspect.isgeneratorfunction(plan),
        function_name=getattr(function, "__name__", name),
    )
    for parameter in description.parameters:
        too_long = expansion.expand(parameter.type, read.parameters[parameter.name].takes.lists)
        problems.extend(_TOO_LONG.format(listed, parameter.name, name) for listed in too_long)
    return description


def asked_classes(plan: Plan) -> set[type]:
    """List the classes of devices for which a plan asks; none if it can't be read."""
    try:
        parameters = read_plan(plan).parameters.values()
    except BaseException:  # noqa: BLE001 - protects the inventory: what is wrong is told when the plan is described
        return set()
    types = (each for parameter in parameters for each in parameter.takes.type.everything)
    return {each.device_class for each in types if each.device_class is not None}


def _describe_parameter(parameter: ReadParameter, text: PlanText, names: DefaultNames) -> pb.ParameterDescription:
    said = {**parameter.takes.limits, **parameter.said}
    description = pb.ParameterDescription(
        name=parameter.name,
        kind=_KINDS[parameter.kind],
        type=parameter.takes.tree,
        annotation=shorten(parameter.takes.text, MAX_DESCRIPTION),
        description=shorten(said.get("description") or text.parameters.get(parameter.name, ""), MAX_DESCRIPTION),
        default_in_decorator=parameter.default_in_decorator,
        minimum=said.get("min"),
        maximum=said.get("max"),
        step=said.get("step"),
        unit=said.get("unit", ""),
        convert_device_names=said.get("convert_device_names"),
        convert_plan_names=said.get("convert_plan_names"),
        unchecked=shorten(", ".join(parameter.takes.type.unchecked), MAX_DESCRIPTION),
    )
    if parameter.default is not NO_DEFAULT:
        named = names.text_of(parameter.default, parameter.takes.type)
        description.default_text = shorten(named, MAX_DEFAULT) or default_text(parameter.default)
    description.takes_device_names = takes_device_names(description)
    return description
