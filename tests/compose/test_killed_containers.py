"""Any container is killed, ten times during 200 plans: nothing is lost or done twice, and the status is right."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.killing import outlive
from tests.chaos.system import STARTUP
from tests.compose.engine import Deployment
from tests.compose.readiness import until_serving
from tests.compose.test_startup_code import startup_directory

NAMES = ("redis", "worker", "manager", "second-manager")
#: In the volume of the Worker, which outlives its container's processes.
TRACES = "/var/lib/queueserver/traces"


@pytest.fixture
def traced(deployment: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment with two Managers and plans that leave traces; as before afterwards."""
    before = dict(deployment.variables)
    startup = startup_directory(tmp_path, (STARTUP / "traced.py").read_text(encoding="utf-8"))
    deployment.variables |= {"QSERVER_STARTUP_DIR": str(startup)}
    deployment.down(volumes=True)
    begin = time.time()
    deployment.up()
    # The other Manager would be the owner if it were faster.
    deployment.until_logged("manager", "Own the queue", begin)
    deployment.profiles = ["ha"]
    try:
        deployment.up()
        deployment.until_logged("second-manager", "Standby: connected", begin)
        yield deployment
    finally:
        deployment.down(volumes=True)
        deployment.profiles, deployment.variables = [], before
        deployment.up()


async def test_nothing_is_lost_or_done_twice_and_the_status_is_right_whichever_container_is_killed(
    traced: Deployment,
) -> None:
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    await until_serving(traced.address, "Task")
    outcome = await outlive(traced, NAMES, seed, TRACES, lambda: traced.inside("worker", "cat", TRACES))
    sys.stderr.write(f"SEED={seed}\n{outcome}\n")
    assert not outcome.problems, f"play it again with SEED={seed}:\n{outcome}"
