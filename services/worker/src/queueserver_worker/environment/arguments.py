"""Arguments of a plan call: bound to the plan's signature, with names replaced by what they stand for.

What converts follows from the parameter: its own switches (`convert_device_names`, `convert_plan_names`) decide for all
strings in its value; else its type does. A parameter without a usable type converts every string that names a device
or plan; one whose type takes devices, plans or functions anywhere converts names there, and of a list only the names in
it; members of an enum class replace the texts that stand for them; any other keeps its strings. Conversion goes through
lists and through values of dictionaries, never through keys. What is metadata (`md`, `metadata`, `sample_md`, as the
name of a parameter or as a key) keeps its texts, unless its type takes devices, plans or functions. Defaults of the
decorator are passed, converted alike.
Guarantees: only names that access allows convert. A string where only a device or plan fits is one afterwards, or the
call is refused. What the caller gave, and what the decorator holds, is not changed. Values are passed as they are:
types are not checked here.
"""

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from queueserver.common.v1.inventory_pb2 import ParameterType
from queueserver_inventory.access import Access
from queueserver_inventory.type_trees import flattened
from queueserver_inventory.type_words import DEVICES, PLANS

from queueserver_worker.environment.describe.devices import traits_of
from queueserver_worker.environment.describe.plan_reading import ReadParameter, ReadPlan, read_plan
from queueserver_worker.environment.failures import error_text
from queueserver_worker.environment.names import Names

_DEVICES: Final = DEVICES | {ParameterType.KIND_UNSPECIFIED}
_PLANS: Final = PLANS | {ParameterType.KIND_UNSPECIFIED}
_NAMES: Final = _DEVICES | _PLANS | {ParameterType.KIND_CALLABLE}
_STRINGS: Final = frozenset(
    {
        ParameterType.KIND_UNSPECIFIED,
        ParameterType.KIND_ANY,
        ParameterType.KIND_STRING,
        ParameterType.KIND_ENUM,
        ParameterType.KIND_CALLABLE,
    }
)
_METADATA: Final = re.compile(r"(?:^|_)(?:md|meta|metadata)$")
_SHOWN: Final = 60

_Options = list[ParameterType]


class ArgumentError(ValueError):
    """The arguments do not fit the plan; the message says which one and why."""


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
        # Hints and defaults are objects of the user's; whatever they raise must not end the environment.
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
    """Convert what is bound to one parameter: of *args each element, of **kwargs each value."""
    options = list(flattened([parameter.takes.tree]))
    if keeps_metadata(parameter):
        return value
    conversion = _Conversion(names, parameter)
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return tuple(conversion.convert(element, options) for element in value)
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return conversion.convert_values(value, options)
    return conversion.convert(value, options)


def keeps_metadata(parameter: ReadParameter) -> bool:
    """Tell whether a parameter is for metadata, in which no text is anything else, and its author says nothing else."""
    says_nothing = not parameter.said.keys() & {"convert_device_names", "convert_plan_names"}
    return says_nothing and _is_metadata(parameter.name, flattened([parameter.takes.tree]))


def _is_metadata(name: object, options: Iterable[ParameterType]) -> bool:
    is_named_so = isinstance(name, str) and _METADATA.search(name) is not None
    return is_named_so and not _kinds(_leaves(options)) & (_NAMES - {ParameterType.KIND_UNSPECIFIED})


def _add_defaults(bound: inspect.BoundArguments, read: ReadPlan) -> None:
    """Give omitted parameters the decorator's defaults, which Python knows nothing of."""
    omitted = [parameter for name, parameter in read.parameters.items() if name not in bound.arguments]
    added = [parameter for parameter in omitted if parameter.default_in_decorator]
    if any(parameter.kind is inspect.Parameter.POSITIONAL_ONLY for parameter in added):
        # Python can't leave out one of these and pass a later one.
        added = [p for p in omitted if p in added or p.kind is inspect.Parameter.POSITIONAL_ONLY]
    for parameter in added:
        # A plan may change what it gets, and the next call must not see that.
        default = copy.deepcopy(parameter.default) if parameter.default_in_decorator else parameter.default
        bound.arguments[parameter.name] = default


class _Conversion:
    """Conversion of the value of one parameter."""

    def __init__(self, names: Names, parameter: ReadParameter) -> None:
        self._names = names
        self._parameter = parameter.name
        self._lists = parameter.takes.lists
        self._enums = parameter.takes.enums
        self._devices: bool | None = parameter.said.get("convert_device_names")
        self._plans: bool | None = parameter.said.get("convert_plan_names")

    def convert(self, value: Any, options: _Options) -> Any:
        if not isinstance(value, (str, list, tuple, dict)) or not self._can_convert(options):
            return value
        parts = _parts(value, options)
        if parts is None:
            parts = _tolerant(_leaves(options))
        if isinstance(value, str):
            return self._convert_text(value, parts)
        if isinstance(value, dict):
            return self.convert_values(value, parts)
        if any(option.kind == ParameterType.KIND_TUPLE for option in options):
            return [self.convert(element, _at(options, index)) for index, element in enumerate(value)]
        return [self.convert(element, parts) for element in value]

    def convert_values(self, values: dict[str, Any], options: _Options) -> dict[str, Any]:
        """Convert the values of a dictionary, except where a key says that it is metadata."""
        may_keep = self._devices is None and self._plans is None
        return {
            key: value if may_keep and _is_metadata(key, options) else self.convert(value, options)
            for key, value in values.items()
        }

    def _can_convert(self, options: _Options) -> bool:
        if self._devices or self._plans or self._enums:
            return True
        return bool(_kinds(_leaves(options)) & _NAMES)

    def _convert_text(self, text: str, options: _Options) -> Any:
        for option in options:
            if option.kind == ParameterType.KIND_ENUM and text in option.choices:
                return self._enums.get(option.type_name, {}).get(text, text)
        found = self._device(text, options)
        if found is None:
            found = self._plan(text, options)
        kinds = _kinds(options)
        if found is None and ParameterType.KIND_CALLABLE in kinds:
            found = self._look_up(self._names.callable, text)
            if found is None and self._names.forbids_callable(text):
                raise ArgumentError(
                    f"Parameter {self._parameter}: you may not use the function {_shown(text)}; "
                    "ask for permission to use it, or name another one."
                )
        if found is not None:
            return found
        is_off = (kinds & _DEVICES and self._devices is False) or (kinds & _PLANS and self._plans is False)
        if kinds & _STRINGS or is_off:
            return text
        raise ArgumentError(self._unknown(text, options))

    def _device(self, name: str, options: _Options) -> object | None:
        wanted = [option for option in options if option.kind in _DEVICES]
        if self._devices is False or not (self._devices or wanted):
            return None
        device: object | None = self._look_up(self._names.device, name)
        if device is None or self._devices or not all(option.listed for option in wanted):
            return device
        return device if self._is_listed(name, device, wanted) else None

    def _plan(self, name: str, options: _Options) -> object | None:
        wanted = [option for option in options if option.kind in _PLANS]
        if self._plans is False or not (self._plans or wanted):
            return None
        is_listed = any(not o.listed or self._lists[o.type_name].selects_plan(name) for o in wanted)
        return self._names.plan(name) if self._plans or is_listed else None

    def _is_listed(self, name: str, device: object, wanted: _Options) -> bool:
        traits = traits_of(device)
        return any(self._lists[option.type_name].selects_device(name, traits) for option in wanted)

    def _look_up(self, find: Callable[[str], Any], name: str) -> Any:
        try:
            return find(name)
        except BaseException as error:
            # A device's own code makes its components, and whatever it raises must not end the environment.
            raise ArgumentError(
                f"Parameter {self._parameter}: {_shown(name)} can't be used "
                f"({type(error).__name__}: {error_text(error)}); see that the device is connected."
            ) from error

    def _unknown(self, name: str, options: _Options) -> str:
        kinds = _kinds(options)
        wanted = "device or plan" if kinds & _DEVICES and kinds & _PLANS else "device" if kinds & _DEVICES else "plan"
        near = [key for key in self._names.devices_like(name) if self._device(key, options) is not None]
        near += [key for key in self._names.plans_like(name) if self._plan(key, options) is not None]
        hint = f"did you mean {' or '.join(near)}?" if near else f"name an existing {wanted}."
        what = f"it does not take the {wanted}" if self._lists else f"there is no {wanted} that you may use called"
        return f"Parameter {self._parameter}: {what} {_shown(name)}; {hint}"


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")


def _kinds(options: Iterable[ParameterType]) -> "frozenset[ParameterType.Kind.ValueType]":
    return frozenset(option.kind for option in options)


def _leaves(options: Iterable[ParameterType]) -> _Options:
    """List the types of everything that is no list or map, at any depth."""
    found: _Options = []
    for option in options:
        found += _leaves(flattened(option.arguments)) if option.arguments else [option]
    return found


def _parts(value: "str | list[Any] | tuple[Any, ...] | dict[str, Any]", options: _Options) -> _Options | None:
    """List what the parts of a value may be; None if no option has the value's shape."""
    if isinstance(value, str):
        fitting = [option for option in options if option.kind in _NAMES | _STRINGS]
        return fitting or None
    is_list = not isinstance(value, dict)
    found = [part for option in options for part in _inside(option, is_list=is_list)]
    return found or None


def _inside(option: ParameterType, *, is_list: bool) -> Iterator[ParameterType]:
    wanted = (ParameterType.KIND_LIST, ParameterType.KIND_TUPLE) if is_list else (ParameterType.KIND_MAP,)
    if option.kind in (ParameterType.KIND_UNSPECIFIED, ParameterType.KIND_ANY):
        yield option
    elif option.kind in wanted:
        inside = list(flattened(option.arguments))
        yield from inside or [ParameterType(kind=ParameterType.KIND_ANY)]


def _at(options: _Options, index: int) -> _Options:
    """List what element `index` of a list may be, when one of the options is a tuple."""
    found: _Options = []
    for option in options:
        if option.kind == ParameterType.KIND_TUPLE:
            found += flattened(option.arguments[index : index + 1])
        else:
            found += _inside(option, is_list=True)
    return found or _tolerant(_leaves(options))


def _tolerant(options: _Options) -> _Options:
    """Let names convert, and keep what names nothing: the value has a shape that the hint does not foresee."""
    return [*options, ParameterType(kind=ParameterType.KIND_STRING)]
