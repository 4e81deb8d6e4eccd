"""`qserver status`."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_cli.command import Action
from queueserver_cli.outcome import Answer
from queueserver_cli.places import nothing_more
from queueserver_cli.session import Session
from queueserver_cli.vocabulary import status_dict


def status(words: Sequence[str]) -> Action:
    """`status`."""
    nothing_more(words)
    return _status


async def _status(session: Session) -> Answer:
    return Answer(status_dict(await session.client.status()))
