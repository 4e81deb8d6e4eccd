"""`qserver environment …`. Each command answers when it is accepted, or with ``--wait`` when it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from queueserver_client import Environment

from queueserver_cli.command import Action
from queueserver_cli.outcome import DONE, Answer
from queueserver_cli.places import nothing_more
from queueserver_cli.session import Session


def open_(words: Sequence[str]) -> Action:
    """`environment open`."""
    nothing_more(words)
    return _open


def close(words: Sequence[str]) -> Action:
    """`environment close`."""
    nothing_more(words)
    return _close


def destroy(words: Sequence[str]) -> Action:
    """`environment destroy`."""
    nothing_more(words)
    return _destroy


async def _open(session: Session) -> Answer:
    progress = _Progress(session)
    try:
        return _done(await session.client.environment.open(wait=session.wait, on_progress=progress.show))
    except asyncio.CancelledError:
        if progress.was_shown:
            session.printer.note("The environment goes on opening. End that: qserver environment destroy")
        raise


async def _close(session: Session) -> Answer:
    return _done(await session.client.environment.close(wait=session.wait))


async def _destroy(session: Session) -> Answer:
    return _done(await session.client.environment.destroy(wait=session.wait))


def _done(environment: Environment) -> Answer:
    details = {"environment_id": environment.environment_id, "environment_state": environment.state.value}
    return Answer(DONE.body, details)


class _Progress:
    """Prints what the environment does while it opens, each thing once."""

    def __init__(self, session: Session) -> None:
        self._printer = session.printer
        self._last = ""

    @property
    def was_shown(self) -> bool:
        """Whether the server has begun."""
        return bool(self._last)

    def show(self, environment: Environment) -> None:
        """Print the progress if it is news."""
        if environment.progress and environment.progress != self._last:
            self._last = environment.progress
            self._printer.note(environment.progress, timed=True)
