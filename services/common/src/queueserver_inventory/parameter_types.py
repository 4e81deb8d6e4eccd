"""Types of parameters: the contract's ParameterType as plain Python, for describing plans and for checking values.

Names, kinds and numbers are those of the contract. :mod:`queueserver_inventory.type_messages` reads and makes messages,
:mod:`queueserver_inventory.value_fit` compares values with types. A type never changes, so one that occurs in many
plans is one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any


class TypeKind(IntEnum):
    """What a parameter's type is made of; see ParameterType.Kind in the contract."""

    UNSPECIFIED = 0
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


@dataclass(frozen=True, eq=False)
class ParameterType:
    """What values a parameter takes, as a tree."""

    kind: TypeKind = TypeKind.UNSPECIFIED
    arguments: tuple[ParameterType, ...] = ()
    choices: tuple[str, ...] = ()
    #: For DEVICE: "Readable", "Movable" or "Flyable"; empty for any.
    device_protocol: str = ""
    #: Name of a list, of an enum or of a class with fields.
    type_name: str = ""
    #: For the kinds that name devices or plans: only ``choices`` are possible, even if there are none.
    listed: bool = False
    #: For LITERAL: what is possible: numbers, truth values. None stands for what no value equals.
    values: tuple[Any, ...] = ()
    #: For RECORD, in order. With ``open`` there may be others.
    fields: tuple[RecordField, ...] = ()
    open: bool = False
    #: For MAP: what the keys stand for; None if they are only texts.
    key: ParameterType | None = None
    #: For DEVICE: of which class it is; empty for any.
    device_class: str = ""
    #: For STRING: the form of the text, see ParameterType.format in the contract; empty for any.
    format: str = ""

    @cached_property
    def by_name(self) -> Mapping[str, RecordField]:
        """The fields, by name and in order."""
        return {field.name: field for field in self.fields}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ParameterType):
            return NotImplemented
        return self is other or self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @property
    def _content(self) -> tuple[Any, ...]:
        """What tells types apart. In Python True equals 1, but as a value of a literal it does not."""
        return (
            self.kind,
            self.arguments,
            self.choices,
            self.device_protocol,
            self.type_name,
            self.listed,
            tuple((isinstance(value, bool), value) for value in self.values),
            self.fields,
            self.open,
            self.key,
            self.device_class,
            self.format,
        )


@dataclass(frozen=True, slots=True)
class RecordField:
    """A field of an object."""

    name: str = ""
    type: ParameterType = ParameterType()
    required: bool = False
    #: The default as Python prints it; None if there is none.
    default_text: str | None = None
    #: Bounds, inclusive, of every number in it.
    minimum: float | None = None
    maximum: float | None = None
