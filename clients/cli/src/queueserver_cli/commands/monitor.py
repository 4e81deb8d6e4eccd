"""`qserver monitor`: the status, and each change of it, until Ctrl-C. Nothing is polled."""

from __future__ import annotations

import asyncio
import math

from queueserver_client import EventKind, QueueServerError, Snapshot, Status, StatusChanged

from queueserver_cli.outcome import Answer, ExitCode
from queueserver_cli.process import tell_full_output
from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import status_dict


async def monitor(session: Session) -> ExitCode | None:
    """`monitor`."""

    def interrupted(error: QueueServerError) -> None:
        session.printer.note(f"{error.message} Trying again.", timed=True)

    session.printer.note("Running QServer monitor. Press Ctrl-C to exit ...")
    watch = session.client.watch([EventKind.STATUS], reconnect_timeout=math.inf, on_interruption=interrupted)
    try:
        async with watch as events:
            async for event in events:
                status = _status(event)
                if status is not None:
                    session.printer.answer(Answer(status_dict(status)))
    except asyncio.CancelledError:
        pass  # Ctrl-C is how it ends
    except OSError as error:
        tell_full_output(error)
        return ExitCode.REFUSED
    return None


def _status(event: object) -> Status | None:
    return event.status if isinstance(event, (Snapshot, StatusChanged)) else None
