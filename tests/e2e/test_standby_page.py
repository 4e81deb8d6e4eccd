"""The commands of the page about a standby do what it says, with other ports and directories."""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from pathlib import Path

from queueserver_client import Client, Plan
from queueserver_standalone.embedded_redis.redis_server import choose_program

from tests.e2e.conftest import STARTUP
from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS, REPOSITORY

_IS_READY = re.compile("eady to accept|listens on unix|waits for requests|Standby: connected")
PAGE = REPOSITORY / "docs/how-to/standby.md"


def test_the_page_starts_two_managers_and_a_client_of_both_outlives_the_first(short_path: Path) -> None:
    others = {f"127.0.0.1:{port}": f"127.0.0.1:{reserved_port()}" for port in (60630, 60631, 6379)}
    others |= {"--port 6379": f"--port {others['127.0.0.1:6379'].rpartition(':')[2]}", "~/startup": str(STARTUP)}
    others |= {"/run/queueserver": str(short_path), "/var/lib/queueserver": str(short_path)}
    others |= {"redis-server": str(choose_program(short_path).path), "python -m": f"{sys.executable} -m"}
    text = re.sub("|".join(map(re.escape, others)), lambda found: others[found[0]], PAGE.read_text(encoding="utf-8"))
    start, use = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    commands = start.replace("\\\n", " ").replace("&\n", "\n").splitlines()
    variable, command = use.removeprefix("export ").splitlines()
    with contextlib.ExitStack() as opened:
        processes = []
        for line in commands:
            processes.append(TestProcess(line[:40], shlex.split(line), announces=False))
            opened.callback(processes[-1].close)
            processes[-1].output.wait_for(lambda line: bool(_IS_READY.search(line)))
        with Client(variable.partition("=")[2]) as client:
            client.environment.open()
            processes[2].kill()
            assert client.queue.add(Plan("one_run")).index == 0
        shown = TestProcess(
            command,
            [COMMANDS / command.split()[0], *command.split()[1:]],
            environment=dict([variable.split("=", 1)]),
            announces=False,
        )
        opened.callback(shown.close)
        assert shown.wait() == 0
        shown.output.wait_for("'role': 'owner'")
