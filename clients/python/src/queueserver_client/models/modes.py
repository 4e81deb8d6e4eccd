"""How the queue treats items that have ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_client.models.wire_enum import WireEnum

if TYPE_CHECKING:
    from queueserver.manager.v1 import queue_pb2


class InterruptedPolicy(WireEnum):
    """What happens to an item that was aborted or halted, or whose environment was destroyed or died."""

    UNSPECIFIED = "unspecified"
    #: A new attempt is at the head of the queue.
    REQUEUE = "requeue"
    #: As REQUEUE, but held: the queue does not start until a person updates, moves or removes the item.
    HOLD = "hold"
    #: There is no new attempt.
    DROP = "drop"


@dataclass(frozen=True)
class QueueMode:
    """How the queue treats items that have ended."""

    #: An item that was completed or stopped goes to the back of the queue as a new item.
    loop: bool = False
    #: The queue continues after a plan that failed by itself, and the plan is not put back.
    ignore_failures: bool = False
    interrupted: InterruptedPolicy = InterruptedPolicy.UNSPECIFIED

    @classmethod
    def from_proto(cls, proto: queue_pb2.QueueMode) -> QueueMode:
        """Read the message of the contract."""
        return cls(proto.loop, proto.ignore_failures, InterruptedPolicy.from_number(proto.interrupted))
