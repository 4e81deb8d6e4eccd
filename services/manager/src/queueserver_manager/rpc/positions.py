"""Positions, addresses and pages of requests."""

from __future__ import annotations

from queueserver.manager.v1 import queue_items_pb2, queue_pb2

from queueserver_manager.domain.queue import placement as pl
from queueserver_manager.domain.refusals.errors import FieldInvalid, PositionMissing

_Adding = queue_items_pb2.AddItemRequest | queue_items_pb2.AddItemsRequest


def position_of(message: queue_pb2.QueuePosition, field: str) -> pl.Position:
    """A place that a field of a request names. Raises FieldInvalid."""
    place = message.WhichOneof("place")
    if place == "front" and message.front:
        return pl.Front()
    if place == "back" and message.back:
        return pl.Back()
    if place == "index":
        return pl.AtIndex(message.index)
    if place == "before_uid":
        return pl.BeforeItem(message.before_uid)
    if place == "after_uid":
        return pl.AfterItem(message.after_uid)
    raise FieldInvalid(field, "names no place: give front or back as true, index, before_uid or after_uid")


def position_or_back(request: _Adding) -> pl.Position:
    """Where to put new items; without a position, at the back. Raises FieldInvalid."""
    return position_of(request.position, "position") if request.HasField("position") else pl.Back()


def address_of(message: queue_pb2.ItemAddress, field: str = "address") -> pl.Address:
    """Which item a request means. Raises FieldInvalid."""
    address = message.WhichOneof("address")
    if address == "uid":
        return pl.ByUid(message.uid)
    if address == "index":
        return pl.AtIndex(message.index)
    if address == "front" and message.front:
        return pl.Front()
    if address == "back" and message.back:
        return pl.Back()
    raise FieldInvalid(field, "names no item: give uid, index, or front or back as true")


def required_move(request: queue_items_pb2.MoveItemRequest) -> tuple[pl.Address, pl.Position]:
    """Source and destination of a move. Raises PositionMissing, FieldInvalid."""
    given = {"source": request.source.WhichOneof("address"), "destination": request.destination.WhichOneof("place")}
    if missing := [field for field, choice in given.items() if not choice]:
        raise PositionMissing("a source and a destination: say which item goes where", missing)
    return address_of(request.source, "source"), position_of(request.destination, "destination")


def page_size(asked: int, default: int, most: int, field: str = "page_size") -> int:
    """How many entries to put on a page. Raises FieldInvalid."""
    if asked < 0:
        raise FieldInvalid(field, "must be 0 or more")
    return min(asked, most) or default
