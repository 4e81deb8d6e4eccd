"""What clients were told: which items were accepted and which were removed, and what may have been."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Submission:
    """One item that a client submitted."""

    label: str
    client: int
    #: Number in the order of the client's submissions.
    number: int
    #: uid under which it was accepted; None if the client was not told what became of its request.
    uid: str | None = None
    #: The client was told that it is removed.
    removed: bool = False
    #: The client asked for its removal and was not told what became of that.
    perhaps_removed: bool = False
    #: It was moved, or may have been, so nothing is known of its place.
    moved: bool = False


@dataclass
class Told:
    """Everything that the clients of one round were told. Belongs to one event loop."""

    submissions: dict[str, Submission] = field(default_factory=dict)
    #: Requests that were not answered as hoped, by the reason that the server or the client gave.
    refused: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def submit(self, client: int) -> Submission:
        """A new item of a client, about which nothing is known yet."""
        number = sum(one.client == client for one in self.submissions.values())
        submission = Submission(f"c{client}-{number}", client, number)
        self.submissions[submission.label] = submission
        return submission

    def withdraw(self, submission: Submission) -> None:
        """The server refused it: it must never be seen anywhere."""
        del self.submissions[submission.label]
