"""The environment process: launched, spoken to, listened to, killed.

Guarantees: it is started by exec, in a session of its own; its end is noticed at once, and is reported only after
everything it had written to its channel and its console has been passed on; killing it needs no cooperation.
Does not guarantee that processes it started end with it, unless it is killed: then its whole process group is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from queueserver.common.v1 import console_pb2
from queueserver.worker.v1.environment_channel_pb2 import ToEnvironment

from queueserver_worker.environment_command import EnvironmentCommand, environment_command
from queueserver_worker.supervisor.process.channel import Channel, ChannelListener
from queueserver_worker.supervisor.process.console import ConsolePipe


@dataclass(frozen=True, slots=True)
class Launch:
    """How an environment is started, and how long the supervisor waits for it. Times in seconds."""

    #: Arguments that say what startup code is loaded, and how.
    startup: Sequence[str]
    command: EnvironmentCommand = field(default_factory=environment_command)
    #: From the request to close until it is killed.
    close_timeout: float = 10.0
    #: From its report that it failed, or the end of its channel, until it is killed.
    exit_timeout: float = 1.0
    #: Silence after which it counts as not responsive.
    patience: float = 3.0
    #: Where its plans and devices are listed; None if they are not.
    list_file: Path | None = None
    #: List them also when they change, not only when it opens.
    list_changes: bool = False


class ProcessListener(ChannelListener, Protocol):
    """A listener for what the process says and does. Called in the loop."""

    def text_received(self, stream: console_pb2.ConsoleStream.ValueType, text: str) -> None:
        """The process printed."""

    def process_ended(self, returncode: int) -> None:
        """The process is gone; `returncode` is negative for the signal that killed it. Nothing is called after."""


class EnvironmentProcess:
    """A running environment process: the command with the channel and the startup arguments added.

    Made inside the running loop. Raises OSError if the process can't be started.
    """

    def __init__(self, command: EnvironmentCommand, startup: Sequence[str], on: ProcessListener) -> None:
        connection, theirs = socket.socketpair()
        readers, writers = zip(os.pipe(), os.pipe(), strict=True)
        try:
            # Not asyncio's (uvloop's) way: that forks, and gRPC's fork handlers now and then abort the new process
            # before it gets to exec. Popen uses vfork, which runs no handlers.
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, the arguments are the operator's
                [*command.words, *_own_arguments(command, theirs), *startup],
                env=command.variables,
                stdin=subprocess.DEVNULL,
                stdout=writers[0],
                stderr=writers[1],
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError:
            connection.close()
            for reader in readers:
                os.close(reader)
            raise
        finally:
            theirs.close()
            for writer in writers:
                os.close(writer)
        self._listener = on
        self._channel = Channel(connection, on)
        streams = (console_pb2.CONSOLE_STREAM_STDOUT, console_pb2.CONSOLE_STREAM_STDERR)
        self._pipes = [
            ConsolePipe(reader, partial(on.text_received, stream))
            for reader, stream in zip(readers, streams, strict=True)
        ]
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._wait, args=(loop,), name="environment-end", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, frame: ToEnvironment) -> None:
        """Send it a frame."""
        self._channel.send(frame)

    def drain_console(self) -> None:
        """Pass on what it has printed up to now."""
        for pipe in self._pipes:
            pipe.drain()

    def kill(self) -> None:
        """Kill it and the processes it started. Does nothing if it has ended."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        # A thread, because only Linux can announce the end of a process to a loop by itself.
        returncode = self._process.wait()
        # The loop is closed already when the service ended without waiting for this process.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ended, returncode)

    def _ended(self, returncode: int) -> None:
        for pipe in self._pipes:
            pipe.close()
        self._channel.finish(partial(self._listener.process_ended, returncode))


def _own_arguments(command: EnvironmentCommand, connection: socket.socket) -> list[str]:
    return ["--channel-fd", str(connection.fileno()), "--list-command", json.dumps(command.list_command)]
