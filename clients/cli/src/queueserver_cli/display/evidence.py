"""What people see on standard error while a command waits: what happens, and what to do about it.

Standard output has only the answer, so that scripts can read it. With ``--json`` nothing is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from queueserver_client import ManagerState, QueueServerError, Status

from queueserver_cli.refusal import is_communication_failure
from queueserver_cli.session import Session
from queueserver_cli.words.storage_words import storage_words
from queueserver_cli.words.waiting_words import waiting_words

_END_IT = "end the plan instead: qserver re abort now; if that has no effect: qserver environment destroy"


class Evidence:
    """Shows what happens, each thing once."""

    def __init__(self, session: Session, *, pauses_at_once: bool = False) -> None:
        self._printer = session.printer
        #: Advice for a pause that does not take effect; a user who asked for an immediate one does not get it.
        self._sooner = _END_IT if pauses_at_once else "at once: qserver re pause immediate"
        self._shown: frozenset[str] = frozenset()
        self._was_paused = False

    def say(self, text: str) -> None:
        """Show a line with the time of day."""
        self._printer.note(text, timed=True)

    def interrupted(self, error: QueueServerError) -> None:
        """Show that the connection broke and is being made again."""
        self.say(f"{error.message} Trying again.")

    def take(self, status: Status) -> None:
        """Show what now keeps the plan from continuing and did not before."""
        environment = status.environment
        lines = [*waiting_words(environment, with_progress=False), *storage_words(status)]
        if not environment.responsive:
            lines.append("the environment does not respond (if it stays like that: qserver environment destroy)")
        if status.pause_pending:
            lines.append(f"a pause was requested and has not taken effect yet ({self._sooner})")
        paused = status.manager_state is ManagerState.PAUSED
        if paused:
            lines.append("the plan is paused (continue it: qserver re resume)")
        elif self._was_paused and status.manager_state is ManagerState.EXECUTING_QUEUE:
            self.say("the plan continues")
        self._was_paused = paused
        for line in lines:
            if line not in self._shown:
                self.say(line)
        self._shown = frozenset(lines)

    @contextlib.contextmanager
    def while_waiting(self, what_continues: str, how_to_follow: str) -> Iterator[None]:
        """Say what continues, and how to follow it, when the waiting ends before it does."""
        try:
            yield
        except asyncio.CancelledError:
            self.say(f"{what_continues} {how_to_follow}")
            raise
        except QueueServerError as error:
            if is_communication_failure(error):
                self.say(f"What happens is not known from here. When the server is back: {how_to_follow}")
            raise
