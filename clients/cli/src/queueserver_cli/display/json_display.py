"""A watch for programs: one JSON object for each event, one on a line."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

from queueserver_client import Event, QueueServerError, Snapshot

from queueserver_cli.display.printer import Printer
from queueserver_cli.words.event_words import event_name
from queueserver_cli.words.legacy_json import plain


class JsonDisplay:
    """Writes events under the names of the contract.

    Three that are not events of the server have names of their own: `connection_lost`, `connection_restored` and, at
    the end, `watch_ended`.
    """

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._lost = False

    def show(self, event: Event | Snapshot) -> None:
        """Write one line."""
        name = "snapshot" if isinstance(event, Snapshot) else event_name(event)
        content: dict[str, Any] = {"event": name}
        for field in fields(event):
            content[field.name] = plain(getattr(event, field.name))
        self._printer.document(content)

    def alive(self) -> None:
        """Write that the connection stands again, if it was lost."""
        if self._lost:
            self._lost = False
            self._printer.document({"event": "connection_restored", "time": time.time()})

    def lost(self, error: QueueServerError) -> None:
        """Write that the connection is gone, and why."""
        self._lost = True
        self._printer.document(
            {"event": "connection_lost", "time": time.time(), "reason": error.reason, "msg": error.message}
        )

    def end(self, resume_token: str) -> None:
        """Write the token with which to continue, as the last line."""
        if resume_token:
            self._printer.document({"event": "watch_ended", "resume_token": resume_token})

    def close(self) -> None:
        """There is nothing to clean up."""
