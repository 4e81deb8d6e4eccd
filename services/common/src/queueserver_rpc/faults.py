"""What is wrong with the form of a request, found before any handler sees it."""

from __future__ import annotations

from dataclasses import dataclass

from queueserver_rpc.reasons import Reason, refused
from queueserver_rpc.status import Refusal, Violation


@dataclass(frozen=True, slots=True)
class RequestFault:
    """One wrong field (or the whole request, if ``field`` is empty), and why it is refused."""

    reason: Reason
    field: str
    description: str

    def refusal(self) -> Refusal:
        """What the client is told."""
        subject = self.field or "The request"
        return refused(
            self.reason,
            f"{subject} {self.description}.",
            violations=[Violation(self.field, self.description)],
        )
