"""The run of one command against one server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from queueserver_client import AsyncClient, QueueServerError, ValueNotRepresentable

from queueserver_cli import process
from queueserver_cli.command_line.command import CommandBody
from queueserver_cli.display.printer import Printer
from queueserver_cli.outcome import Answer, ExitCode, WrongCommand
from queueserver_cli.refusal import as_answer, is_communication_failure
from queueserver_cli.session import Session

_DOUBT = "Ended before the answer came: the change may or may not have been made. Look at it: qserver status"


def run(action: CommandBody, printer: Printer, options: Mapping[str, Any]) -> ExitCode:
    """Run a command to its end and print its result. Raises ValueError for a wrong user, key or address."""
    client = AsyncClient(
        options["address"],
        user=options["user"],
        user_group=options["user_group"],
        lock_key=options["lock_key"],
        timeout=options["timeout"],
    )
    session = Session(client, printer, options)
    answer = asyncio.run(_run(action, session))
    process.end_at_once()  # asyncio has put something else in its place
    if isinstance(answer, ExitCode):
        return answer
    printer.answer(answer)
    return answer.exit_code


async def _run(action: CommandBody, session: Session) -> Answer | ExitCode:
    process.cancel_at_interrupt()
    try:
        async with session.client:
            return await action(session) or ExitCode.SUCCESS
    except (WrongCommand, ValueNotRepresentable) as error:
        session.printer.wrong_command(str(error))
        return ExitCode.WRONG_COMMAND
    except QueueServerError as error:
        if is_communication_failure(error):
            session.printer.failure(error.message, code=error.code.name, reason=error.reason)
            return ExitCode.COMMUNICATION
        return as_answer(error)
    except asyncio.CancelledError:
        if session.client.unanswered_changes:
            session.printer.note(_DOUBT)
        return ExitCode.INTERRUPTED
