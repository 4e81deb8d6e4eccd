"""Places where data is stored, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from queueserver_client.models.wire_enum import WireEnum, to_datetime

if TYPE_CHECKING:
    from queueserver.common.v1 import storage_pb2


class StorageState(WireEnum):
    """State of a storage place."""

    UNSPECIFIED = "unspecified"
    OK = "ok"
    SPACE_LOW = "space_low"
    DISK_FULL = "disk_full"
    DISK_ERROR = "disk_error"
    OUT_OF_MEMORY = "out_of_memory"
    READ_ONLY = "read_only"
    UNREACHABLE = "unreachable"
    LOADING = "loading"
    REFUSED = "refused"
    NOT_STARTING = "not_starting"


@dataclass(frozen=True)
class Storage:
    """A storage place at one moment."""

    state: StorageState = StorageState.UNSPECIFIED
    #: One sentence: what is wrong, and what to do. Empty while all is well.
    message: str = ""
    #: Since when it has been in this state; None while all is well.
    start_time: datetime | None = None
    #: Address of Redis without a password, or a directory on the Worker's machine.
    location: str = ""
    #: Bytes that are free on its disk, and that have to be free; None if that is not known.
    free_bytes: int | None = None
    needed_bytes: int | None = None

    @classmethod
    def from_proto(cls, proto: storage_pb2.StorageStatus) -> Storage:
        """Read the message of the contract."""
        return cls(
            state=StorageState.from_number(proto.state),
            message=proto.message,
            start_time=to_datetime(proto.start_time) if proto.HasField("start_time") else None,
            location=proto.location,
            free_bytes=proto.free_bytes if proto.HasField("free_bytes") else None,
            needed_bytes=proto.needed_bytes if proto.HasField("needed_bytes") else None,
        )


NOT_TOLD = Storage()
"""For a place about which the server says nothing."""
