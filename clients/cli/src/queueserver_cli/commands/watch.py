"""`qserver watch`: what happens, as it happens, until Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Protocol

from queueserver_client import Event, EventKind, QueueServerError, Snapshot

from queueserver_cli.grammar import Action
from queueserver_cli.outcome import Answer, WrongCommand
from queueserver_cli.session import Session

_KINDS = {kind.value: kind for kind in EventKind if kind is not EventKind.UNSPECIFIED}
_SYNONYMS = {"documents": EventKind.DOCUMENT}


class Display(Protocol):
    """Shows events, one after the other."""

    def show(self, event: Event | Snapshot) -> None:
        """Show an event."""

    def notice(self, text: str) -> None:
        """Show something about the connection."""

    def end(self, resume_token: str) -> None:
        """Show, where it is of use, from where another watch can go on; empty if from nowhere."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def watch(words: Sequence[str]) -> Action:
    """`watch [KIND …]`, with `--resume TOKEN` from where an earlier one ended."""
    known = _KINDS | _SYNONYMS
    for word in words:
        if word not in known:
            raise WrongCommand(f"{word!r} is no kind of event. Kinds are: {', '.join(_KINDS)}.")
    kinds = [known[word] for word in words] or list(_KINDS.values())

    async def action(session: Session) -> Answer | None:
        display = _display(session)
        try:
            await _follow(session, kinds, display)
        except asyncio.CancelledError:
            return None  # Ctrl-C is how a watch ends
        finally:
            display.close()
        return None

    return action


async def _follow(session: Session, kinds: Sequence[EventKind], display: Display) -> None:
    def interrupted(error: QueueServerError) -> None:
        display.notice(f"{error.message} Trying again.")

    async with session.client.watch(kinds, resume_token=session.resume, on_interruption=interrupted) as events:
        try:
            async for event in events:
                display.show(event)
        finally:
            display.end(events.resume_token)


def _display(session: Session) -> Display:
    """The display that fits where the output goes. Only a terminal pays for the import of rich."""
    if session.printer.as_json:
        from queueserver_cli.json_display import JsonDisplay  # noqa: PLC0415

        return JsonDisplay(session.printer)
    if sys.stdout.isatty():
        from queueserver_cli.live_display import LiveDisplay  # noqa: PLC0415

        return LiveDisplay()
    from queueserver_cli.line_display import LineDisplay  # noqa: PLC0415

    return LineDisplay(session.printer)
