"""The command lines of docker-compose.yml as processes of this machine, on free ports."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from queueserver_standalone.embedded_redis.redis_server import choose_program

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS, REPOSITORY
from tests.integration.deploy.compose_file import composition, words_of


class Services:
    """The services of the file as processes; what only containers have is replaced."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._services: dict[str, dict[str, Any]] = composition(environment)["services"]
        self._redis = f"127.0.0.1:{reserved_port()}"
        self._worker = f"127.0.0.1:{reserved_port()}"
        self.address = f"127.0.0.1:{reserved_port()}"
        self._second = f"127.0.0.1:{reserved_port()}"
        #: The two sockets of the 0MQ bridge.
        self.control, self.info = (f"127.0.0.1:{reserved_port()}" for _ in range(2))
        self._directory = directory
        (mount,) = (one for one in self._services["manager"]["volumes"] if ":/startup:" in one)
        self._places = {
            "second-manager:60630": self._second,
            "manager:60630": self.address,
            "127.0.0.1:60630": self.address,
            "127.0.0.1:60631": self._second,
            "0.0.0.0:60630": self.address,
            "0.0.0.0:60640": self._worker,
            "worker:60640": self._worker,
            "redis:6379": self._redis,
            "*:60615": self.control,
            "*:60625": self.info,
            "127.0.0.1:60615": self.control,
            "/var/lib/queueserver": str(directory / "worker"),
            "=/startup": f"={(REPOSITORY / mount.split(':')[0]).resolve()}",
        }
        self._opened = contextlib.ExitStack()
        self._running: dict[str, TestProcess] = {}
        #: When each was killed and started for the last time.
        self._ended: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def start(self, name: str) -> TestProcess:
        """Start Redis, a Manager or the Worker, for the first time or again."""
        self._began[name] = time.time()
        self._running[name] = self.start_redis() if name == "redis" else self._start(name)
        return self._running[name]

    def kill(self, name: str) -> None:
        """``kill -9`` a service that was started."""
        self._running[name].close()
        self._ended[name] = time.time()

    def away(self, name: str) -> tuple[float, float]:
        """When a service had ended after :meth:`kill`, and was started again."""
        return self._ended[name], self._began[name]

    def _start(self, name: str) -> TestProcess:
        """Start Manager or Worker, with the image's and the file's words."""
        service = self._services[name]
        words = [self._of(name, word) for word in (*words_of(_image(name), "ENTRYPOINT"), *service["command"])]
        environment = {variable: self._here(value) for variable, value in service["environment"].items()}
        environment["PATH"] = os.pathsep.join([str(COMMANDS), os.environ["PATH"]])
        process = self._started(TestProcess(name, words, environment=environment))
        process.wait_ready()
        return process

    def start_redis(self) -> TestProcess:
        """Start Redis with the file's words."""
        data = self._directory / "redis"
        data.mkdir(exist_ok=True)
        _, *words = self._services["redis"]["command"]
        command = [str(choose_program(data).path), *(str(data) if word == "/data" else word for word in words)]
        host, port = self._redis.split(":")
        return self._started(TestProcess("redis", [*command, "--bind", host, "--port", port], announces=False))

    @property
    def addresses(self) -> str:
        """Where clients find both Managers."""
        return f"{self.address},{self._second}"

    def probe(self, name: str) -> tuple[int, str]:
        """What the health check of a service says, and its exit code."""
        _, program, *words = self._services[name]["healthcheck"]["test"]
        where = {"127.0.0.1:60630": self.address, "127.0.0.1:60640": self._worker}
        command = [str(COMMANDS / program), *(self._of(name, where.get(word, word)) for word in words)]
        variables = {**os.environ, **self._services[name].get("environment", {})} if name == "zmq-bridge" else None
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=variables)
        return done.returncode, done.stdout.strip()

    def qserver(self, *words: str) -> str:
        """What a command of a user prints; it must succeed."""
        command = [str(COMMANDS / "qserver"), "--address", self.address, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def close(self) -> None:
        """End everything."""
        self._opened.close()

    def _here(self, text: str) -> str:
        for there, here in self._places.items():
            text = text.replace(there, here)
        return text

    def _of(self, name: str, text: str) -> str:
        """Both Managers listen on the same port in their containers."""
        here = self._here(text)
        return here.replace(self.address, self._second) if name == "second-manager" else here

    def _started(self, process: TestProcess) -> TestProcess:
        self._opened.callback(process.close)
        return process


def _image(name: str) -> str:
    return name.removeprefix("second-")


@contextlib.contextmanager
def services(directory: Path, **environment: str) -> Iterator[Services]:
    """Services of which none runs yet; all are ended afterwards."""
    found = Services(directory, environment)
    try:
        yield found
    finally:
        found.close()
