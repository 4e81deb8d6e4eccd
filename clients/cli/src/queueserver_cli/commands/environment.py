"""`qserver environment …`. Each command returns when it is accepted, or with ``--wait`` when it is done."""

from __future__ import annotations

import asyncio
import contextlib

from queueserver_client import Environment, InvalidState, ManagerState, QueueServerError

from queueserver_cli.outcome import DONE, Answer
from queueserver_cli.session import Session

#: At most this many left-out names are shown.
_MOST_NAMES = 5


async def open_(session: Session) -> Answer:
    """`environment open`."""
    progress = _Progress(session)
    environment = session.client.environment
    try:
        try:
            opened, msg = await environment.open(wait=session.wait, on_progress=progress.show), ""
        except InvalidState as error:
            if not _joins(session, error, ManagerState.CREATING_ENVIRONMENT, "opened"):
                raise
            opened = await environment.open(exist_ok=True, on_progress=progress.show)
            msg = "The environment was being opened already, and is open now."
    except asyncio.CancelledError:
        if progress.was_shown:
            session.printer.note("The environment continues to open. End that: qserver environment destroy")
        raise
    if session.wait:
        await _tell_what_was_left_out(session)
    return _done(opened, msg)


async def _tell_what_was_left_out(session: Session) -> None:
    """The environment is open in any case; a user of what is missing learns where to find the reason."""
    with contextlib.suppress(QueueServerError):
        issues = await session.client.inventory.issues()
        if issues:
            names = ", ".join(issue.name for issue in issues[:_MOST_NAMES])
            more = f" and {len(issues) - _MOST_NAMES} more" if len(issues) > _MOST_NAMES else ""
            told = f"Left out of the startup code: {names}{more}. Why: qserver environment report"
            session.printer.note(told, timed=True, colour="yellow")


async def close(session: Session) -> Answer:
    """`environment close`."""
    try:
        return _done(await session.client.environment.close(wait=session.wait))
    except InvalidState as error:
        if not _joins(session, error, ManagerState.CLOSING_ENVIRONMENT, "closed"):
            raise
    return _done(await session.client.environment.wait(), "The environment was being closed already.")


def _joins(session: Session, error: InvalidState, state: ManagerState, done: str) -> bool:
    """Whether the refusal means that the awaited operation was started before; say so then."""
    if not session.wait or error.state is not state:
        return False
    session.printer.note(f"The environment is being {done} already: waiting for that.", timed=True)
    return True


async def destroy(session: Session) -> Answer:
    """`environment destroy`."""
    return _done(await session.client.environment.destroy(wait=session.wait))


def _done(environment: Environment, msg: str = "") -> Answer:
    details = {"environment_id": environment.environment_id, "environment_state": environment.state.value}
    return Answer({**DONE.body, "msg": msg}, details)


class _Progress:
    """Prints what the environment does while it opens, each thing once."""

    def __init__(self, session: Session) -> None:
        self._printer = session.printer
        self._last = ""

    @property
    def was_shown(self) -> bool:
        """Whether the server has started."""
        return bool(self._last)

    def show(self, environment: Environment) -> None:
        """Print the progress if it is news."""
        if environment.progress and environment.progress != self._last:
            self._last = environment.progress
            self._printer.note(environment.progress, timed=True)
