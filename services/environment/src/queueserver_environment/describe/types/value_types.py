"""Types of the contract together with what only this process knows about them: the classes behind them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from queueserver_inventory import value_fit
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_trees import union_of


@dataclass(frozen=True, eq=False)
class ValueType:
    """What a hint, or a part of one, accepts and gives."""

    tree: ParameterType
    #: Those of the parts, in the order of `tree.arguments`.
    parts: "tuple[ValueType, ...]" = ()
    #: Of the fields of a record, by name.
    fields: "Mapping[str, ValueType]" = field(default_factory=dict)
    #: Of the keys of a map, if they are more than texts.
    key: "ValueType | None" = None
    #: Makes what the plan gets of a value in which names have been converted; None if that is it.
    make: Callable[[Any], Any] | None = None
    #: The class that a device must have.
    device_class: type | None = None
    #: It was added because the parameter's default has this type: a text in it is a name, if it is one.
    of_default: bool = False
    #: What is not checked of it and its parts, as text.
    unchecked: tuple[str, ...] = ()

    @property
    def kind(self) -> TypeKind:
        """Its kind."""
        return self.tree.kind

    def accepts(self, value: Any, *, names: bool = True) -> bool:
        """Tell whether a value fits, whatever its names stand for; without `names` no text is a name."""
        return value_fit.fits(value, self.tree, lambda _type, _name: names)

    @cached_property
    def everything(self) -> "tuple[ValueType, ...]":
        """Itself and everything in it, at any depth."""
        inside = [*self.parts, *self.fields.values(), *([self.key] if self.key else [])]
        return (self, *(each for part in inside for each in part.everything))

    @cached_property
    def options(self) -> "tuple[ValueType, ...]":
        """What is possible: itself, or the options of a union."""
        return self.parts if self.kind is TypeKind.UNION else (self,)


def plain_type(tree: ParameterType, *, of_default: bool = False) -> ValueType:
    """What a reader that knows only the tree accepts: values are passed as they are, except names."""

    def plain(part: ParameterType) -> ValueType:
        return plain_type(part, of_default=of_default)

    return ValueType(
        tree,
        tuple(map(plain, tree.arguments)),
        {each.name: plain(each.type) for each in tree.fields},
        plain(tree.key) if tree.key is not None else None,
        of_default=of_default,
    )


def union_type(options: Iterable[ValueType]) -> ValueType:
    """Any one of some types."""
    distinct: list[ValueType] = []
    for option in (each for one in options for each in one.options):
        if all(option.tree != other.tree for other in distinct):
            distinct.append(option)
    if len(distinct) == 1:
        return distinct[0]
    return ValueType(union_of(option.tree for option in distinct), tuple(distinct), unchecked=unchecked_in(distinct))


def unchecked_in(parts: Iterable[ValueType]) -> tuple[str, ...]:
    """List what is not checked of some types, as text."""
    return tuple(dict.fromkeys(text for part in parts for text in part.unchecked))
