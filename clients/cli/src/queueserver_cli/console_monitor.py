"""`qserver-console-monitor`: what startup code, plans and tasks print, as it is printed, and what people do.

The latter are lines of the Manager's log, as the terminal of the server shows them. It may be started before the
server, and continues when the server comes back; several may run. What was printed while it did not run is not shown.
The text is shown unchanged, with colours and all on which a terminal acts.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import click
from queueserver_client import (
    AsyncClient,
    ConsoleStream,
    ConsoleText,
    ConsoleWritten,
    EventKind,
    EventsLost,
    QueueServerError,
    Snapshot,
)

from queueserver_cli.address import ADDRESS, ENCODING, OUTPUT, server_address, tell_forgotten
from queueserver_cli.command_line.options import version_option
from queueserver_cli.outcome import ExitCode, WrongCommand
from queueserver_cli.process import cancel_at_interrupt, output_is_gone, tell, tell_full_output

_HELP = """Show what startup code, plans and tasks print, as it is printed, and the server's log of what people do.

It runs until Ctrl-C, may be started before the server, and continues when the server comes back. The rest of the log,
for example why the server does not start, is in the terminal of the server.
"""


def program() -> click.Command:
    """The program for click."""
    former = [option.click(hidden=True) for option in (*OUTPUT.options, ENCODING)]
    return click.Command(
        "qserver-console-monitor",
        callback=_run,
        params=[ADDRESS.click(), version_option(), *former],
        context_settings={"help_option_names": ["-h", "--help"]},
        help=_HELP,
        epilog="Exit codes: 0 ended with Ctrl-C; 1 wrong options; 2 the output can't be written; 3 there is "
        "something else at the address.",
    )


def _run(**options: Any) -> ExitCode:
    try:
        address = server_address(options, OUTPUT, os.environ, _note)
        tell_forgotten(options, os.environ, _note)
        client = AsyncClient(address)
    except (WrongCommand, ValueError) as error:
        _note(f"{error} See: qserver-console-monitor -h")
        return ExitCode.WRONG_COMMAND
    try:
        return asyncio.run(_monitor(client))
    except BrokenPipeError:
        output_is_gone()
        return ExitCode.SUCCESS


async def _monitor(client: AsyncClient) -> ExitCode:
    cancel_at_interrupt()
    try:
        async with client:
            await _follow(client)
    except asyncio.CancelledError:
        return ExitCode.SUCCESS  # Ctrl-C is how it ends
    except QueueServerError as error:
        _note(error.message)
    return ExitCode.COMMUNICATION


async def _follow(client: AsyncClient) -> None:
    """Print texts as they come, until the watch ends with an error."""
    output = _Output(everything=not await _is_there(client))
    watch = client.watch(
        [EventKind.CONSOLE],
        reconnect_timeout=math.inf,
        wait_for_server=True,
        on_interruption=lambda error: _note(f"{error.message} Waiting for it."),
    )
    async with watch as events:
        async for event in events:
            if isinstance(event, Snapshot):
                _note(f"Showing the output of {client.address}; Ctrl-C ends it.")
                output.catch_up(event.console)
            elif isinstance(event, ConsoleWritten):
                output.write(event.console)
            elif isinstance(event, EventsLost):
                _note("Some output is missing here.")


async def _is_there(client: AsyncClient) -> bool:
    try:
        await client.status()
    except QueueServerError as error:
        _note(f"{error.message} Waiting for it.")
        return False
    return True


class _Output:
    """Standard output, and the time up to which it has what was printed."""

    def __init__(self, *, everything: bool) -> None:
        #: What was printed before is not shown, unless the server started after us: then all of it is news.
        self._shows_old = everything
        #: By whether it is the log: the time of what is printed is that at which the Worker has read it.
        self._until = dict.fromkeys((False, True), datetime.fromtimestamp(0, timezone.utc))

    def catch_up(self, texts: Iterable[ConsoleText]) -> None:
        """Show those texts kept by the server that are news."""
        for text in texts:
            if self._shows_old and text.time > self._until[_is_log(text)]:
                self.write(text)
            self._note_time(text)
        self._shows_old = True

    def write(self, text: ConsoleText) -> None:
        """Show a text, unchanged."""
        self._note_time(text)
        sys.stdout.write(text.text)
        sys.stdout.flush()

    def _note_time(self, text: ConsoleText) -> None:
        self._until[_is_log(text)] = max(self._until[_is_log(text)], text.time)


def _is_log(text: ConsoleText) -> bool:
    return text.stream is ConsoleStream.MANAGER


def _note(text: str) -> None:
    tell(text)


def main() -> None:
    """Run `qserver-console-monitor` and exit."""
    try:
        code = program().main(prog_name="qserver-console-monitor", standalone_mode=False)
    except click.UsageError as error:
        _note(f"{error.format_message()} See: qserver-console-monitor -h")
        code = ExitCode.WRONG_COMMAND
    except (KeyboardInterrupt, click.Abort):
        code = ExitCode.SUCCESS
    except OSError as error:
        tell_full_output(error)
        code = ExitCode.REFUSED
    sys.exit(int(code or 0))
