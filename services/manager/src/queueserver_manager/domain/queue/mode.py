"""How the queue treats items that have ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class InterruptedPolicy(Enum):
    """What happens to an item that was interrupted; the value is its word in storage and on the command line."""

    #: A new attempt is at the head of the queue.
    REQUEUE = "requeue"
    #: The same, and the queue does not start until a person has decided about it.
    HOLD = "hold"
    #: There is no new attempt.
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class QueueMode:
    """See QueueMode in the contract."""

    loop: bool = False
    ignore_failures: bool = False
    interrupted: InterruptedPolicy = InterruptedPolicy.REQUEUE
