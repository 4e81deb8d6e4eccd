"""What an item or a task printed, as far as it is kept: an excerpt with its result, and recent text of everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_client import ConsoleStream, ConsoleText, EventKind, Snapshot

from queueserver_cli.session import Session

_EXCERPT = "at most the last 2,000 characters are kept with a result"
_RECENT = "the server keeps only the newest of all printed text"


@dataclass(frozen=True)
class PrintedText:
    """Some text and how much of it that is."""

    text: str
    #: Nothing is missing at its beginning.
    is_whole: bool
    #: Why something may be missing; empty if nothing is.
    note: str = ""


async def printed_by(session: Session, uid: str, excerpt: str | None) -> PrintedText:
    """What an item or a task printed.

    Args:
        session: The run of the command.
        uid: The item or the task.
        excerpt: The part of it in its result; None while it runs.
    """
    async with session.client.watch([EventKind.CONSOLE]) as watch:
        snapshot = await anext(watch)
    recent = snapshot.console if isinstance(snapshot, Snapshot) else ()
    return put_together(uid, excerpt, recent)


def put_together(uid: str, excerpt: str | None, recent: Sequence[ConsoleText]) -> PrintedText:
    """The longer one of what is known: the excerpt, or what is left of it in the recent text."""
    recent = [piece for piece in recent if piece.stream is not ConsoleStream.MANAGER]
    pieces = [piece for piece in recent if _writer(piece) == uid]
    # Text printed before it is still there, so nothing of its own is gone.
    is_whole = bool(pieces) and recent[0] is not pieces[0]
    text = "".join(piece.text for piece in pieces)
    if excerpt is None:
        return PrintedText(text, is_whole, "" if is_whole or not text else f"The beginning may be missing: {_RECENT}.")
    if text.endswith(excerpt) and (is_whole or len(text) > len(excerpt)):
        return PrintedText(text, is_whole, "" if is_whole else f"The beginning may be missing: {_RECENT}.")
    return PrintedText(excerpt, False, f"This is the end of it: {_EXCERPT}." if excerpt else "")


def _writer(piece: ConsoleText) -> str:
    return piece.task_uid or piece.item_uid
