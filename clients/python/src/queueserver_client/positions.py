"""Places in the queue, and how to say which item is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from queueserver.manager.v1 import queue_pb2 as pb

from queueserver_client import values


@dataclass(frozen=True)
class Before:
    """In front of the item with this uid."""

    uid: str


@dataclass(frozen=True)
class After:
    """Behind the item with this uid."""

    uid: str


#: A place to put an item: "front", "back", an index, or beside another item.
Position = Literal["front", "back"] | int | Before | After
#: Which item is meant: "front" or "back" of the queue, an index, or a uid.
Address = str | int


def encode_position(position: Position | None) -> pb.QueuePosition | None:
    """The message for a place. Raises ValueNotRepresentable."""
    if position is None:
        return None
    if position == "front":
        return pb.QueuePosition(front=True)
    if position == "back":
        return pb.QueuePosition(back=True)
    if isinstance(position, Before):
        return pb.QueuePosition(before_uid=values.text(position.uid, "position"))
    if isinstance(position, After):
        return pb.QueuePosition(after_uid=values.text(position.uid, "position"))
    return pb.QueuePosition(index=values.index(position, "position"))


def encode_address(address: Address) -> pb.ItemAddress:
    """The message for an item's address. Raises ValueNotRepresentable."""
    if address == "front":
        return pb.ItemAddress(front=True)
    if address == "back":
        return pb.ItemAddress(back=True)
    if isinstance(address, str):
        return pb.ItemAddress(uid=values.text(address, "address"))
    return pb.ItemAddress(index=values.index(address, "address"))
