"""What is built and installed works as the repository does, with the newest and with the oldest libraries allowed."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, ManagerState

from tests.harness.process import TestProcess
from tests.harness.progress import until_state
from tests.harness.services import REPOSITORY
from tests.harness.stack import short_directory
from tests.wheels.conftest import Install, run
from tests.zmq_bridge.old_client import OldClient

ALL = (
    *("queueserver-protos", "queueserver-rpc", "queueserver-manager", "queueserver-environment", "queueserver-worker"),
    *(
        "queueserver-zmq-bridge",
        "queueserver-standalone",
        "queueserver-client",
        "queueserver-cli",
        "queueserver-import",
        "queueserver-compat",
    ),
)
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
#: The first steps of the README but the last, which ends when somebody stops it.
STEPS = [
    shlex.split(line, comments=True)[1:]
    for line in re.findall(r"^\.venv/bin/qserver .*$", README, re.MULTILINE)
    if not line.endswith("watch")
]
PROGRAM = next(iter(re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)))


@pytest.fixture(params=["tested", "lowest"])
def programs(request: pytest.FixtureRequest, install: Install) -> Path:
    """Where the commands of an environment are that has all wheels and nothing else."""
    return install(*ALL, lowest=request.param == "lowest")


@pytest.fixture
def control(short_path: Path) -> str:
    """Where the server answers clients of bluesky-queueserver."""
    return f"ipc://{short_path}/control"


@pytest.fixture
def server(programs: Path, control: str) -> Iterator[TestProcess]:
    """A server without a word about startup code, started in a directory that has nothing to do with the repository."""
    with short_directory() as directory:
        command = [programs / "start-re-manager", "--listen", "127.0.0.1:0", "--data-dir", directory / "data"]
        command += ["--zmq-bridge", "ON", "--zmq-control-addr", control, "--zmq-publish-console", "OFF"]
        environment = {"XDG_RUNTIME_DIR": str(directory), "PYTHONPATH": ""}
        process = TestProcess("start-re-manager", command, environment=environment, working_directory=directory)
        try:
            yield process
        finally:
            process.stop()
            process.close()


async def test_the_first_steps_of_the_readme_run_from_wheels(
    programs: Path, server: TestProcess, control: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "QSERVER_ADDRESS": server.wait_ready(), "PYTHONPATH": ""}
    assert len(STEPS) == 9
    printed = {}
    async with AsyncClient(environment["QSERVER_ADDRESS"]) as client:
        for step in STEPS:
            printed[" ".join(step[:2])] = run(programs / "qserver", *step, env=environment, cwd=tmp_path)
            await until_state(client, ManagerState.IDLE)
        assert [entry.result.exit_status.value async for entry in client.history.list()] == ["completed"]
    with OldClient(control) as old:
        assert old("history_get")["items"][0]["result"]["exit_status"] == "completed"
    assert "completed" in printed["history get"]
    assert "motor" in printed["queue simulate"]
    ended = run(programs / "python", "-c", PROGRAM, env=environment, cwd=tmp_path)
    assert "COMPLETED" in ended.upper()


def test_the_contract_is_found_as_one_file(install: Install) -> None:
    programs = install("queueserver-protos")
    path = Path(run(programs / "python", "-m", "queueserver_protos", env={"PATH": os.defpath}).strip())
    assert path.is_relative_to(programs.parent)
    assert path.read_bytes() == (REPOSITORY / "protos/gen/queueserver/queueserver.binpb").read_bytes()


@pytest.mark.parametrize("lowest", [False, True])
@pytest.mark.parametrize(
    ("package", "module", "absent"),
    [
        ("queueserver-zmq-bridge", "queueserver_zmq_bridge.app", ["bluesky", "redis", "queueserver_manager"]),
        ("queueserver-client", "queueserver_client", ["bluesky", "redis", "queueserver_rpc"]),
        ("queueserver-manager", "queueserver_manager.app", ["bluesky", "ophyd"]),
        (
            "queueserver-worker",
            "queueserver_environment.process.command_dispatcher",
            ["ophyd", "ophyd_async", "redis"],
        ),
        ("queueserver-environment", "bluesky", ["grpc", "google", "yaml", "queueserver_protos", "ophyd"]),
    ],
)
def test_a_package_brings_what_it_imports_and_no_more(
    install: Install, package: str, module: str, absent: list[str], lowest: bool
) -> None:
    programs = install(package, lowest=lowest)
    code = f"import importlib.util as u, {module}; print([name for name in {absent} if u.find_spec(name)])"
    assert run(programs / "python", "-c", code, env={"PATH": os.defpath}) == "[]\n"
