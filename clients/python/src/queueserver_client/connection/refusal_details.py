"""Content of a refusal, decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc

from queueserver_client.models.lock import LockInfo
from queueserver_client.models.status import ManagerState
from queueserver_client.violations import Violation


@dataclass(frozen=True)
class RefusedItem:
    """One refused item of a batch."""

    #: Index in the batch, from 0.
    index: int
    #: Stable reason, as it would be had the item been sent alone; "ITEM_REPEATED" for one that was named before.
    reason: str
    #: One sentence that names the way out.
    message: str
    violations: Sequence[Violation] = ()


@dataclass(frozen=True)
class Refusal:
    """All that is known about a refusal. What the server did not say is empty."""

    code: grpc.StatusCode
    #: Stable reason for programs. Empty if the answer did not come from a Queue Server.
    reason: str
    #: One sentence for people.
    message: str
    violations: Sequence[Violation] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    #: Seconds after which a retry may help; None if it never does by itself.
    retry_after: float | None = None
    #: Typed details as they came, Protobuf messages of type google.protobuf.Any.
    details: Sequence[Any] = ()
    state: ManagerState = ManagerState.UNSPECIFIED
    allowed_states: Sequence[ManagerState] = ()
    refused_items: Sequence[RefusedItem] = ()
    owner_address: str = ""
    #: The lock that blocks the call; None if the refusal has another reason.
    lock: LockInfo | None = None
