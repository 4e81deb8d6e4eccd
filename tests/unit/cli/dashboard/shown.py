"""What the screen of `qserver watch` shows, without a terminal."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta, timezone

from queueserver_cli.dashboard.link import Link
from queueserver_cli.dashboard.look import Look
from queueserver_cli.dashboard.picture import picture
from queueserver_cli.dashboard.state import State
from queueserver_client import Event, EventKind, Snapshot
from rich.text import Text

NOW = datetime(2026, 11, 30, 9, 21, 4, tzinfo=timezone.utc)
ADDRESS = "127.0.0.1:60630"
EVERYTHING = frozenset(EventKind) - {EventKind.UNSPECIFIED}


class Shown:
    """A dashboard whose clock is moved by the test."""

    def __init__(self, kinds: Collection[EventKind] = EVERYTHING, *, unicode: bool = True) -> None:
        self.now = NOW
        self.link = Link(ADDRESS, NOW)
        self.state = State(self.link, kinds)
        self._look = Look(unicode=unicode)

    def show(self, *changes: Event | Snapshot) -> Shown:
        """The server tells something."""
        for change in changes:
            self.link.alive(self.now)
            self.state.apply(change, self.now)
        return self

    def wait(self, seconds: float) -> Shown:
        """Time passes."""
        self.now += timedelta(seconds=seconds)
        return self

    def lines(self, width: int = 120, height: int = 40) -> list[Text]:
        """The screen, with styles."""
        return picture(self.state, self._look, width, height, self.now)

    def text(self, width: int = 120, height: int = 40) -> str:
        """The screen, as characters."""
        return "\n".join(line.plain for line in self.lines(width, height))
