"""The commands that start Redis, Worker, Manager and 0MQ bridge of one server, and how long each may take."""

from __future__ import annotations

import asyncio
import os
import signal
import socket as sockets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from queueserver_process.ready import KILL_LINE, READY_STEPS_VARIABLE, STOP_LINE, WAITING_LINE

from queueserver_standalone.child import EMERGENCY_VARIABLE, REDIS_VARIABLE, Child, Command, start_announcing
from queueserver_standalone.configuration.redis_address import socket_url
from queueserver_standalone.configuration.settings import Settings
from queueserver_standalone.data_directory import identity
from queueserver_standalone.embedded_redis.disk import Disk
from queueserver_standalone.embedded_redis.redis_child import start_redis
from queueserver_standalone.embedded_redis.redis_files import put_in_order
from queueserver_standalone.embedded_redis.redis_report import REPORT_VARIABLE, RedisReport
from queueserver_standalone.embedded_redis.redis_server import RedisProgram, choose_program, server_arguments
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.log import logger

_REDIS_START_SECONDS = 120.0
_SERVICE_START_SECONDS = 60.0
#: The current directory is not a place to import from: a file redis.py in it must not hide the library.
_PYTHON = ("-P",) if sys.version_info >= (3, 11) else ()


@dataclass
class Services:
    """Starts each part, the same way each time, on one data directory."""

    settings: Settings
    runtime_directory: Path
    #: Keeps the data directory locked for as long as a child has it.
    lock_fd: int
    #: Where the Manager listens; with a port once it has picked one, so that a restart keeps it.
    address: str = field(init=False)
    #: The embedded Redis; None if another one is used.
    redis_program: RedisProgram | None = field(init=False, default=None)
    #: The role that the Manager reported last: "serving", or "standby" and where the owner is; empty when it has just
    #: been started; and an event for news.
    manager_says: str = field(init=False, default="")
    manager_spoke: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    #: What the Manager waits for, in a sentence; empty while it waits for nothing.
    manager_waits: str = field(init=False, default="")
    #: Called after each report of the Manager.
    manager_reported: Callable[[], None] | None = field(init=False, default=None)
    #: Set when a client has stopped the whole server.
    stop_asked: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    #: The Manager that was started last.
    _manager: Child | None = field(init=False, default=None)
    #: Where the embedded Redis writes.
    disk: Disk = field(init=False)
    #: The reports to the Manager about the embedded Redis.
    report: RedisReport = field(init=False)

    def __post_init__(self) -> None:
        self.address = self.settings.listen
        self.disk = Disk(self._redis_directory)
        self.report = RedisReport(self._redis_directory, self.settings.warn_below)
        if self.settings.redis is None:
            self.redis_program = choose_program(self._redis_directory)

    async def redis(self) -> Child:
        """Start the embedded Redis, if its disk can be written. It must not be called when another one is used.

        Raises StandaloneError, and DiskError among them.
        """
        if self.redis_program is None:
            raise AssertionError("there is no embedded Redis when an address was given")
        logger.info("Starting Redis")
        try:
            child = await self._start_redis(self.redis_program)
        except StandaloneError as error:
            self.report.does_not_start(error)
            raise
        self.report.runs()
        return child

    async def _start_redis(self, program: RedisProgram) -> Child:
        await self.disk.ask(partial(put_in_order, self._redis_directory))
        await self.disk.require_room()
        arguments = server_arguments(self.redis_socket, self._redis_directory)
        command = Command(program.path, "redis-server", arguments, inherit=(self.lock_fd,))
        return await start_redis(
            command, self.redis_socket, self.settings.data_directory / "redis.log", _REDIS_START_SECONDS
        )

    async def worker(self) -> Child:
        """Start the Worker."""
        logger.info("Starting the Worker")
        arguments = [
            *("--listen", self._worker_address, "--state-dir", str(self.settings.data_directory / "worker")),
            *self.settings.startup.arguments,
            *self.settings.files.worker_arguments,
            *("--console-output", self.settings.console_output),
            *("--question-timeout", self.settings.question_timeout),
            *self.settings.log.arguments,
        ]
        child, _ = await start_announcing(
            "Worker", self._python("queueserver_worker", arguments), _SERVICE_START_SECONDS
        )
        return child

    async def manager(self) -> Child:
        """Start the Manager."""
        logger.info("Starting the Manager")
        arguments = [
            *("--listen", self.address, "--worker", self._worker_address),
            *("--data-dir", str(self.settings.data_directory)),
            *("--key-prefix", self.settings.key_prefix),
            *(() if self.settings.redis_replicas is None else ("--redis-replicas", str(self.settings.redis_replicas))),
            *self.settings.files.arguments,
            *self.settings.kept,
            *((f"--default-user-group={self.settings.default_group}",) if self.settings.default_group else ()),
            *(
                ("--permitted-re-metadata-keys", *self.settings.permitted_metadata)
                if self.settings.permitted_metadata
                else ()
            ),
            *("--scripts", "ON" if self.settings.scripts else "OFF"),
            *(("--insecure-listen",) if self.settings.insecure_listen else ()),
            *(("--advertise-address", self.settings.advertise) if self.settings.advertise else ()),
            *("--instance-id", f"{sockets.gethostname()}-{identity(self.settings.data_directory)}"),
            *self.settings.log.arguments,
        ]
        self.manager_says = self.manager_waits = ""
        self.manager_spoke.clear()
        url = self.settings.redis or socket_url(str(self.redis_socket))
        pipe = self.report.open()
        try:
            environment = {REDIS_VARIABLE: url, REPORT_VARIABLE: str(pipe), READY_STEPS_VARIABLE: "1"}
            if self.settings.emergency_lock_key:
                environment[EMERGENCY_VARIABLE] = self.settings.emergency_lock_key
            command = self._python("queueserver_manager", arguments, environment, self.settings.data_directory)
            command = replace(command, inherit=(*command.inherit, pipe))
            child, self.address = await start_announcing("Manager", command, _SERVICE_START_SECONDS, self._hear_manager)
        finally:
            os.close(pipe)
        self._manager = child
        return child

    async def zmq_bridge(self) -> Child:
        """Start the 0MQ bridge."""
        bridge = self.settings.zmq_bridge
        arguments = ["--manager", self.address, *bridge.arguments, *self.settings.log.arguments]
        environment = {**bridge.environment, READY_STEPS_VARIABLE: "1"}
        command = self._python("queueserver_zmq_bridge", arguments, environment)
        child, _ = await start_announcing("0MQ bridge", command, _SERVICE_START_SECONDS, self._hear_bridge)
        return child

    def _hear_bridge(self, line: str) -> None:
        if line == KILL_LINE and self._manager is not None:
            logger.warning("A client of bluesky-queueserver has requested that the Manager is killed.")
            self._manager.send(signal.SIGKILL)

    def _hear_manager(self, line: str) -> None:
        if line == STOP_LINE:
            self.stop_asked.set()
            return
        word, _, sentence = line.partition(" ")
        self.manager_waits = sentence if word == WAITING_LINE else ""
        if word != WAITING_LINE:
            self.manager_says = line
            self.manager_spoke.set()
        if self.manager_reported is not None:
            self.manager_reported()

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens."""
        return self.runtime_directory / "redis"

    @property
    def _redis_directory(self) -> Path:
        return self.settings.data_directory / "redis"

    @property
    def _worker_address(self) -> str:
        return f"unix:{self.runtime_directory / 'worker'}"

    def _python(
        self,
        module: str,
        arguments: list[str],
        environment: Mapping[str, str] | None = None,
        working_directory: Path | None = None,
    ) -> Command:
        python = Path(sys.executable)
        return Command(
            python,
            os.fspath(python),
            [*_PYTHON, "-m", module, *arguments],
            environment=environment or {},
            working_directory=working_directory,
            inherit=(self.lock_fd,),
        )
