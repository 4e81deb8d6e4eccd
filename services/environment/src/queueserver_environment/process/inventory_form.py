"""Plans and devices in the form in which they travel, as maps and lists.

A large beamline has tens of thousands of components and types, but few different ones, and what is described alike is
one object: its form is made once.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from queueserver_inventory.descriptions import Inventory


def inventory_form(inventory: Inventory) -> dict[str, Any]:
    """Return the map of an inventory."""
    return _Forms().of(inventory)


class _Forms:
    """Forms of one inventory, by the ids of what they are of: it lives as long as they are made."""

    def __init__(self) -> None:
        self._known: dict[int, Any] = {}

    def of(self, message: Any) -> dict[str, Any]:
        """Return the map of a message; fields with their default values are left out."""
        kind: Any = type(message)
        form = {}
        for name, is_optional, parts in _fields_of(kind):
            value = getattr(message, name)
            if value is not None if is_optional else value:
                form[name] = value if parts is None else self._known.get(id(value)) or parts(self, value)
        return form

    def one(self, message: Any) -> dict[str, Any]:
        """Return the map of a message that others may have too."""
        form = self._known[id(message)] = self.of(message)
        return form

    def several(self, messages: tuple[Any, ...]) -> list[dict[str, Any]]:
        """Return the maps of messages that others may have too."""
        forms = self._known[id(messages)] = list(map(self.of, messages))
        return forms


@cache
def _fields_of(kind: Any) -> tuple[tuple[str, bool, Callable[[_Forms, Any], Any] | None], ...]:
    """List the fields of a message: the name, whether it may be absent, and what makes the form of messages in it."""
    hints = get_type_hints(kind)
    return tuple((field.name, field.default is None, _maker_of(hints[field.name])) for field in fields(kind))


def _maker_of(hint: Any) -> Callable[[_Forms, Any], Any] | None:
    if not any(map(is_dataclass, (hint, *get_args(hint)))):
        return None
    return _Forms.several if get_origin(hint) is tuple else _Forms.one
