"""The RunEngine's metadata: what is shown of it, and when it can't be."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from queueserver_client import AsyncClient, DeadlineExceeded, ManagerState, Plan

from tests.harness.gate import Gate
from tests.harness.progress import until_state
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.stack import short_directory
from tests.harness.wait import bounded

STARTUP = """
import ctypes
import bluesky.plan_stubs as bps
from bluesky import RunEngine
RE = RunEngine({}, context_managers=[])
RE.md.update(
    sample={"name": "NiO", "owner": "somebody", "mass": 2**70},
    shape=1 + 2j,
    energy=float("nan"),
    secret="not for everybody",
)

def holding_the_interpreter(told):
    # One call tells and holds: after two, another thread could have its turn in between.
    yield from bps.null()
    with open(told, "wb", buffering=0) as pipe:
        more_than_fits = bytes(2**24)
        ctypes.PyDLL(None).write(pipe.fileno(), more_than_fits, ctypes.c_size_t(len(more_than_fits)))
"""


@pytest.fixture(scope="module")
def manager() -> Iterator[ManagerProcess]:
    """A Manager that shows some keys of the metadata, with what it needs."""
    with short_directory() as directory, contextlib.ExitStack() as opened:
        script = directory / "startup.py"
        script.write_text(STARTUP)
        redis = RedisProcess(directory)
        opened.callback(redis.close)
        worker = WorkerProcess(directory, script)
        opened.callback(worker.close)
        keys = ("--permitted-re-metadata-keys", "/sample/name", "/sample/mass", "/shape", "/energy", "/absent")
        running = ManagerProcess(redis.url, worker.address, *keys)
        opened.callback(running.close)
        yield running


@pytest.fixture
async def client(manager: ManagerProcess) -> AsyncIterator[AsyncClient]:
    """A client; the environment is open."""
    async with AsyncClient(manager.address) as connected:
        if not (await connected.status()).environment_exists:
            await connected.environment.open()
        yield connected


async def test_only_permitted_keys_are_shown_and_what_json_can_not_express_is_text(client: AsyncClient) -> None:
    assert await client.run_engine.metadata() == {
        "sample": {"name": "NiO", "mass": str(2**70)},
        "shape": "(1+2j)",
        "energy": "nan",
    }


async def test_an_environment_that_does_not_answer_is_told_as_such(client: AsyncClient, gate: Gate) -> None:
    handle = await client.queue.add(Plan("holding_the_interpreter", gate.path))
    await client.queue.start()
    gate.wait_until_told()
    before = await client.status()
    with pytest.raises(DeadlineExceeded) as caught:
        await client.run_engine.metadata()
    assert caught.value.reason == "ENVIRONMENT_UNRESPONSIVE"
    after = await client.status()
    assert (after.revision, after.running_item_uid) == (before.revision, handle.uid)
    await client.environment.destroy()
    await bounded(handle.result())
    await until_state(client, ManagerState.IDLE)
