"""The page about a Worker on another machine, typed as it is, with one terminal for each service."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess
from tests.harness.redis import RedisProcess
from tests.harness.services import COMMANDS, DEMO_STARTUP, REPOSITORY
from tests.how_to.pages import fits, steps_of
from tests.how_to.terminal import terminal

PAGE = REPOSITORY / "docs" / "how-to" / "worker-elsewhere.md"


async def test_every_step_of_the_page_does_what_the_page_says(short_path: Path) -> None:
    (short_path / "startup").symlink_to(DEMO_STARTUP)
    listen = f"127.0.0.1:{reserved_port()}"
    path = os.pathsep.join([str(COMMANDS), os.environ["PATH"]])
    with contextlib.ExitStack() as opened:
        redis = RedisProcess(short_path)
        opened.callback(redis.close)
        # Other tests may use the page's ports.
        others = {
            "127.0.0.2:60631": f"127.0.0.2:{reserved_port()}",
            "redis://127.0.0.1:6379": redis.url,
            "-m queueserver_manager": f"-m queueserver_manager --listen {listen}",
        }
        async with terminal(short_path, {"PATH": path, "QSERVER_ADDRESS": listen}) as bash:
            for step in steps_of(PAGE.read_text(encoding="utf-8")):
                commands = step.commands
                for said, here in others.items():
                    commands = commands.replace(said, here)
                if commands.startswith("python -m"):
                    opened.callback(started(commands, short_path, path).close)
                    continue
                output, failed = await bash.type(commands)
                assert failed == [], f"line {step.line} printed:\n{output}"
                assert step.output is None or fits(step.output, output), f"line {step.line} printed:\n{output}"


def started(commands: str, directory: Path, path: str) -> TestProcess:
    """A service in a terminal of its own, which listens."""
    service = TestProcess(
        commands.split()[2],
        ["bash", "-c", f"exec {commands}"],
        environment={"PATH": path},
        working_directory=directory,
    )
    service.wait_ready()
    return service
