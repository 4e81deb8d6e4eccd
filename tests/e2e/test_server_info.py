"""GetServerInfo: what the server is made of, without secrets, also while parts of it are away."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bluesky
import pytest
from queueserver.manager.v1 import server_service_pb2 as pb
from queueserver_client import AsyncClient, ConnectionState, ManagerRole, ServerInfo, StartupSourceKind

from tests.e2e.conftest import STARTUP
from tests.harness.parts import Parts
from tests.harness.progress import until
from tests.harness.raw import connect
from tests.harness.redis import RedisProcess, new_password
from tests.harness.stack import Stack, running_stack, short_directory
from tests.harness.wait import bounded

GIT = shutil.which("git")


def git(folder: Path, *words: str) -> str:
    """Run git on a repository of a test."""
    assert GIT is not None
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    name = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    command = [GIT, *name, "-C", str(folder), *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def startup() -> Iterator[Path]:
    """Startup code in a repository, committed."""
    with short_directory() as folder:
        code = folder / "profile" / "startup"
        shutil.copytree(STARTUP, code)
        shutil.rmtree(code / "__pycache__", ignore_errors=True)
        git(folder / "profile", "init", "-q", "-b", "main")
        git(folder / "profile", "add", ".")
        git(folder / "profile", "commit", "-q", "-m", "as it was")
        yield code


@pytest.fixture(scope="module")
def told_stack(startup: Path) -> Iterator[Stack]:
    with running_stack("--history-size", "7", "--log-format", "json", startup=startup) as running:
        yield running


async def open_and_ask(stack: Stack) -> ServerInfo:
    """What a server tells that has just opened an environment."""
    async with AsyncClient(stack.address) as client:
        if (await client.status()).environment_exists:
            await client.environment.close()
        await client.environment.open()
        return await bounded(client.server.info())


async def test_it_tells_versions_settings_limits_and_how_long_each_part_has_run(told_stack: Stack) -> None:
    info = await open_and_ask(told_stack)
    assert info.unknown == []
    assert (info.role, info.address, info.data_directory) == (
        ManagerRole.OWNER,
        told_stack.address,
        str(told_stack.data_directory),
    )
    assert info.worker is not None
    assert info.environment is not None
    parts = {"manager": info.manager, "worker": info.worker, "environment": info.environment}
    for name, process in parts.items():
        assert process.pid == told_stack.pid(name)  # type: ignore[arg-type] # they are parts
        assert process.python.startswith("CPython 3.")
        assert process.version
        assert 0 < process.uptime < 3600
        assert process.libraries["grpcio"]
    assert info.environment.libraries["bluesky"] == bluesky.__version__
    assert {"numpy", "event-model", "ophyd", "protobuf"} <= info.environment.libraries.keys()
    assert info.redis_version
    assert info.settings["log-format"] == info.worker_settings["log-format"] == "json"
    limits = {limit.name: limit for limit in info.limits}
    assert limits["history"].max_bytes == 7 * 1024 * 1024
    assert limits["task results"].max_age == 3600.0
    assert limits["request"].max_count is None
    assert len(limits) == len(info.limits)


async def test_the_environment_tells_on_what_it_runs_as_long_as_it_is_there(told_stack: Stack) -> None:
    told = (await open_and_ask(told_stack)).environment
    assert told is not None
    async with AsyncClient(told_stack.address) as client:
        environment = await client.environment.get()
        assert (environment.python, environment.bluesky_version) == (told.python, told.libraries["bluesky"])
        closed = await client.environment.close()
    assert (closed.python, closed.bluesky_version) == ("", "")


async def test_it_tells_the_revision_of_the_startup_code_and_whether_it_was_changed(
    told_stack: Stack, startup: Path
) -> None:
    commit = git(startup, "rev-parse", "HEAD")
    code = (await open_and_ask(told_stack)).startup_code
    assert code is not None
    assert (code.kind, code.source, code.path) == (StartupSourceKind.DIRECTORY, str(startup), str(startup))
    assert code.revision is not None
    assert (code.revision.commit, code.revision.branch, code.revision.problem) == (commit, "main", "")
    assert (code.revision.repository, code.revision.changed) == (str(startup.parent), False)
    added = startup / "99-more.py"
    added.write_text("more = 1\n")
    try:
        again = (await open_and_ask(told_stack)).startup_code
    finally:
        added.unlink()
    assert again is not None
    assert again.revision is not None
    assert (again.revision.commit, again.revision.changed) == (commit, True)


async def test_without_an_environment_it_tells_where_the_startup_code_is(told_stack: Stack, startup: Path) -> None:
    async with AsyncClient(told_stack.address) as client:
        if (await client.status()).environment_exists:
            await client.environment.close()
        info = await client.server.info()
    assert info.environment is None
    assert info.startup_code is not None
    assert (info.startup_code.path, info.startup_code.revision) == (str(startup), None)


async def test_what_is_away_is_left_out_and_told(parts: Parts, parts_client: AsyncClient) -> None:
    parts.worker.process.kill()
    await until(parts_client, lambda status: status.worker is ConnectionState.DOWN)
    info = await bounded(parts_client.server.info())
    assert (info.worker, info.environment, info.startup_code, info.worker_settings) == (None, None, None, {})
    (sentence,) = info.unknown
    assert sentence.startswith("Nothing is known about the Worker")
    assert info.manager.pid == parts.manager.process.pid
    assert info.data_directory == ""
    with parts.redis_frozen():
        info = await bounded(parts_client.server.info())
        assert (info.redis_version, len(info.unknown)) == ("", 2)
    parts.worker.restart()
    await until(parts_client, lambda status: status.worker is ConnectionState.UP)
    assert (await parts_client.server.info()).worker is not None


async def test_no_password_and_no_key_is_told(short_path: Path) -> None:
    password, key = new_password(), "emergency-key-of-the-test"
    redis = RedisProcess(short_path, password=password)
    try:
        variables = {"QUEUESERVER_REDIS_URL": redis.url, "QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER": key}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            with running_stack(startup=STARTUP) as stack:
                async with AsyncClient(stack.address) as client, connect(stack.address) as stubs:
                    await client.environment.open()
                    answer: Any = await stubs.server.GetServerInfo(pb.GetServerInfoRequest())
    finally:
        redis.close()
    text = answer.SerializeToString().decode("latin-1")
    assert password not in text
    assert key not in text
    assert answer.info.redis.address
    assert len(text) < 64 * 1024
