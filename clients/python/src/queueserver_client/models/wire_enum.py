"""Enums of the contract as words, and times as datetimes."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1.error_reason_pb2 import ErrorReason

if TYPE_CHECKING:
    from typing_extensions import Self  # only for the type checker; not needed to run


class WireEnum(str, Enum):
    """An enum of the contract. Members are in the order of their numbers, the first one means "not said".

    A number that only a newer server knows reads as "not said".
    """

    @classmethod
    def from_number(cls, number: int) -> Self:
        """The word for a number on the wire."""
        members = tuple(cls)
        return members[number] if 0 <= number < len(members) else members[0]

    @property
    def number(self) -> int:
        """The number on the wire."""
        return tuple(type(self)).index(self)

    def __str__(self) -> str:
        return str(self.value)


def name_of_reason(number: int) -> str:
    """A reason of the contract by its name in errors, for example "ITEM_INVALID"; empty if there is none.

    One that only a newer server knows is named by its number.
    """
    if not number:
        return ""
    known = ErrorReason.DESCRIPTOR.values_by_number.get(number)
    return known.name.removeprefix("ERROR_REASON_") if known else str(number)


def to_datetime(timestamp: Timestamp) -> datetime:
    """A time of the contract as an aware datetime in UTC, to the microsecond."""
    return timestamp.ToDatetime(tzinfo=timezone.utc)
