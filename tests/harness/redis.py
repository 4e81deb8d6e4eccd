"""A Redis server for a test: the real program, durable as in a standalone server, on a socket or a port."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Mapping
from pathlib import Path

import redis
from queueserver_standalone.embedded_redis.redis_server import choose_program, server_arguments

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess


class RedisProcess:
    """A redis-server whose data survive :meth:`kill` and :meth:`start`."""

    def __init__(
        self,
        directory: Path,
        *,
        tcp: bool = False,
        password: str = "",
        host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``directory`` must be short: it holds the unix socket.

        With ``tcp`` it listens on a free port of ``host`` too. ``environment`` are variables that it gets.
        """
        self._directory = directory
        self._host = host
        self._environment = dict(environment or {})
        self._password = password
        self._port = reserved_port() if tcp else 0
        self._process: TestProcess | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where clients find it."""
        credentials = f":{self._password}@" if self._password else ""
        if self._port:
            return f"redis://{credentials}{self._host}:{self._port}/0"
        return f"unix://{credentials}{self._directory / 'redis.sock'}"

    @property
    def socket(self) -> Path:
        """Where it listens beside its port."""
        return self._directory / "redis.sock"

    @property
    def pid(self) -> int:
        """Process id."""
        return self._running().pid

    @property
    def process(self) -> TestProcess:
        """The process, which is another one after :meth:`start`."""
        return self._running()

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self._running().running

    def start(self) -> None:
        """Start it, or start it again on the same data and the same address."""
        command = [str(choose_program(self._directory).path)]
        command += server_arguments(self._directory / "redis.sock", self._directory)
        command += ["--port", str(self._port), "--bind", self._host]
        if self._password:
            command += ["--requirepass", self._password]
        self._process = TestProcess("redis-server", command, announces=False, environment=self._environment)
        self._process.output.wait_for(lambda line: "ready to accept connections" in line.lower())

    def connect(self) -> redis.Redis:
        """A client of it; use it in a ``with``."""
        return redis.Redis.from_url(self.url)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, for example to freeze it."""
        self._running().send(number)

    def kill(self) -> None:
        """``kill -9``."""
        self._running().close()

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self._running().stop()
        self._running().close()

    def close(self) -> None:
        """End it. May be called again."""
        if self._process is not None:
            self._process.close()

    def _running(self) -> TestProcess:
        if self._process is None:
            raise AssertionError("Redis was not started")
        return self._process


def new_password() -> str:
    """A password with characters that have to be quoted in a URL nowhere."""
    return secrets.token_hex(8)
