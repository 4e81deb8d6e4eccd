"""A watch for programs: one JSON object for each event, one on a line."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from queueserver_client import Event, Snapshot

from queueserver_cli.event_words import event_name
from queueserver_cli.printer import Printer
from queueserver_cli.vocabulary import plain


class JsonDisplay:
    """Writes events under the names of the contract. Notices about the connection are not events and left out."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer

    def show(self, event: Event | Snapshot) -> None:
        """Write one line."""
        name = "snapshot" if isinstance(event, Snapshot) else event_name(event)
        content: dict[str, Any] = {"event": name}
        for field in fields(event):
            content[field.name] = plain(getattr(event, field.name))
        self._printer.document(content)

    def notice(self, text: str) -> None:
        """Nothing: only events are written."""

    def end(self, resume_token: str) -> None:
        """Write the token with which to go on, as the last line."""
        if resume_token:
            self._printer.document({"event": "watch_ended", "resume_token": resume_token})

    def close(self) -> None:
        """Nothing to be left behind."""
