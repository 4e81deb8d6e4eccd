"""`qserver environment …`. Each command answers when it is accepted, or with ``--wait`` when it is done."""

from __future__ import annotations

import asyncio

from queueserver_client import Environment

from queueserver_cli.outcome import DONE, Answer
from queueserver_cli.session import Session


async def open_(session: Session) -> Answer:
    """`environment open`."""
    progress = _Progress(session)
    try:
        return _done(await session.client.environment.open(wait=session.wait, on_progress=progress.show))
    except asyncio.CancelledError:
        if progress.was_shown:
            session.printer.note("The environment goes on opening. End that: qserver environment destroy")
        raise


async def close(session: Session) -> Answer:
    """`environment close`."""
    return _done(await session.client.environment.close(wait=session.wait))


async def destroy(session: Session) -> Answer:
    """`environment destroy`."""
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
