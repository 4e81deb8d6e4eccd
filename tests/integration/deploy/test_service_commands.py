"""The command lines of docker-compose.yml run: on this machine, on free ports, in the order that is worst."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from queueserver_standalone.embedded_redis.redis_server import choose_program

from tests.harness.health import serving, wait_until_serving
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
            "/var/lib/queueserver": str(directory / "worker"),
            "=/startup": f"={(REPOSITORY / mount.split(':')[0]).resolve()}",
        }
        self._opened = contextlib.ExitStack()

    def start(self, name: str) -> TestProcess:
        """Start Manager or Worker, with the image's and the file's words."""
        service = self._services[name]
        words = [self._of(name, word) for word in (*words_of(_image(name), "ENTRYPOINT"), *service["command"])]
        environment = {variable: self._here(value) for variable, value in service["environment"].items()}
        environment["PATH"] = os.pathsep.join([str(COMMANDS), os.environ["PATH"]])
        process = self._started(TestProcess(name, words, environment=environment))
        process.wait_ready()
        return process

    def start_redis(self) -> None:
        """Start Redis with the file's words."""
        data = self._directory / "redis"
        data.mkdir()
        _, *words = self._services["redis"]["command"]
        command = [str(choose_program(data).path), *(str(data) if word == "/data" else word for word in words)]
        host, port = self._redis.split(":")
        self._started(TestProcess("redis", [*command, "--bind", host, "--port", port], announces=False))

    def probe(self, name: str) -> tuple[int, str]:
        """What the health check of a service says, and its exit code."""
        _, program, *words = self._services[name]["healthcheck"]["test"]
        where = {"127.0.0.1:60630": self.address, "127.0.0.1:60640": self._worker}
        command = [str(COMMANDS / program), *(self._of(name, where.get(word, word)) for word in words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
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


async def test_each_service_waits_for_what_it_needs_and_says_so_and_then_a_scan_runs(tmp_path: Path) -> None:
    with services(tmp_path) as here:
        here.start("manager")
        code, text = here.probe("manager")
        assert code == 1
        assert "QueueService" in text
        assert await serving(here.address) == {"Status"}

        here.start_redis()
        await wait_until_serving(here.address, "Queue")
        code, text = here.probe("manager")
        assert (code, "EnvironmentService" in text, "QueueService" in text) == (0, True, False)

        here.start("worker")
        await wait_until_serving(here.address, "Task")
        assert (here.probe("manager"), here.probe("worker")) == ((0, "serving"), (0, "serving"))

        assert "admin" in here.qserver("permissions", "get")
        here.qserver("environment", "open", "--wait")
        here.qserver("queue", "add", "plan", '{"name": "scan", "args": [["det"], "motor", -1, 1, 5]}')
        here.qserver("queue", "start", "--wait")
        assert "completed" in here.qserver("history", "get")


async def test_the_second_manager_is_a_healthy_standby_and_takes_over_when_the_first_is_killed(tmp_path: Path) -> None:
    with services(tmp_path) as here:
        here.start_redis()
        first = here.start("manager")
        await wait_until_serving(here.address, "Queue")
        second = here.start("second-manager")
        second.output.wait_for(f"Standby: connected to the owner at {here.address}")
        code, text = here.probe("second-manager")
        assert (code, text) == (0, f"standby: the Manager at {here.address} owns the queue")
        first.kill()
        second.output.wait_for("waits for requests")
        code, text = here.probe("second-manager")
        assert (code, "serving" in text) == (0, True)


async def test_variables_choose_startup_code_and_more_options(tmp_path: Path) -> None:
    startup = tmp_path / "beamline"
    startup.mkdir()
    (startup / "00.py").write_text("def quick():\n    yield from ()\n")
    chosen = {
        "QSERVER_STARTUP_DIR": str(startup),
        "QSERVER_MANAGER_OPTIONS": "--scripts OFF --permitted-re-metadata-keys /a *",
        "QSERVER_WORKER_OPTIONS": "--keep-re",
    }
    with services(tmp_path, **chosen) as here:
        here.start_redis()
        here.start("worker")
        here.start("manager")
        await wait_until_serving(here.address, "Task")
        here.qserver("environment", "open", "--wait")
        assert "quick" in here.qserver("existing", "plans")
        shown = here.qserver("config")
        assert "keep-re" in shown
        assert "'scripts': 'OFF'" in shown
        assert "/a *" in shown


@pytest.mark.parametrize("name", ["manager", "worker"])
async def test_a_service_ends_in_order_when_its_container_is_stopped(name: str, tmp_path: Path) -> None:
    grace = composition()["services"][name]["stop_grace_period"]
    with services(tmp_path) as here:
        here.start_redis()
        started = {one: here.start(one) for one in ("worker", "manager")}
        await wait_until_serving(here.address, "Task")
        here.qserver("environment", "open", "--wait")
        here.qserver(
            "queue", "add", "plan", '{"name": "count", "args": [["det1"]], "kwargs": {"num": 9, "delay": 100}}'
        )
        here.qserver("queue", "start")
        assert started[name].stop(within=float(grace.removesuffix("s"))) == 0
        if name == "worker":
            assert "'failure_cause': 'shutdown'" in here.qserver("history", "get")
