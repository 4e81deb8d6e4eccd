"""What a plan says about itself: signature, type hints and the dictionary of its decorator, taken together once.

Both the description of a plan and the conversion of its arguments follow from this, so they can't disagree. The
decorator overrides the signature. Names in lists are patterns here; which devices and plans they
select is decided when that is requested.
Guarantees: the plan is not called and nothing it says is evaluated, except type hints that are text, with the globals
of the plan. A plan is read once, however often it is used.
"""

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import FunctionType, MethodType
from typing import Any, Final

from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.patterns import (
    DevicePattern,
    NamePattern,
    PatternError,
    Traits,
    device_pattern,
    name_pattern,
)
from queueserver_inventory.type_text import TypeNames, TypeTextError, read_type, write_type
from queueserver_inventory.type_trees import named_lists
from queueserver_inventory.type_words import PROTOCOLS

from queueserver_environment.describe.defaults import admitting
from queueserver_environment.describe.standard_plans import said_of
from queueserver_environment.describe.types.annotations import (
    resolve,
    without_metadata,
)
from queueserver_environment.describe.types.hint_text import hint_text, with_device_words
from queueserver_environment.describe.types.hint_types import hint_type, is_unpacked, unknown_type
from queueserver_environment.describe.types.limits import Limits, has_metadata, limits_of
from queueserver_environment.describe.types.literals import is_literal
from queueserver_environment.describe.types.value_types import ValueType, plain_type
from queueserver_environment.plans.signatures import signature_of
from queueserver_environment.user_api.annotation_decorator import ATTRIBUTE, AnnotationError, check_annotation

# Plans are read again for each of their calls, and that takes longer than a fast plan.
_KEPT: Final = 1024
_LISTS: Final = ("devices", "plans", "enums")
_LARGEST: Final = sys.float_info.max

Plan = Callable[..., Any]


class PlanError(ValueError):
    """A plan contradicts itself, so it can't be called; the message is one sentence that says how to fix it."""


class NoDefault(Enum):
    """Stands for the default of a parameter that has none."""

    NO_DEFAULT = "no default"


NO_DEFAULT: Final = NoDefault.NO_DEFAULT


@dataclass(frozen=True)
class NameList:
    """A list of the decorator: names and patterns of devices, of plans, or of both."""

    devices: tuple[DevicePattern, ...] = ()
    plans: tuple[NamePattern, ...] = ()

    def selects_device(self, name: str, traits: Traits) -> bool:
        """Tell whether a device or component, by its dotted name, is in the list."""
        path = name.split(".")
        return any(pattern.selects(path, traits) for pattern in self.devices)

    def selects_plan(self, name: str) -> bool:
        """Tell whether a plan is in the list."""
        return any(pattern.selects(name) for pattern in self.plans)


@dataclass(frozen=True)
class ReadType:
    """What a parameter takes."""

    #: Nodes with `listed` have no choices: their names are in `lists`.
    type: ValueType
    #: The same for people.
    text: str
    #: Lists of devices and plans, by the name that stands for them in the tree.
    lists: Mapping[str, NameList] = field(default_factory=dict)
    #: Bounds and unit from the hint.
    limits: Limits = field(default_factory=dict)

    @property
    def tree(self) -> ParameterType:
        """The type as clients get it."""
        return self.type.tree


@dataclass(frozen=True)
class ReadParameter:
    """One parameter of a plan."""

    name: str
    kind: Any
    takes: ReadType
    #: Default of the decorator, else of the signature.
    default: Any
    #: The default is the decorator's, and has to be passed when the parameter is omitted.
    default_in_decorator: bool
    #: From the decorator, by the keys it has there: description, min, max, step, unit and the switches of conversion.
    said: Mapping[str, Any]


@dataclass(frozen=True)
class ReadPlan:
    """A plan."""

    signature: inspect.Signature
    parameters: Mapping[str, ReadParameter]
    #: From the decorator; empty if it says nothing.
    description: str


def read_plan(plan: Plan) -> ReadPlan:
    """Read a plan.

    Raises
    ------
    PlanError
        It can't be called.
    ValueError, TypeError
        It has no signature.

    """
    # A callable object need not be hashable, or may compare itself in its own way.
    is_function = isinstance(plan, (FunctionType, MethodType, functools.partial))
    return _read(plan) if is_function else _read.__wrapped__(plan)


@functools.lru_cache(maxsize=_KEPT)
def _read(plan: Plan) -> ReadPlan:
    signature = signature_of(plan)
    annotation = getattr(plan, ATTRIBUTE, None) or {}
    try:
        check_annotation(annotation, signature.parameters)
    except AnnotationError as error:
        raise PlanError(f"In its decorator, {error}") from error
    namespace = _globals(plan)
    said = said_of(plan, signature.parameters) | annotation.get("parameters", {})
    parameters = {
        name: _read_parameter(parameter, said.get(name, {}), namespace)
        for name, parameter in signature.parameters.items()
    }
    return ReadPlan(signature, parameters, annotation.get("description", ""))


def _read_parameter(parameter: inspect.Parameter, said: Mapping[str, Any], namespace: dict[str, Any]) -> ReadParameter:
    try:
        default, is_decorators = _default(parameter, said)
        _check_limits(said)
        takes = _type_of_decorator(said) if "annotation" in said else _type_of_hint(parameter, said, namespace)
    except (PlanError, TypeTextError, PatternError) as error:
        raise PlanError(f"Parameter {parameter.name}: {error}") from error
    takes = _with_default(takes, default, names_convert=is_decorators)
    return ReadParameter(parameter.name, parameter.kind, takes, default, is_decorators, said)


def _with_default(takes: ReadType, default: Any, *, names_convert: bool) -> ReadType:
    """Let a parameter take its own default, and say so."""
    widened = takes.type if default is NO_DEFAULT else admitting(takes.type, default, names_convert=names_convert)
    if widened is takes.type:
        return takes
    return replace(takes, type=widened, text=f"{takes.text} | {write_type(widened.parts[-1].tree)[0]}")


def _check_limits(said: Mapping[str, Any]) -> None:
    for key in ("min", "max", "step"):
        value = said.get(key, 0)
        if not -_LARGEST <= value <= _LARGEST:
            raise PlanError(f"{key!r} must be a finite number, not {value!r}.")


def _type_of_hint(parameter: inspect.Parameter, said: Mapping[str, Any], namespace: dict[str, Any]) -> ReadType:
    lists = [key for key in _LISTS if key in said]
    if lists:
        raise PlanError(f"there is no 'annotation' that could use its {' and '.join(lists)}: add one, or remove them.")
    hint = resolve(parameter.annotation, namespace)
    read = _read_hint_of(_hint_of_each(parameter.kind, hint))
    is_for_each = parameter.kind is inspect.Parameter.VAR_KEYWORD and not is_unpacked(hint)
    if is_for_each and read.type.kind is TypeKind.RECORD:
        # A record there means all arguments together.
        return replace(read, type=unknown_type(hint))
    return read


def _hint_of_each(kind: Any, hint: Any) -> Any:
    """Return what `*args: Unpack[tuple[X, ...]]` says of each argument, `**kwargs: Unpack[X]` of all; else the hint."""
    if not is_unpacked(hint):
        return hint
    inside = typing.get_args(hint)
    if kind is inspect.Parameter.VAR_KEYWORD:
        return inside[0]
    if typing.get_origin(hint) is not tuple:
        inside = typing.get_args(inside[0])
    return inside[0] if inside[1:] == (Ellipsis,) else hint


def _read_hint_of(hint: Any) -> ReadType:
    try:
        # The repr tells apart what is equal but written in another way: Optional[int] and int | None.
        return _read_hint(hint, repr(hint))
    except BaseException:  # noqa: BLE001 - protects the plan from what is in its hints for others: it may have no hash or repr
        return _read_hint.__wrapped__(hint, "")


@functools.lru_cache(maxsize=4 * _KEPT)
def _read_hint(hint: Any, _written: str) -> ReadType:
    limits: Limits = {}
    if has_metadata(hint):
        limits, hint = limits_of(hint), without_metadata(hint)
    return ReadType(hint_type(hint), hint_text(hint), limits=limits)


def _default(parameter: inspect.Parameter, said: Mapping[str, Any]) -> tuple[Any, bool]:
    """Return the default and whether it is the decorator's. None in the decorator means that it says nothing."""
    header = NO_DEFAULT if parameter.default is inspect.Parameter.empty else parameter.default
    default = said.get("default")
    if default is None:
        return header, False
    if header is NO_DEFAULT:
        raise PlanError("the decorator has a default for it, so give it some default in the signature too.")
    if not is_literal(default):
        raise PlanError(
            "its default in the decorator must be made of numbers, texts, True, False, None, lists, tuples, sets and "
            "dictionaries; give a device or plan by its name."
        )
    return default, True


def _type_of_decorator(said: Mapping[str, Any]) -> ReadType:
    text = said["annotation"]
    devices, plans, enums = (said.get(key, {}) for key in _LISTS)
    defined = {*devices, *plans, *enums}
    # Names of devices and plans are found when they are requested; the tree only tells one list from the other.
    names = TypeNames(dict.fromkeys(devices, ()), dict.fromkeys(plans, ()), {key: _unique(enums[key]) for key in enums})
    tree = read_type(text, names)
    unused = sorted(defined - {node.type_name for node in named_lists(tree)})
    if unused:
        raise PlanError(f"its annotation {text!r} does not use {', '.join(unused)}: use each list that is defined.")
    lists = {
        name: NameList(tuple(map(device_pattern, devices.get(name, ()))), tuple(map(name_pattern, plans.get(name, ()))))
        for name in {*devices, *plans}
    }
    # A list may have the name of a protocol, which then stands for the list.
    return ReadType(plain_type(tree), with_device_words(text) if defined.isdisjoint(PROTOCOLS) else text, lists)


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _globals(plan: Plan) -> dict[str, Any]:
    function: Any = inspect.unwrap(plan)
    while isinstance(function, functools.partial):
        function = inspect.unwrap(function.func)
    if not hasattr(function, "__globals__"):
        function = getattr(type(function), "__call__", None)  # noqa: B004 - it is wanted
    found: dict[str, Any] = getattr(function, "__globals__", {})
    return found
