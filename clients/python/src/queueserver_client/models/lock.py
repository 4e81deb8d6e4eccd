"""The lock: what is locked, by whom, and who asks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from queueserver_client.models.wire_enum import WireEnum, to_datetime

if TYPE_CHECKING:
    from queueserver.manager.v1 import error_details_pb2, lock_pb2


class LockChange(WireEnum):
    """What happened to the lock, or to a request for it."""

    UNSPECIFIED = "unspecified"
    ACQUIRED = "acquired"
    RELEASED = "released"
    RELEASED_BY_EMERGENCY_KEY = "released_by_emergency_key"
    EXPIRED = "expired"
    CLEARED = "cleared"
    RENEWED = "renewed"
    EXTENDED = "extended"
    REQUESTED = "requested"
    TAKEN_OVER = "taken_over"
    REQUEST_REFUSED = "request_refused"
    REQUEST_WITHDRAWN = "request_withdrawn"
    REQUEST_EXPIRED = "request_expired"


#: Changes after which the lock still belongs to the same holder.
SAME_HOLDER = {
    LockChange.RENEWED,
    LockChange.EXTENDED,
    LockChange.REQUESTED,
    LockChange.REQUEST_REFUSED,
    LockChange.REQUEST_WITHDRAWN,
    LockChange.REQUEST_EXPIRED,
}


@dataclass(frozen=True)
class LockRequest:
    """A client asks the holder for the lock, and waits."""

    uid: str
    #: What would be locked.
    environment: bool
    queue: bool
    #: Who asks, and what for.
    user: str
    note: str
    time: datetime
    #: Seconds of the lease that the lock would have; None for none.
    lease: float | None
    #: Until when the request waits.
    end_time: datetime

    @classmethod
    def from_proto(cls, proto: lock_pb2.LockRequest) -> LockRequest:
        """From the contract."""
        return cls(
            uid=proto.lock_request_uid,
            environment=proto.environment,
            queue=proto.queue,
            user=proto.user,
            note=proto.note,
            time=to_datetime(proto.time),
            lease=proto.lease.ToTimedelta().total_seconds() if proto.HasField("lease") else None,
            end_time=to_datetime(proto.end_time),
        )


@dataclass(frozen=True)
class LockInfo:
    """What is locked, and by whom."""

    environment: bool = False
    queue: bool = False
    #: Who locked, and what for; empty if nothing is locked.
    user: str = ""
    note: str = ""
    #: Since when; None if nothing is locked.
    time: datetime | None = None
    #: The server has an emergency key.
    emergency_lock_key_set: bool = False
    #: Seconds for which the lease lasts after each renewal; None without a lease.
    lease: float | None = None
    #: When the lease ends unless it is renewed.
    lease_end_time: datetime | None = None
    #: Who asks for the lock; None if there is no request.
    request: LockRequest | None = None

    @classmethod
    def from_proto(cls, proto: lock_pb2.LockInfo) -> LockInfo:
        """From the contract."""
        return replace(
            cls.from_refusal(proto),
            lease=proto.lease.ToTimedelta().total_seconds() if proto.HasField("lease") else None,
            request=LockRequest.from_proto(proto.request) if proto.HasField("request") else None,
        )

    @classmethod
    def from_refusal(cls, proto: error_details_pb2.LockHeld | lock_pb2.LockInfo) -> LockInfo:
        """From what a refusal says about the lock that blocks the call, which is less than is known of it."""
        return cls(
            environment=proto.environment,
            queue=proto.queue,
            user=proto.user,
            note=proto.note,
            time=to_datetime(proto.time) if proto.HasField("time") else None,
            emergency_lock_key_set=proto.emergency_lock_key_set,
            lease_end_time=to_datetime(proto.lease_end_time) if proto.HasField("lease_end_time") else None,
        )

    @property
    def is_locked(self) -> bool:
        """Whether anything is locked."""
        return self.environment or self.queue


#: What a server that knows no lock reports.
NOT_LOCKED = LockInfo()
