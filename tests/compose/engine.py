"""A deployment by docker-compose.yml, with whatever container engine there is.

``COMPOSE`` has the words that start compose (default: docker compose), and ``ENGINE`` those that start the engine under
it (default: the first word of COMPOSE).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tests.harness.ports import reserved_port
from tests.harness.services import COMMANDS, REPOSITORY

COMPOSE = shlex.split(os.environ.get("COMPOSE") or "docker compose")
ENGINE = shlex.split(os.environ.get("ENGINE") or COMPOSE[0])
#: For one command; building the images downloads what they are made of.
_SECONDS, _BUILD_SECONDS = 120.0, 1200.0
_OF_PROFILES = {"ha": "second-manager", "zmq": "zmq-bridge"}


def missing() -> str | None:
    """Why there is no engine, and what to do; None if there is one."""
    for words in ([*ENGINE, "info"], [*COMPOSE, "version"]):
        command = shlex.join(words)
        if shutil.which(words[0]) is None:
            return f"'{command}' can't be run: install Docker with its compose plugin, or set COMPOSE and ENGINE"
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_SECONDS)
        if done.returncode != 0:
            return f"'{command}' fails: start the container engine, or set COMPOSE and ENGINE to one that runs"
    return None


def engine(*words: str) -> str:
    """What a command of the engine prints; AssertionError if it fails."""
    return _run([*ENGINE, *words], {}, _SECONDS)


def _run(command: list[str], environment: Mapping[str, str], seconds: float) -> str:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def _seconds(time: str) -> float:
    """Seconds since the epoch of a time as engines print it, with nanoseconds."""
    return datetime.fromisoformat(re.sub(r"\.(\d{6})\d*", r".\1", time).replace("Z", "+00:00")).timestamp()


class Deployment:
    """One project of compose, on a free port; variables that are set here count for all later commands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = reserved_port()
        self.second_port = reserved_port()
        #: Profiles of the file that count for all later commands.
        self.profiles: list[str] = []
        self.variables: dict[str, str] = {
            "QSERVER_PORT": str(self.port),
            "QSERVER_ADVERTISE_ADDRESS": self.address,
            "QSERVER_SECOND_PORT": str(self.second_port),
            "QSERVER_SECOND_ADVERTISE_ADDRESS": self.second_address,
            "QSERVER_MANAGER_IMAGE": "queueserver-manager:test",
            "QSERVER_WORKER_IMAGE": "queueserver-worker:test",
            "QSERVER_CLI_IMAGE": "queueserver-cli:test",
            "QSERVER_ZMQ_BRIDGE_IMAGE": "queueserver-zmq-bridge:test",
        }

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def second_address(self) -> str:
        """Where clients connect to the second Manager."""
        return f"127.0.0.1:{self.second_port}"

    @property
    def addresses(self) -> str:
        """Where clients connect to either Manager."""
        return f"{self.address},{self.second_address}"

    def compose(self, *words: str, file: Path | None = None) -> str:
        """What a command of compose prints; AssertionError if it fails."""
        chosen = ["-f", str(file)] if file is not None else []
        seconds = _BUILD_SECONDS if "build" in words else _SECONDS
        profiles = [word for profile in self.profiles for word in ("--profile", profile)]
        return _run([*COMPOSE, "-p", self.name, *chosen, *profiles, *words], self.variables, seconds)

    def shell(self, commands: str, files: Path | None = None) -> str:
        """What commands of a page print, with this project in the place of the default one.

        Archives are in the directory ``files``.
        """
        ours = shlex.join([*COMPOSE, "-p", self.name])
        if files is not None:
            commands = re.sub(r"[\w-]+\.tar\.gz", lambda found: str(files / found[0]), commands)
        script = f"set -e\n{commands.replace('docker compose', ours)}"
        return _run(["bash", "-c", script], self.variables, _BUILD_SECONDS)

    def up(self) -> None:
        """Start what does not run; containers whose settings have changed are replaced."""
        self.compose("up", "-d")

    def down(self, *, volumes: bool = False) -> None:
        """Remove containers and networks; the data stay unless told otherwise."""
        self.compose("down", *(["-v"] if volumes else []))

    def kill(self, service: str) -> None:
        """End all processes of a service at once, as a power cut would. It stays away until :meth:`start`."""
        engine("kill", "--signal", "KILL", self.container(service))

    def start(self, service: str) -> None:
        """Start the container of a service that has ended."""
        engine("start", self.container(service))

    def away(self, service: str) -> tuple[float, float]:
        """When the container of a service ended for the last time, and was started again, as the engine saw it."""
        state = json.loads(engine("inspect", "--format", "{{json .State}}", self.container(service)))
        return _seconds(state["FinishedAt"]), _seconds(state["StartedAt"])

    def restart(self, service: str) -> None:
        """Stop a service in order, and start it again."""
        engine("restart", self.container(service))

    def remove(self, service: str) -> None:
        """End the container of a service and remove it."""
        engine("rm", "--force", self.container(service))

    def container(self, service: str) -> str:
        """The id of a service's container."""
        labels = {"project": self.name, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        found = engine("ps", "--all", "--quiet", "--no-trunc", *filters).split()
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return found[0]

    def inside(self, service: str, *words: str) -> str:
        """What a command in a service's container prints."""
        return engine("exec", self.container(service), *words)

    def disconnect(self, service: str, network: str) -> None:
        """Take a service off a network, as a pulled cable does."""
        engine("network", "disconnect", f"{self.name}_{network}", self.container(service))

    def connect(self, service: str, network: str) -> None:
        """Put it back, probably at another address of the same name."""
        engine("network", "connect", "--alias", service, f"{self.name}_{network}", self.container(service))

    def log(self) -> str:
        """The last lines of each service."""
        found = []
        more = [service for profile, service in _OF_PROFILES.items() if profile in self.profiles]
        for service in ("redis", "manager", "worker", *more):
            command = [*ENGINE, "logs", "--tail", "2000", self.container(service)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
            found.append(f"{service}:\n{done.stdout}{done.stderr}")
        return "\n".join(found)

    def until_logged(self, service: str, text: str, since: float) -> None:
        """Wait until a service has written a text after a time of the wall clock; AssertionError if it does not."""
        command = [*ENGINE, "logs", "--follow", "--since", str(int(since)), self.container(service)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as following:

            def end() -> None:
                # The command may be a script around the engine.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(following.pid, signal.SIGKILL)

            limit = threading.Timer(_SECONDS, end)
            limit.start()
            try:
                assert following.stdout is not None
                assert any(text in line for line in following.stdout), f"{service} has not written: {text}"
            finally:
                limit.cancel()
                end()

    def qserver(self, *words: str) -> str:
        """What a command of a user of this machine prints; it must succeed."""
        return _run([str(COMMANDS / "qserver"), "--address", self.address, *words], {}, _SECONDS)
