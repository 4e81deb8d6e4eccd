"""The environment process: launched, spoken to, listened to, killed.

Guarantees: it is started by exec, in a session of its own; its end is noticed at once, and is reported only after
everything it had written to its channel and its console has been handed on; killing it needs no cooperation.
Does not guarantee that processes it started end with it, unless it is killed: then its whole process group is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from queueserver.common.v1 import console_pb2
from queueserver.worker.v1.environment_channel_pb2 import ToEnvironment

from queueserver_worker.supervisor.channel import Channel, ChannelListener
from queueserver_worker.supervisor.console import ConsolePipe

ENVIRONMENT_COMMAND = (sys.executable, "-u", "-m", "queueserver_worker.environment")


class ProcessListener(ChannelListener, Protocol):
    """Whoever wants to know what the process says and does. Called in the loop."""

    def text_received(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        """The process printed."""

    def process_ended(self, returncode: int) -> None:
        """The process is gone; `returncode` is negative for the signal that killed it. Nothing is called after."""


class EnvironmentProcess:
    """A running environment process. Use :meth:`launch`."""

    def __init__(
        self, process: asyncio.subprocess.Process, channel: Channel, pipes: Sequence[ConsolePipe], on: ProcessListener
    ) -> None:
        self._process = process
        self._channel = channel
        self._pipes = pipes
        self._listener = on
        self._end = asyncio.get_running_loop().create_task(self._wait())

    @classmethod
    async def launch(
        cls, startup: Sequence[str], on: ProcessListener, command: Sequence[str] = ENVIRONMENT_COMMAND
    ) -> EnvironmentProcess:
        """Start `command` with the channel and the startup arguments added. Raises OSError if that fails."""
        ours, theirs = socket.socketpair()
        pipes = (os.pipe(), os.pipe())
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                "--channel-fd",
                str(theirs.fileno()),
                *startup,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pipes[0][1],
                stderr=pipes[1][1],
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            for reader, _ in pipes:
                os.close(reader)
            raise
        finally:
            theirs.close()
            for _, writer in pipes:
                os.close(writer)
        streams = (console_pb2.CONSOLE_STREAM_STDOUT, console_pb2.CONSOLE_STREAM_STDERR)
        console = [
            ConsolePipe(reader, partial(on.text_received, stream))
            for (reader, _), stream in zip(pipes, streams, strict=True)
        ]
        return cls(process, Channel(ours, on), console, on)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, frame: ToEnvironment) -> None:
        """Send it a frame."""
        self._channel.send(frame)

    def drain_console(self) -> None:
        """Hand on what it has printed up to now."""
        for pipe in self._pipes:
            pipe.drain()

    def kill(self) -> None:
        """Kill it and the processes it started. Does nothing if it has ended."""
        # While the return code is unknown the pid can't have been given to another process.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _wait(self) -> None:
        returncode = await self._process.wait()
        for pipe in self._pipes:
            pipe.close()
        self._channel.drain()
        self._channel.close()
        self._listener.process_ended(returncode)
