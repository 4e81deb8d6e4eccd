"""Classes with fields: which fields they have, and how an instance is made from them.

TypedDict, dataclasses, NamedTuple, models and dataclasses of pydantic (also those of pydantic.v1), classes of attrs.
pydantic and attrs are recognised by what they leave on a class, so neither is needed.
Guarantees: a class is inspected, no instance of it is made. What a class itself decides about a value before it has
fields (pydantic's validators that come before) is not guessed: such a field is for any value.
"""

import dataclasses
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from queueserver_environment.describe.types.annotations import resolve
from queueserver_environment.plans.signatures import hints_of, signature_of

_EARLY: Final = frozenset({"before", "plain", "wrap"})
_EARLY_METADATA: Final = frozenset({"BeforeValidator", "PlainValidator", "WrapValidator"})
_VARIABLE: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
NO_DEFAULT: Final = inspect.Parameter.empty


@dataclass(frozen=True)
class Field:
    """A field of a class, under the name by which it is given."""

    name: str
    #: Resolved as far as it can be.
    hint: Any
    required: bool
    #: NO_DEFAULT if there is none, or if a new one is made each time.
    default: Any = NO_DEFAULT
    #: The class itself decides which values it takes.
    is_unchecked: bool = False


@dataclass(frozen=True)
class Record:
    """A class with fields."""

    fields: tuple[Field, ...]
    #: It takes other fields too.
    is_open: bool
    #: Makes an instance of a dictionary of fields; None if the dictionary is the instance.
    make: Callable[[dict[str, Any]], Any] | None


def has_fields(cls: Any) -> bool:
    """Tell whether a class is one of those that are made of fields."""
    if not isinstance(cls, type):
        return False
    return (
        is_typed_dict(cls)
        or is_named_tuple(cls)
        or _is_pydantic(cls)
        or dataclasses.is_dataclass(cls)
        or _is_attrs(cls)
    )


def is_typed_dict(cls: type) -> bool:
    """Tell whether a class is a TypedDict, of typing or of typing_extensions."""
    return issubclass(cls, dict) and hasattr(cls, "__required_keys__") and hasattr(cls, "__total__")


def is_named_tuple(cls: type) -> bool:
    """Tell whether a class is a NamedTuple."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def record_of(cls: type) -> Record:
    """Read a class with fields. Raises whatever its own code raises."""
    if is_typed_dict(cls):
        return Record(tuple(_typed_dict_fields(cls)), is_open=False, make=None)
    if hasattr(cls, "__pydantic_fields__"):
        return _pydantic_record(cls)
    if _is_pydantic(cls):
        fields = tuple(_old_pydantic_fields(cls))
        is_open = str(getattr(cls.__config__, "extra", "")).endswith("allow")  # type: ignore[attr-defined] # it has one
        return Record(fields, is_open=is_open, make=_by_keywords(cls))
    return Record(tuple(_signature_fields(cls)), is_open=False, make=_by_keywords(cls))


def _by_keywords(cls: type) -> Callable[[dict[str, Any]], Any]:
    return lambda fields: cls(**fields)


def _typed_dict_fields(cls: Any) -> Iterator[Field]:
    for name, hint in _hints_of(cls).items():
        required, inner = name in cls.__required_keys__, hint
        # Postponed annotations were taken for required when the class was made.
        while (word := getattr(typing.get_origin(inner), "_name", "")) in ("Required", "NotRequired", "ReadOnly"):
            required = required if word == "ReadOnly" else word == "Required"
            inner = typing.get_args(inner)[0]
        yield Field(name, inner, required)


def _signature_fields(cls: type) -> Iterator[Field]:
    """List what a class of dataclasses, attrs or NamedTuple is called with."""
    namespace = _namespace_of(cls)
    for name, parameter in signature_of(cls).parameters.items():
        if parameter.kind in _VARIABLE:
            continue
        hint = resolve(parameter.annotation, namespace)
        if isinstance(hint, dataclasses.InitVar):
            hint = hint.type
        required = parameter.default is NO_DEFAULT
        yield Field(name, hint, required, parameter.default)


def _pydantic_record(cls: Any) -> Record:
    decorators = getattr(cls, "__pydantic_decorators__", None)
    config = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
    is_open = config.get("extra") == "allow"
    early = set(_checked_early(decorators))
    models = _validators(decorators, "model_validators")
    if any(getattr(validator.info, "mode", "") in ("before", "wrap") for validator in models):
        # It may take what has other fields.
        return Record((), is_open=True, make=_by_keywords(cls))
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    fields = []
    for name, info in cls.__pydantic_fields__.items():
        if getattr(info, "init", None) is False:
            continue
        alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
        is_odd = name in early or "*" in early or _has_early_metadata(info.metadata)
        is_odd |= info.validation_alias is not None and not isinstance(info.validation_alias, str)
        default = NO_DEFAULT if info.is_required() or info.default_factory is not None else info.default
        key = name if by_name or not alias else alias
        fields.append(Field(key, info.rebuild_annotation(), info.is_required(), default, is_odd))
    return Record(tuple(fields), is_open=is_open, make=_by_keywords(cls))


def _checked_early(decorators: Any) -> Iterator[str]:
    for validator in _validators(decorators, "field_validators", "validators"):
        if getattr(validator.info, "mode", "") in _EARLY:
            yield from validator.info.fields


def _validators(decorators: Any, *kinds: str) -> Iterator[Any]:
    for kind in kinds:
        found: Mapping[str, Any] = getattr(decorators, kind, {})
        yield from found.values()


def _has_early_metadata(metadata: Iterable[Any]) -> bool:
    return any(type(one).__name__ in _EARLY_METADATA for one in metadata)


def _old_pydantic_fields(cls: Any) -> Iterator[Field]:
    for field in cls.__fields__.values():
        hint = typing.Optional[field.outer_type_] if field.allow_none else field.outer_type_  # noqa: UP045 - it may be text
        required = bool(field.required)
        default = NO_DEFAULT if required or field.default_factory is not None else field.default
        has_early = any(validator.pre for validator in (field.class_validators or {}).values())
        yield Field(field.alias, hint, required, default, has_early)


def _is_pydantic(cls: type) -> bool:
    if "__pydantic_fields__" in dir(cls):
        return True
    return isinstance(getattr(cls, "__fields__", None), dict) and hasattr(cls, "__config__")


def _is_attrs(cls: type) -> bool:
    return hasattr(cls, "__attrs_attrs__")


def _hints_of(cls: Any) -> dict[str, Any]:
    namespace = _namespace_of(cls)
    return {name: resolve(hint, namespace) for name, hint in hints_of(cls).items()}


def _namespace_of(cls: type) -> dict[str, Any]:
    """Return the globals with which the hints of a class are evaluated."""
    return vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
