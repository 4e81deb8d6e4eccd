"""One child process: how it is started, how it says that it is ready, how it ends.

A child runs in a session of its own, so that a Ctrl-C in the terminal reaches only the supervisor. It ends with the
supervisor, however that ends (:mod:`queueserver_process.parent_death`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from async_timeout import timeout
from queueserver_process import parent_death
from queueserver_process.ready import READY_FD_VARIABLE, READY_STEPS_VARIABLE
from queueserver_process.systemd import SYSTEMD_VARIABLES

from queueserver_standalone.configuration.choices import variables
from queueserver_standalone.errors import StandaloneError

#: The address of Redis, for the Manager alone, because it may contain a password. All users of the machine can read
#: command lines, but only the owner of a process can read its environment.
REDIS_VARIABLE = "QSERVER_REDIS_URL"
#: Likewise a key that opens every lock.
EMERGENCY_VARIABLE = "QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER"
_KILL_SECONDS = 10.0
_END_SECONDS = 5.0
_LINE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. ``argv0`` is the name that the process list shows."""

    executable: Path
    argv0: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: Path | None = None
    inherit: Sequence[int] = ()


class Child:
    """A running child process."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        #: Tasks that serve the child for as long as it lives.
        self.attached: asyncio.Task[None] | None = None
        #: The last thing it reported that may be why it ended; empty if it reported nothing of the kind.
        self.last_words = ""

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    @classmethod
    async def start(cls, name: str, command: Command, *, ready_fd: int | None = None, piped: bool = False) -> Child:
        """Start ``command``. With ``piped`` its standard output can be read, otherwise it shares the terminal."""
        # The parts get these settings on their command lines; startup code must not read the secrets among them.
        private = {READY_FD_VARIABLE, READY_STEPS_VARIABLE, *SYSTEMD_VARIABLES, *variables()}
        environment = {name: value for name, value in os.environ.items() if name not in private}
        environment.update(command.environment)
        if ready_fd is not None:
            environment[READY_FD_VARIABLE] = str(ready_fd)
        process = await asyncio.create_subprocess_exec(
            # isolated and without site-packages: it has to start fast
            *(
                sys.executable,
                "-I",
                "-S",
                parent_death.__file__,
                str(os.getpid()),
                str(command.executable),
                command.argv0,
            ),
            *command.arguments,
            env=environment,
            cwd=command.working_directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if piped else None,
            stderr=asyncio.subprocess.STDOUT if piped else None,
            pass_fds=(*command.inherit, *([] if ready_fd is None else [ready_fd])),
            start_new_session=True,
        )
        return cls(name, process)

    async def wait(self) -> str:
        """Wait for the end; returns the reason in words."""
        code = await self.process.wait()
        if self.attached is not None:
            await asyncio.wait([self.attached], timeout=_END_SECONDS)
        return f"{ending(code)}: {self.last_words}" if self.last_words else ending(code)

    async def stop(self, grace: float) -> None:
        """Ask the process to end, and kill it if it has not ended after ``grace`` seconds."""
        self.send(signal.SIGTERM)
        await self.expect_end(grace)

    async def expect_end(self, grace: float = _END_SECONDS) -> None:
        """Wait for the process to end, and kill it if it has not ended after ``grace`` seconds."""
        try:
            async with timeout(grace):
                await self.process.wait()
        except asyncio.TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kill the process and wait until it is gone."""
        self.send(signal.SIGKILL)
        async with timeout(_KILL_SECONDS):
            await self.process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.process.returncode is None:
            self.process.send_signal(number)


async def start_announcing(
    name: str, command: Command, within: float, told: Callable[[str], None] | None = None
) -> tuple[Child, str]:
    """Start a service and wait until it reports its address; returns the address too.

    Each later line is passed to ``told`` for as long as the service lives.

    Raises StandaloneError if it ends, or reports no address ``within`` seconds; then it is gone.
    """
    read_fd, write_fd = os.pipe()
    try:
        child = await Child.start(name, command, ready_fd=write_fd)
    except BaseException:
        os.close(read_fd)
        raise
    finally:
        os.close(write_fd)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(_LINE_BYTES)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb", buffering=0)
    )
    try:
        line = await first_line(child, reader, lambda text: text.endswith("\n"), within)
    except BaseException:
        transport.close()
        raise
    if told is None:
        transport.close()
    else:
        child.attached = asyncio.create_task(_tell_lines(reader, transport, told))
    return child, line.strip()


async def first_line(child: Child, reader: asyncio.StreamReader, wanted: Callable[[str], bool], within: float) -> str:
    """Read until a line is ``wanted``, and return that line.

    Raises StandaloneError if the output or the time ends before; then the child is gone.
    """
    try:
        async with timeout(within):
            return await _read_until(reader, wanted)
    except asyncio.TimeoutError:
        await child.kill()
        message = f"{child.name} was not ready within {within:.0f} s and was killed. Its log says what it was doing."
        raise StandaloneError(message) from None
    except EOFError:  # it has ended, or is about to: its own exit code says more than our signal
        await child.expect_end()
        reason = await child.wait()
        message = f"{child.name} could not start ({reason}). Its last lines above say why."
        raise StandaloneError(message) from None
    except asyncio.CancelledError:
        await child.kill()
        raise


async def _tell_lines(
    reader: asyncio.StreamReader, transport: asyncio.ReadTransport, told: Callable[[str], None]
) -> None:
    try:
        while line := await reader.readline():
            told(line.decode(errors="replace").strip())
    finally:
        transport.close()


def ending(code: int) -> str:
    """How a process ended, in words: its exit code, or the name of the signal that killed it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


async def _read_until(reader: asyncio.StreamReader, wanted: Callable[[str], bool]) -> str:
    while line := await reader.readline():
        text = line.decode(errors="replace")
        if wanted(text):
            return text
    raise EOFError
