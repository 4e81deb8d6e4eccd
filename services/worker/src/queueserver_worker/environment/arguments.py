"""Arguments of a plan call: bound to the plan's signature, with names replaced by what they stand for.

What converts follows the parameter's type: a parameter without a usable type hint converts every string that names a
device or plan; one that takes devices, plans or functions anywhere in its type converts names there; any other
keeps its strings. Conversion goes through lists and through values of dictionaries, never through keys.
Guarantees: a string where only a device fits is a device afterwards, or the call is refused. Otherwise values are
passed as they are: types are not checked here.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from queueserver.common.v1.inventory_pb2 import ParameterType

from queueserver_worker.environment.describe.plans import parameter_types, signature
from queueserver_worker.environment.names import Names

_DEVICES: Final = frozenset(
    {ParameterType.KIND_UNSPECIFIED, ParameterType.KIND_DEVICE, ParameterType.KIND_DEVICE_OR_PLAN}
)
_PLANS: Final = frozenset({ParameterType.KIND_UNSPECIFIED, ParameterType.KIND_PLAN, ParameterType.KIND_DEVICE_OR_PLAN})
_NAMES: Final = frozenset({*_DEVICES, *_PLANS, ParameterType.KIND_CALLABLE})
_STRINGS: Final = frozenset(
    {
        ParameterType.KIND_UNSPECIFIED,
        ParameterType.KIND_ANY,
        ParameterType.KIND_STRING,
        ParameterType.KIND_ENUM,
        ParameterType.KIND_CALLABLE,
    }
)
_SHOWN: Final = 60

_Options = list[ParameterType]


class ArgumentError(ValueError):
    """The arguments do not fit the plan; the message says which one and why."""


def bind(plan: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], names: Names) -> inspect.BoundArguments:
    """Bind arguments to a plan's signature and convert names in them.

    Raises
    ------
    ArgumentError
        They do not bind, or a name where a device is needed names none.

    """
    try:
        bound = signature(plan).bind(*args, **kwargs)
    except TypeError as error:
        raise ArgumentError(f"The arguments do not fit its signature: {error}.") from error
    types = parameter_types(plan)
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        options = _options([types[name]])
        convert = _Conversion(names, name).convert
        if kind is inspect.Parameter.VAR_POSITIONAL:
            bound.arguments[name] = tuple(convert(element, options) for element in value)
        elif kind is inspect.Parameter.VAR_KEYWORD:
            bound.arguments[name] = {key: convert(element, options) for key, element in value.items()}
        else:
            bound.arguments[name] = convert(value, options)
    return bound


class _Conversion:
    """Conversion of the value of one parameter."""

    def __init__(self, names: Names, parameter: str) -> None:
        self._names = names
        self._parameter = parameter

    def convert(self, value: Any, options: _Options) -> Any:
        if not isinstance(value, (str, list, dict)) or not _kinds(_leaves(options)) & _NAMES:
            return value
        parts = _parts(value, options)
        if parts is None:
            parts = _tolerant(_leaves(options))
        if isinstance(value, str):
            return self._convert_name(value, parts)
        if isinstance(value, dict):
            return {key: self.convert(element, parts) for key, element in value.items()}
        if any(option.kind == ParameterType.KIND_TUPLE for option in options):
            return [self.convert(element, _at(options, index)) for index, element in enumerate(value)]
        return [self.convert(element, parts) for element in value]

    def _convert_name(self, name: str, options: _Options) -> Any:
        kinds = _kinds(options)
        if any(name in option.choices for option in options):
            return name
        found: object | None = None
        if kinds & _DEVICES:
            found = self._names.device(name)
        if found is None and kinds & _PLANS:
            found = self._names.plan(name)
        if found is None and ParameterType.KIND_CALLABLE in kinds:
            found = self._names.callable(name)
        if found is not None:
            return found
        if kinds & _STRINGS:
            return name
        raise ArgumentError(self._unknown(name, kinds))

    def _unknown(self, name: str, kinds: frozenset[int]) -> str:
        shown = repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")
        wanted, near = "device", []
        if kinds & _DEVICES:
            near = self._names.devices_like(name)
        if kinds & _PLANS:
            wanted = "device or plan" if kinds & _DEVICES else "plan"
            near += self._names.plans_like(name)
        hint = f"did you mean {' or '.join(near)}?" if near else f"name an existing {wanted}."
        return f"Parameter {self._parameter}: there is no {wanted} {shown}; {hint}"


def _options(types: Iterable[ParameterType]) -> _Options:
    """Flatten unions into the list of what is possible."""
    found: _Options = []
    for option in types:
        found += _options(option.arguments) if option.kind == ParameterType.KIND_UNION else [option]
    return found


def _kinds(options: Iterable[ParameterType]) -> frozenset[int]:
    return frozenset(option.kind for option in options)


def _leaves(options: Iterable[ParameterType]) -> _Options:
    """List the types of everything that is no list or map, at any depth."""
    found: _Options = []
    for option in options:
        inner = _leaves(_options(option.arguments))
        found += inner if option.arguments else [option]
    return found


def _parts(value: str | list[Any] | dict[str, Any], options: _Options) -> _Options | None:
    """List what the parts of a value may be; None if no option has the value's shape."""
    if isinstance(value, str):
        fitting = [option for option in options if option.kind in _NAMES | _STRINGS]
        return fitting or None
    found = [part for option in options for part in _inside(option, is_list=isinstance(value, list))]
    return found or None


def _inside(option: ParameterType, *, is_list: bool) -> Iterator[ParameterType]:
    wanted = (ParameterType.KIND_LIST, ParameterType.KIND_TUPLE) if is_list else (ParameterType.KIND_MAP,)
    if option.kind in (ParameterType.KIND_UNSPECIFIED, ParameterType.KIND_ANY):
        yield option
    elif option.kind in wanted:
        yield from _options(option.arguments) or [ParameterType(kind=ParameterType.KIND_ANY)]


def _at(options: _Options, index: int) -> _Options:
    """List what element `index` of a list may be, when one of the options is a tuple."""
    found: _Options = []
    for option in options:
        if option.kind == ParameterType.KIND_TUPLE:
            found += _options(option.arguments[index : index + 1])
        else:
            found += _inside(option, is_list=True)
    return found or _tolerant(_leaves(options))


def _tolerant(options: _Options) -> _Options:
    """Let names convert, and keep what names nothing: the value has a shape that the hint does not foresee."""
    return [*options, ParameterType(kind=ParameterType.KIND_STRING)]
