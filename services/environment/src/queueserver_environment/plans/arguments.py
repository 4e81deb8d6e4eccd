"""Arguments of a plan call: bound to the plan's signature, and converted each as its parameter requires.

Metadata (`md`, `metadata`, `sample_md`, as the name of a parameter or as a key) keeps its texts, unless its
type takes devices, plans or functions.
Guarantees: only names that access allows convert. Defaults of the decorator are passed, converted in the same way. The
caller's values, and the decorator's, are not changed.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from queueserver_inventory.access import Access
from queueserver_inventory.parameter_types import TypeKind

from queueserver_environment.describe.plan_reading import ReadParameter, ReadPlan, read_plan
from queueserver_environment.describe.types.value_types import ValueType
from queueserver_environment.plans.conversion import ArgumentError, Conversion, is_metadata
from queueserver_environment.plans.failures import error_text
from queueserver_environment.plans.names import Names

__all__ = ["ArgumentError", "bind"]


def bind(
    plan: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], names: Names, access: Access | None = None
) -> inspect.BoundArguments:
    """Bind arguments to a plan's signature and convert names in them.

    Parameters
    ----------
    plan, args, kwargs
        The call.
    names
        Where names are looked up.
    access
        What the submitter may name; None for what `names` finds.

    Raises
    ------
    ArgumentError
        They do not bind, or a name where a device is needed names none that may be used.

    """
    try:
        read = read_plan(plan)
    except BaseException as error:
        # Hints and defaults are user objects; whatever they raise must not end the environment.
        raise ArgumentError(error_text(error)) from error
    try:
        bound = read.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ArgumentError(f"The arguments do not fit its signature: {error}.") from error
    _add_defaults(bound, read)
    found = names if access is None else names.limited_to(access)
    for name, value in bound.arguments.items():
        bound.arguments[name] = _converted(value, read.parameters[name], found)
    return bound


def _converted(value: Any, parameter: ReadParameter, names: Names) -> Any:
    """Convert the values bound to one parameter: of *args each element, of **kwargs each value."""
    takes, conversion = parameter.takes.type, Conversion(names, parameter)
    if keeps_metadata(parameter):
        return value
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        group = _group_of(value, takes)
        return tuple(conversion.convert(element, group[index % len(group)]) for index, element in enumerate(value))
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return conversion.convert_fields(value, takes)
    return conversion.convert(value, takes)


def keeps_metadata(parameter: ReadParameter) -> bool:
    """Tell whether a parameter is for metadata, in which texts stay texts, and its author says nothing else."""
    says_nothing = not parameter.said.keys() & {"convert_device_names", "convert_plan_names"}
    return says_nothing and is_metadata(parameter.name, parameter.takes.type.options)


def _group_of(values: Sequence[Any], takes: ValueType) -> Sequence[ValueType]:
    """Return the types of which *args is a repetition: a tuple there is a group, if not each value is one."""
    if takes.kind is not TypeKind.TUPLE or not takes.parts or all(takes.accepts(value) for value in values):
        return (takes,)
    return takes.parts


def _add_defaults(bound: inspect.BoundArguments, read: ReadPlan) -> None:
    """Give omitted parameters the decorator's defaults, which Python does not know."""
    omitted = [parameter for name, parameter in read.parameters.items() if name not in bound.arguments]
    added = [parameter for parameter in omitted if parameter.default_in_decorator]
    if any(parameter.kind is inspect.Parameter.POSITIONAL_ONLY for parameter in added):
        # Python can't omit one of these and pass a later one.
        added = [p for p in omitted if p in added or p.kind is inspect.Parameter.POSITIONAL_ONLY]
    for parameter in added:
        # A plan may change what it gets, and the next call must not see that.
        default = copy.deepcopy(parameter.default) if parameter.default_in_decorator else parameter.default
        bound.arguments[parameter.name] = default
