"""The decorator by which authors of plans say what a signature can't: which devices, which texts, between which limits.

Guarantees: an invalid dictionary is refused at the decorator, with the key that is wrong; the decorated plan
behaves as before and has the dictionary as an attribute, under the name under which bluesky-queueserver puts it, so
that either package understands what the other one has decorated. The function that is decorated is not changed.
Does not check what names and patterns select, or whether an annotation can be read: that needs the whole namespace.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, Final, TypeVar

from queueserver_environment.plans.signatures import signature_of

ATTRIBUTE: Final = "_custom_parameter_annotation_"
"""Where the dictionary is found on a decorated plan."""
_LISTS: Final = ("devices", "plans", "enums")

PlanT = TypeVar("PlanT", bound=Callable[..., Any])


class AnnotationError(ValueError):
    """The dictionary can't be used; the message says where it is wrong."""


def parameter_annotation_decorator(annotation: Mapping[str, Any]) -> Callable[[PlanT], PlanT]:
    """Describe a plan beyond its signature.

    Parameters
    ----------
    annotation
        ``description``: what the plan does. ``parameters``: for each parameter, by its name, a dictionary with any of
        ``description``, ``annotation`` (a type as text), ``devices``, ``plans`` and ``enums`` (lists of names by the
        name that stands for the list in ``annotation``), ``default``, ``min``, ``max``, ``step``, ``unit``,
        ``convert_device_names`` and ``convert_plan_names``.

    Raises
    ------
    AnnotationError
        When decorating: the dictionary has other keys or values of other kinds, or names a parameter that the plan
        does not have.

    """

    def decorate(plan: PlanT) -> PlanT:
        check_annotation(annotation, signature_of(plan).parameters)
        decorated = _twin(plan)
        setattr(decorated, ATTRIBUTE, _copy(annotation))
        return decorated

    return decorate


def check_annotation(annotation: object, parameters: Iterable[str]) -> None:
    """Check the form of a dictionary for a plan with these parameters. Raises AnnotationError."""
    top = _mapping("the annotation", annotation)
    _check_keys("the annotation", top, _TOP)
    if "parameters" not in top:
        return
    existing = set(parameters)
    for name, entry in _mapping("'parameters'", top["parameters"]).items():
        if name not in existing:
            raise AnnotationError(
                f"'parameters' describes {name!r}, which is not a parameter of the plan; "
                f"those are {', '.join(sorted(existing)) or 'none'}."
            )
        _check_keys(f"the parameter {name!r}", _mapping(f"the parameter {name!r}", entry), _PARAMETER)


def _twin(plan: PlanT) -> PlanT:
    """Make a second plan that does the same.

    Of a function it is a copy and no wrapper, so that tracebacks of user code have no frame of ours.
    """
    if isinstance(plan, FunctionType):
        twin: Any = FunctionType(plan.__code__, plan.__globals__, plan.__name__, plan.__defaults__, plan.__closure__)
        twin.__kwdefaults__ = plan.__kwdefaults__
        return functools.update_wrapper(twin, plan, updated=("__dict__",))  # type: ignore[return-value] # the same kind of function

    def call(*args: Any, **kwargs: Any) -> Any:
        return plan(*args, **kwargs)

    def generate(*args: Any, **kwargs: Any) -> Any:
        return (yield from plan(*args, **kwargs))

    return functools.wraps(plan)(generate if inspect.isgeneratorfunction(plan) else call)  # type: ignore[return-value] # called alike


def _copy(value: Any) -> Any:
    """Copy dictionaries and lists at any depth, because people reuse them; nothing else, not even a device."""
    if isinstance(value, Mapping):
        return {key: _copy(element) for key, element in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(map(_copy, value))
    return value


def _mapping(what: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise AnnotationError(f"{_capital(what)} must be a dictionary with texts as keys, not {_kind(value)}.")
    return value


def _check_keys(what: str, entry: Mapping[str, Any], rules: Mapping[str, Callable[[str, Any], None]]) -> None:
    for key, value in entry.items():
        if key not in rules:
            raise AnnotationError(f"{_capital(what)} has the key {key!r}; possible are {', '.join(sorted(rules))}.")
        rules[key](f"{key!r} of {what}", value)


def _of_kind(kinds: tuple[type, ...], wanted: str) -> Callable[[str, Any], None]:
    def check(what: str, value: Any) -> None:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise AnnotationError(f"{_capital(what)} must be {wanted}, not {_kind(value)}.")

    return check


def _name_lists(what: str, value: Any) -> None:
    for name, listed in _mapping(what, value).items():
        if not name.isidentifier():
            raise AnnotationError(f"{_capital(what)}: the name of a list must be an identifier, and {name!r} is none.")
        if not isinstance(listed, (list, tuple)) or not all(isinstance(text, str) for text in listed):
            raise AnnotationError(f"{_capital(what)}: {name!r} must be a list or tuple of texts.")


def _anything(_what: str, _value: Any) -> None:
    """Defaults are examined when the plan is described."""


_text: Final = _of_kind((str,), "a text")
_number: Final = _of_kind((int, float), "a number")
_truth: Final = _of_kind((bool,), "True or False")
_TOP: Final = {"description": _text, "parameters": _anything}
_PARAMETER: Final[dict[str, Callable[[str, Any], None]]] = {
    "description": _text,
    "annotation": _text,
    **dict.fromkeys(_LISTS, _name_lists),
    "default": _anything,
    **dict.fromkeys(("min", "max", "step"), _number),
    "unit": _text,
    **dict.fromkeys(("convert_device_names", "convert_plan_names"), _truth),
}


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
