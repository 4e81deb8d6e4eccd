"""The dashboard: takes events, and draws at intervals, however many there are."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Collection
from datetime import datetime, timezone

import click
from queueserver_client import Event, EventKind, QueueServerError, Snapshot

from queueserver_cli.dashboard.link import QUIET_SECONDS, Link, Standing
from queueserver_cli.dashboard.look import Look, unicode_is_shown
from queueserver_cli.dashboard.picture import picture
from queueserver_cli.dashboard.screen import Screen
from queueserver_cli.dashboard.state import State
from queueserver_cli.display.terminal_text import visible_lines

#: Handled while the dashboard has the screen.
_SIGNALS = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP)
#: Seconds between two drawings at least; if drawing takes long, this many times as long.
_REST_SECONDS = 0.2
_REST_FACTOR = 10
#: While something is running, its clocks are drawn this often.
_CLOCK_SECONDS = 1.0


class Dashboard:
    """To be used inside a running event loop. It has the screen from the first event until `close`."""

    def __init__(self, address: str, kinds: Collection[EventKind]) -> None:
        self._state = State(Link(address, _now()), kinds)
        self._look = Look(unicode=unicode_is_shown(os.environ, sys.stdout.encoding))
        self._screen = Screen(sys.stdout.fileno(), sys.stdin.fileno() if sys.stdin is not None else -1)
        self._loop = asyncio.get_running_loop()
        self._watching = asyncio.current_task()
        self._due: asyncio.TimerHandle | None = None
        self._failure: Exception | None = None
        #: When the last drawing ended, and how long it took, by the loop's clock.
        self._drawn_at, self._took = 0.0, 0.0
        self._begun = False

    def show(self, event: Event | Snapshot) -> None:
        """Take an event; the screen follows soon."""
        now = _now()
        # A large snapshot takes its time here: that is not the server's silence.
        self._state.link.alive(now)
        self._state.apply(event, now)
        if not self._begun:
            self._begin()
        self._draw_soon()

    def alive(self) -> None:
        """The server has sent something."""
        was = self._state.link.standing(now := _now())
        self._state.link.alive(now)
        if self._begun and was is not Standing.CONNECTED:
            self._draw_soon()

    def lost(self, error: QueueServerError) -> None:
        """The connection is gone and will be resumed."""
        self._state.link.lost(error.message)
        if self._begun:
            self._draw_soon()
        else:
            click.echo(visible_lines(f"{error.message} Trying again."), err=True)

    def end(self, resume_token: str) -> None:
        """Nothing: a token is for programs."""

    def close(self) -> None:
        """Return the terminal. Raises errors of drawing."""
        if self._due is not None:
            self._due.cancel()
        if self._begun:
            for number in _SIGNALS:
                self._loop.remove_signal_handler(number)
            self._screen.give_back()
        if self._failure is not None:
            raise self._failure

    def _begin(self) -> None:
        self._begun = True
        self._loop.add_signal_handler(signal.SIGWINCH, self._redraw)
        self._loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._loop.add_signal_handler(number, self._end_by, number)
        self._screen.take()

    def _redraw(self) -> None:
        self._screen.forget()
        self._draw_soon()

    def _suspend(self) -> None:
        """Ctrl-Z: the shell gets its terminal as it was, until `fg`."""
        self._screen.give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._screen.take()
        self._redraw()

    def _end_by(self, number: signal.Signals) -> None:
        """Another program ends this one, which would leave its screen behind."""
        self._screen.give_back()
        self._loop.remove_signal_handler(number)
        os.kill(os.getpid(), number)

    def _draw_soon(self) -> None:
        rest = max(_REST_SECONDS, _REST_FACTOR * self._took)
        self._draw_at(max(self._drawn_at + rest, self._loop.time()))

    def _draw_at(self, when: float) -> None:
        if self._due is not None:
            if self._due.when() <= when:
                return
            self._due.cancel()
        self._due = self._loop.call_at(when, self._draw)

    def _draw(self) -> None:
        self._due = None
        begin = time.perf_counter()
        try:
            if self._screen.accepts():
                columns, lines = self._screen.size
                self._screen.draw(picture(self._state, self._look, columns, lines, _now()))
        except Exception as error:  # noqa: BLE001 - the terminal is given back first, then it is raised by close()
            self._failure = error
            if self._watching is not None:
                self._watching.cancel()
            return
        self._took = time.perf_counter() - begin
        self._drawn_at = self._loop.time()
        self._draw_at(self._drawn_at + self._until_next())

    def _until_next(self) -> float:
        """Seconds until the picture changes by itself."""
        link, now = self._state.link, _now()
        goes_on = self._state.view.running is not None or self._state.notice is not None
        if goes_on or link.standing(now) is not Standing.CONNECTED:
            return _CLOCK_SECONDS
        return max(QUIET_SECONDS - link.silence(now), 0.0) + _CLOCK_SECONDS


def _now() -> datetime:
    return datetime.now(timezone.utc)
