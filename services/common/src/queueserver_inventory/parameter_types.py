"""Types of parameters as Manager and Worker check values against them: the contract's ParameterType, decoded.

:mod:`queueserver_inventory.type_reading` makes them of messages, :mod:`queueserver_inventory.value_fit` compares
values with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class TypeKind(Enum):
    """What a parameter's type is made of; see ParameterType.Kind in the contract."""

    UNTYPED = 0
    ANY = 1
    NONE = 2
    BOOLEAN = 3
    INTEGER = 4
    NUMBER = 5
    STRING = 6
    LIST = 7
    TUPLE = 8
    MAP = 9
    UNION = 10
    ENUM = 11
    DEVICE = 12
    PLAN = 13
    DEVICE_OR_PLAN = 14
    CALLABLE = 15
    LITERAL = 16
    RECORD = 17


#: Kinds whose values are names of devices or plans.
NAMING_KINDS = frozenset({TypeKind.DEVICE, TypeKind.PLAN, TypeKind.DEVICE_OR_PLAN})


@dataclass(frozen=True, slots=True)
class ParameterType:
    """What values a parameter takes, as a tree."""

    kind: TypeKind = TypeKind.UNTYPED
    arguments: tuple[ParameterType, ...] = ()
    choices: tuple[str, ...] = ()
    #: For the kinds that name devices or plans: only ``choices`` are possible, even if there are none.
    listed: bool = False
    #: For DEVICE: "Readable", "Movable" or "Flyable"; empty for any.
    protocol: str = ""
    #: For DEVICE: of which class it is; empty for any.
    device_class: str = ""
    #: For LITERAL: what is possible.
    values: tuple[Any, ...] = ()
    #: For RECORD: by name. With ``open`` there may be others.
    fields: Mapping[str, RecordField] = field(default_factory=dict)
    open: bool = False
    #: For MAP: what the keys stand for; None if they are only texts.
    key: ParameterType | None = None
    #: For STRING: the form of the text, see ParameterType.format in the contract; empty for any.
    format: str = ""


@dataclass(frozen=True, slots=True)
class RecordField:
    """A field of an object."""

    type: ParameterType
    required: bool
    #: Bounds, inclusive, of every number in it.
    minimum: float | None = None
    maximum: float | None = None
