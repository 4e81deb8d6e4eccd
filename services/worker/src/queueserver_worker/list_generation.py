"""Making the list of plans and devices from startup code, without a server.

The startup code is loaded by a separate process, so whatever it does ends there. Guarantees: the list is
complete afterwards, or it is as it was before and the reason is raised.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from queueserver.common.v1 import console_pb2
from queueserver.common.v1.inventory_pb2 import INVENTORY_ISSUE_KIND_PLAN, Inventory
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment
from queueserver_process.atomic_file import write_atomically
from queueserver_process.interpreter import Interpreter

from queueserver_worker.environment_command import LISTING, EnvironmentCommand, environment_command
from queueserver_worker.startup_options import StartupOptions
from queueserver_worker.supervisor.inventory.docstrings import Docstrings
from queueserver_worker.supervisor.inventory.list_file import list_text
from queueserver_worker.supervisor.process.process import EnvironmentProcess


class ListGenerationError(RuntimeError):
    """There is no new list; the message says why and what to do."""


def generate_list(
    startup: StartupOptions, file: Path, *, python: Interpreter | None = None, ignore_invalid_plans: bool = False
) -> None:
    """Load startup code on an interpreter, ours if none is given, and list its plans and devices in a file.

    An existing file is replaced. With ``ignore_invalid_plans`` plans that can't be described are left out, without it
    they are a failure. What the startup code prints is printed. Raises ListGenerationError.
    """
    if not file.parent.is_dir():
        raise ListGenerationError(f"There is no directory {file.parent}: create it, or name another one.")
    listing = asyncio.run(_load(startup, environment_command(python, LISTING)))
    inventory = listing.result()
    left_out = [issue.message for issue in inventory.issues if issue.kind == INVENTORY_ISSUE_KIND_PLAN]
    if left_out and not ignore_invalid_plans:
        raise ListGenerationError(" ".join(left_out))
    try:
        write_atomically(file, list_text(inventory))
    except OSError as error:
        raise ListGenerationError(
            f"The list can't be written to {file} ({error.strerror}): correct its permissions, or name another file."
        ) from error


async def _load(startup: StartupOptions, command: EnvironmentCommand) -> _Listing:
    """Run the process to its end."""
    listing = _Listing()
    try:
        process = EnvironmentProcess(command, startup.arguments, listing)
    except OSError as error:
        raise ListGenerationError(f"The process that loads the startup code could not be started: {error}.") from error
    try:
        await listing.over.wait()
    finally:
        process.kill()
    return listing


class _Listing:
    """Listens to the process."""

    def __init__(self) -> None:
        #: It has ended, or what it says can't be understood.
        self.over = asyncio.Event()
        self._inventory: Inventory | None = None
        self._problem = ""

    def result(self) -> Inventory:
        """What it has reported. Raises ListGenerationError."""
        if self._problem or self._inventory is None:
            raise ListGenerationError(
                self._problem or "The startup code ended the process: remove the call of os._exit."
            )
        return self._inventory

    def is_report(self, frame: FromEnvironment) -> bool:
        """Whether a frame is the report."""
        return frame.HasField("ready")

    def complete(self, frame: FromEnvironment) -> None:
        """Read its docstrings."""
        Docstrings().describe(frame.ready.inventory, frame.ready.docstrings)

    def frame_received(self, frame: FromEnvironment) -> None:
        """Take the report."""
        if frame.HasField("failed"):
            self._problem = frame.failed.message
        elif frame.HasField("ready"):
            self._inventory = frame.ready.inventory

    def text_received(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        """Print what it prints."""
        is_error = stream == console_pb2.CONSOLE_STREAM_STDERR
        print(text, end="", file=sys.stderr if is_error else sys.stdout, flush=True)

    def channel_closed(self) -> None:
        """It will end."""

    def channel_broken(self, problem: str) -> None:
        """Do without it."""
        self._problem = f"The process that loads the startup code {problem}."
        self.over.set()

    def process_ended(self, returncode: int) -> None:
        """It has ended."""
        if returncode and not self._problem:
            how = f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
            self._problem = f"The process that loads the startup code ended early ({how})."
        self.over.set()
