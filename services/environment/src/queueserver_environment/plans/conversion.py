"""Values of arguments: names are replaced by their objects, and values are made into what the parameter's hint says.

What converts depends on the parameter: its own switches (`convert_device_names`, `convert_plan_names`) decide for all
strings in its value; else its type does. A parameter without a usable type converts every string that names a device
or plan; one whose type takes devices, plans or functions anywhere converts names there, and of a list only the names in
it; any other keeps its strings, and so does metadata. Conversion goes through lists, through values of dictionaries and
through fields of records; keys convert only where the type says what they stand for.
Guarantees: a string where only a device or plan fits is one afterwards, or the value is refused. The given value is not
changed. Types are not checked here, except where that decides what a value becomes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from queueserver_inventory.metadata_names import is_metadata_name
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_words import DEVICES, PLANS
from queueserver_inventory.value_fit import key_value

from queueserver_environment.describe.devices import is_of_class, traits_of
from queueserver_environment.describe.plan_reading import ReadParameter
from queueserver_environment.describe.types.value_types import ValueType, plain_type
from queueserver_environment.plans.failures import error_text
from queueserver_environment.plans.names import Names

_DEVICES: Final = DEVICES | {TypeKind.UNSPECIFIED}
_PLANS: Final = PLANS | {TypeKind.UNSPECIFIED}
_NAMED: Final = DEVICES | PLANS | {TypeKind.CALLABLE}
_NAMES: Final = _NAMED | {TypeKind.UNSPECIFIED}
_STRINGS: Final = frozenset({TypeKind.UNSPECIFIED, TypeKind.ANY, TypeKind.STRING, TypeKind.ENUM, TypeKind.CALLABLE})
_ANYTHING: Final = frozenset({TypeKind.UNSPECIFIED, TypeKind.ANY})
_LISTS: Final = frozenset({TypeKind.LIST, TypeKind.TUPLE})
_MAPS: Final = frozenset({TypeKind.MAP, TypeKind.RECORD})
_ANY: Final = plain_type(ParameterType(TypeKind.ANY))
_TEXT: Final = plain_type(ParameterType(TypeKind.STRING))
_SHOWN: Final = 60

Options = list[ValueType]


class ArgumentError(ValueError):
    """The arguments do not fit the plan; the message says which one and why."""


def is_metadata(name: object, options: Iterable[ValueType]) -> bool:
    """Tell whether a name is one for metadata, and no type allows more in it than texts."""
    return (
        isinstance(name, str)
        and is_metadata_name(name)
        and not any(each.kind in _NAMED or each.make or each.key for option in options for each in option.everything)
    )


class Conversion:
    """Conversion of the value of one parameter."""

    def __init__(self, names: Names, parameter: ReadParameter) -> None:
        self._names = names
        self._parameter = parameter.name
        self._lists = parameter.takes.lists
        self._devices: bool | None = parameter.said.get("convert_device_names")
        self._plans: bool | None = parameter.said.get("convert_plan_names")

    def convert(self, value: Any, takes: ValueType) -> Any:
        """Convert a value of a type. Raises ArgumentError."""
        return self._convert(value, list(takes.options))

    def convert_fields(self, values: dict[str, Any], takes: ValueType) -> dict[str, Any]:
        """Convert named arguments, which are the fields of a record, or each of a type. Raises ArgumentError."""
        return {
            name: self._convert_at(name, value, list(takes.fields.get(name, takes).options))
            for name, value in values.items()
        }

    def _convert(self, value: Any, options: Options) -> Any:
        if not self._can_convert(options):
            return value
        if isinstance(value, str):
            return self._convert_text(value, _for_text(options))
        if not isinstance(value, (list, tuple, dict)):
            return self._made(value, _chosen(value, options))
        chosen = _chosen(value, _of_shape(value, options))
        if isinstance(value, dict):
            return self._made(self._convert_dictionary(value, chosen, options), chosen)
        parts = [part for option in chosen for part in _elements(option)] or _tolerant(_leaves(options))
        if any(option.kind is TypeKind.TUPLE for option in chosen):
            converted = [self._convert(element, _at(chosen, index)) for index, element in enumerate(value)]
        else:
            converted = [self._convert(element, parts) for element in value]
        return self._made(converted, chosen)

    def _convert_dictionary(self, value: dict[str, Any], chosen: Options, options: Options) -> dict[Any, Any]:
        fields: dict[str, Options] = {}
        for option in chosen:
            for name, takes in option.fields.items():
                fields.setdefault(name, []).extend(takes.options)
        parts = [part for option in chosen for part in _elements(option)]
        others = parts or ([_ANY] if fields else _tolerant(_leaves(options)))
        keys = [option for each in chosen if each.key for option in each.key.options]
        return {
            self._key(key, keys): self._convert_at(key, element, fields[key] + parts if key in fields else others)
            for key, element in value.items()
        }

    def _convert_at(self, key: str, value: Any, options: Options) -> Any:
        """Convert what a dictionary has at a key, unless the key is one for metadata."""
        may_keep = self._devices is None and self._plans is None
        return value if may_keep and is_metadata(key, options) else self._convert(value, options)

    def _key(self, key: str, options: Options) -> Any:
        """Convert the key of a map, which is a text whatever it stands for."""
        names = [option for option in options if option.kind in _NAMES | {TypeKind.ENUM}]
        if names and (len(names) == len(options) or self._stands_for_name(key, names)):
            return self._convert_text(key, options)
        for option in options:
            try:
                return key_value(key, option.tree, lambda _type, _name: False)
            except (ValueError, RecursionError):
                continue
        return key

    def _stands_for_name(self, text: str, options: Options) -> bool:
        is_choice = any(option.kind is TypeKind.ENUM and text in option.tree.choices for option in options)
        return is_choice or self._device(text, options) is not None or self._plan(text, options) is not None

    def _can_convert(self, options: Options) -> bool:
        if self._devices or self._plans:
            return True
        return any(each.kind in _NAMES or each.make or each.key for option in options for each in option.everything)

    def _made(self, value: Any, chosen: Options) -> Any:
        """Make what the hint asks for, from a value in which names have been converted."""
        make = chosen[0].make if len(chosen) == 1 else None
        if make is None or not _has_shape(value, chosen[0]):
            return value
        try:
            return make(value)
        except BaseException as error:
            # User code makes it, and whatever it raises must not end the environment.
            what = chosen[0].tree.type_name or "what its annotation says"
            raise ArgumentError(
                f"Parameter {self._parameter}: its value can't be made into {what} "
                f"({type(error).__name__}: {error_text(error)}); correct the value."
            ) from error

    def _convert_text(self, text: str, options: Options) -> Any:
        for option in options:
            if option.kind is TypeKind.ENUM and not option.of_default and text in option.tree.choices:
                return self._made(text, [option])
        found = self._named(text, options)
        if found is not None:
            return found
        kinds = _kinds(options)
        is_default = any(option.of_default and text in option.tree.choices for option in options)
        is_off = (kinds & _DEVICES and self._devices is False) or (kinds & _PLANS and self._plans is False)
        if is_off or is_default or _takes_text_itself(options):
            return text
        made = [option for option in options if option.kind is TypeKind.STRING and option.make]
        if made:
            return self._made(text, [next((option for option in made if option.accepts(text)), made[0])])
        if kinds & _STRINGS:
            return text
        raise ArgumentError(self._unknown(text, options))

    def _named(self, text: str, options: Options) -> Any:
        """Find the device, plan or function that a text names; None if it names none."""
        found = self._device(text, options)
        if found is None:
            found = self._plan(text, options)
        if found is None and TypeKind.CALLABLE in _kinds(options):
            found = self._look_up(self._names.callable, text)
            if found is None and self._names.forbids_callable(text):
                raise ArgumentError(
                    f"Parameter {self._parameter}: you may not use the function {_shown(text)}; "
                    "ask for permission to use it, or name another one."
                )
        return found

    def _device(self, name: str, options: Options) -> object | None:
        wanted = [option for option in options if option.kind in _DEVICES]
        if self._devices is False or not (self._devices or wanted):
            return None
        device: object | None = self._look_up(self._names.device, name)
        if device is None or self._devices:
            return device
        return device if any(self._takes_device(name, device, option) for option in wanted) else None

    def _takes_device(self, name: str, device: object, option: ValueType) -> bool:
        if option.device_class is not None and not is_of_class(type(device), option.device_class):
            return False
        listed = option.tree.listed
        return not listed or self._lists[option.tree.type_name].selects_device(name, traits_of(device))

    def _plan(self, name: str, options: Options) -> object | None:
        wanted = [option.tree for option in options if option.kind in _PLANS]
        if self._plans is False or not (self._plans or wanted):
            return None
        is_listed = any(not tree.listed or self._lists[tree.type_name].selects_plan(name) for tree in wanted)
        return self._names.plan(name) if self._plans or is_listed else None

    def _look_up(self, find: Callable[[str], Any], name: str) -> Any:
        try:
            return find(name)
        except BaseException as error:
            # A device's own code makes its components, and whatever it raises must not end the environment.
            raise ArgumentError(
                f"Parameter {self._parameter}: {_shown(name)} can't be used "
                f"({type(error).__name__}: {error_text(error)}); make sure that the device is connected."
            ) from error

    def _unknown(self, name: str, options: Options) -> str:
        kinds = _kinds(options)
        wanted = "device or plan" if kinds & _DEVICES and kinds & _PLANS else "device" if kinds & _DEVICES else "plan"
        near = [key for key in self._names.devices_like(name) if self._device(key, options) is not None]
        near += [key for key in self._names.plans_like(name) if self._plan(key, options) is not None]
        hint = f"did you mean {' or '.join(near)}?" if near else f"name an existing {wanted}."
        classes = [option.device_class.__name__ for option in options if option.device_class is not None]
        if classes and self._names.device(name) is not None:
            what = f"it does not take the {wanted}"
            hint = hint if near else f"name one of the class {' or '.join(classes)}."
        else:
            what = f"it does not take the {wanted}" if self._lists else f"there is no {wanted} that you may use called"
        return f"Parameter {self._parameter}: {what} {_shown(name)}; {hint}"


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")


def _kinds(options: Iterable[ValueType]) -> "frozenset[TypeKind]":
    return frozenset(option.kind for option in options)


def _leaves(options: Iterable[ValueType]) -> Options:
    """List the types of everything that is not a list or map, at any depth."""
    return [
        each
        for option in options
        for each in option.everything
        if not each.parts and not each.fields and each.kind is not TypeKind.UNION
    ]


def _for_text(options: Options) -> Options:
    """List what a text may be; if none of the options is for texts, what any text in them may be."""
    return [option for option in options if option.kind in _NAMES | _STRINGS] or _tolerant(_leaves(options))


def _of_shape(value: Any, options: Options) -> Options:
    return [option for option in options if option.kind in _ANYTHING or _has_shape(value, option)]


def _has_shape(value: Any, option: ValueType) -> bool:
    """Tell whether a list or dictionary is something that a type could take, whatever is in it."""
    if isinstance(value, dict):
        return option.kind in _MAPS
    return not isinstance(value, (list, tuple)) or option.kind in _LISTS


def _chosen(value: Any, options: Options) -> Options:
    """Decide which of several types a value is of, where that makes a difference; several if it makes none."""
    if len(options) <= 1 or not any(option.make or option.fields for option in options):
        return options
    fitting = [option for option in options if option.accepts(value)]
    records = [option for option in fitting if option.kind is TypeKind.RECORD and not option.of_default]
    as_it_is = [option for option in fitting if option.make is None]
    return (
        records[:1] or as_it_is or fitting[:1] or [option for option in options if option.make is None] or options[:1]
    )


def _elements(option: ValueType) -> Iterator[ValueType]:
    """List what the elements of a list, or the values of a map, may be if it is of a type."""
    if option.kind in _ANYTHING:
        yield option
    elif option.kind in _LISTS or option.kind is TypeKind.MAP:
        yield from [each for part in option.parts for each in part.options] or [_ANY]


def _at(options: Options, index: int) -> Options:
    """List what element `index` of a list may be, when one of the options is a tuple."""
    found: Options = []
    for option in options:
        if option.kind is TypeKind.TUPLE:
            found += [each for part in option.parts[index : index + 1] for each in part.options]
        else:
            found += _elements(option)
    return found or _tolerant(_leaves(options))


def _takes_text_itself(options: Options) -> bool:
    return any(option.kind in _ANYTHING or (option.kind is TypeKind.STRING and not option.make) for option in options)


def _tolerant(options: Options) -> Options:
    """Let names convert, and keep texts that name nothing: the value has a shape that the hint does not foresee."""
    return [*options, _TEXT]
