"""Warnings about an item that was accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queueserver.common.v1 import item_pb2


@dataclass(frozen=True)
class ItemWarning:
    """A text that names no device, where a device could stand. The plan gets it as text."""

    #: Path of the text, for example "item.args[1]".
    field: str
    text: str
    #: One sentence that says what is odd and what was probably meant.
    message: str
    #: Names of devices that are similar to the text, best first; perhaps none.
    near_matches: Sequence[str] = ()

    @classmethod
    def from_proto(cls, proto: item_pb2.ItemWarning) -> ItemWarning:
        """Read the message of the contract."""
        return cls(proto.field, proto.text, proto.message, tuple(proto.near_matches))


def item_warnings(entries: Iterable[item_pb2.ItemWarning]) -> tuple[ItemWarning, ...]:
    """Warnings about some items."""
    return tuple(map(ItemWarning.from_proto, entries))
