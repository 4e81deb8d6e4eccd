"""`qserver status`."""

from __future__ import annotations

from queueserver_cli.outcome import Answer
from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import status_dict


async def status(session: Session) -> Answer:
    """`status`."""
    return Answer(status_dict(await session.client.status()))
