"""Two Managers, Worker and Redis with the command lines of docker-compose.yml, killed ten times during 200 plans."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import pytest

from tests.chaos.killing import outlive
from tests.chaos.system import STARTUP
from tests.harness.health import wait_until_serving
from tests.integration.deploy.service_processes import services

NAMES = ("redis", "worker", "manager", "second-manager")


@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_done_twice_and_the_status_is_right_whichever_service_is_killed(
    tmp_path: Path,
) -> None:
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    traces = tmp_path / "traces"
    with services(tmp_path, QSERVER_STARTUP_DIR=str(STARTUP)) as here:
        for name in NAMES:
            here.start(name)
        await wait_until_serving(here.address, "Task")
        outcome = await outlive(here, NAMES, seed, str(traces), lambda: traces.read_text(encoding="utf-8"))
    sys.stderr.write(f"SEED={seed}\n{outcome}\n")
    assert not outcome.problems, f"play it again with SEED={seed}:\n{outcome}"
