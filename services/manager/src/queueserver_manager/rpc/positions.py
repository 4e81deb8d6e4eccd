"""Positions, addresses and pages of requests."""

from __future__ import annotations

from queueserver.manager.v1 import queue_service_pb2 as pb

from queueserver_manager.domain import placement as pl
from queueserver_manager.domain.errors import FieldInvalid, PositionMissing


def position_of(message: pb.Position) -> pl.Position:
    """Where to put something. Nothing said means the back."""
    place = message.WhichOneof("place")
    if place == "front":
        return pl.Front()
    if place == "index":
        return pl.AtIndex(message.index)
    if place == "before_uid":
        return pl.BeforeItem(message.before_uid)
    if place == "after_uid":
        return pl.AfterItem(message.after_uid)
    return pl.Back()


def address_of(message: pb.ItemAddress) -> pl.Address:
    """Which item is meant. Nothing said means the last one."""
    address = message.WhichOneof("address")
    if address == "uid":
        return pl.ByUid(message.uid)
    if address == "index":
        return pl.AtIndex(message.index)
    if address == "front":
        return pl.Front()
    return pl.Back()


def required_move(request: pb.MoveItemRequest) -> tuple[pl.Address, pl.Position]:
    """Source and destination of a move. Raises PositionMissing."""
    if not request.source.WhichOneof("address") or not request.destination.WhichOneof("place"):
        raise PositionMissing("A move needs a source and a destination: say which item goes where.")
    return address_of(request.source), position_of(request.destination)


def page_size(asked: int, default: int, most: int, field: str = "page_size") -> int:
    """How many to put on a page. Raises FieldInvalid."""
    if asked < 0:
        raise FieldInvalid(field, "must be 0 or more")
    return min(asked, most) or default
