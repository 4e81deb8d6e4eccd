"""`qserver watch`: what happens, as it happens, until Ctrl-C."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from queueserver_client import Event, EventKind, QueueServerError, Snapshot

from queueserver_cli.command_line.command import CommandBody
from queueserver_cli.outcome import ExitCode, WrongCommand
from queueserver_cli.process import tell_full_output
from queueserver_cli.session import Session

_KINDS = {kind.value: kind for kind in EventKind if kind is not EventKind.UNSPECIFIED}
_SYNONYMS = {"documents": EventKind.DOCUMENT}
#: Terminals that only accept one line after another.
_SIMPLE_TERMINALS = {"", "dumb", "unknown"}


class Display(Protocol):
    """Shows events, one after another, and whether the server is there."""

    def show(self, event: Event | Snapshot) -> None:
        """Show an event."""

    def alive(self) -> None:
        """The server has sent something, even if there is no news."""

    def lost(self, error: QueueServerError) -> None:
        """The connection is gone; it will be resumed."""

    def end(self, resume_token: str) -> None:
        """Show, where useful, the token with which another watch can continue; empty if there is none."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def watch(words: Sequence[str]) -> CommandBody:
    """`watch [KIND …]`, with `--resume TOKEN` from where an earlier one ended."""
    known = _KINDS | _SYNONYMS
    for word in words:
        if word not in known:
            raise WrongCommand(f"{word!r} is not a kind of event. Kinds are: {', '.join(_KINDS)}.")
    kinds = [known[word] for word in words] or list(_KINDS.values())

    async def action(session: Session) -> ExitCode | None:
        display = _display(session, kinds)
        try:
            await _follow(session, kinds, display)
        except asyncio.CancelledError:
            return None  # Ctrl-C is how a watch ends
        except OSError as error:
            tell_full_output(error)
            return ExitCode.REFUSED
        finally:
            display.close()
        return None

    return action


async def _follow(session: Session, kinds: Sequence[EventKind], display: Display) -> None:
    """A server that was there once is waited for until Ctrl-C: a user who watches wants to see it come back."""
    watching = session.client.watch(
        kinds,
        resume_token=session.resume,
        reconnect_timeout=math.inf,
        on_interruption=display.lost,
        on_sign_of_life=display.alive,
    )
    async with watching as events:
        try:
            async for event in events:
                display.show(event)
        finally:
            display.end(events.resume_token)


def _display(session: Session, kinds: Sequence[EventKind]) -> Display:
    """The display for the kind of output. Only for a terminal, rich is imported."""
    if session.printer.as_json:
        from queueserver_cli.display.json_display import JsonDisplay  # noqa: PLC0415

        return JsonDisplay(session.printer)
    # A watch that continues from a token reports changes, not the state to which they belong.
    if _has_screen() and not session.resume:
        from queueserver_cli.dashboard.display import Dashboard  # noqa: PLC0415

        return Dashboard(session.client.address, kinds)
    from queueserver_cli.display.line_display import LineDisplay  # noqa: PLC0415

    return LineDisplay(session.printer)


def _has_screen() -> bool:
    simple = sys.platform == "win32" or os.environ.get("TERM", "") in _SIMPLE_TERMINALS
    return sys.stdout.isatty() and not simple
