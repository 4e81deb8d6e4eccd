"""What is done in each environment: the work of a morning, through the Python client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import numpy as np
from queueserver_client import AsyncClient, ExitStatus, ItemHandle, ManagerState, Plan, RunDocument, columns

from tests.environments.cells import Cell
from tests.harness.progress import begun, until_state
from tests.harness.wait import bounded

Step = Callable[[AsyncClient, Cell], Awaitable[None]]
_CAMERA: Final = (Path(__file__).parent / "startup" / "camera.py.txt").read_text("utf-8")
_OPEN_SECONDS: Final = 120.0


async def open_environment(client: AsyncClient, cell: Cell) -> None:
    """It opens, and tells on which Python and bluesky."""
    await client.environment.open(wait_timeout=_OPEN_SECONDS)
    environment = (await client.server.info()).environment
    assert environment is not None
    assert f" {cell.python}." in environment.python, environment.python
    assert "bluesky" in environment.libraries, environment.libraries
    assert not [issue for issue in await client.inventory.issues() if issue.name != "async_sample"]


async def describe(client: AsyncClient, _: Cell) -> None:
    """Plans are described, with what their docstrings say about each parameter."""
    plan = await client.inventory.plan("scan")
    assert plan.description
    assert next(parameter for parameter in plan.parameters if parameter.name == "num").description


async def call_function(client: AsyncClient, _: Cell) -> None:
    """A function returns its value."""
    task = await client.tasks.execute_function("function_sleep", 0.25)
    assert await task.result(timeout=30) == {"success": True, "time": 0.25}


async def upload_script(client: AsyncClient, _: Cell) -> None:
    """A script brings a device."""
    task = await client.tasks.upload_script(_CAMERA)
    assert (await task.wait(timeout=30)).success
    assert await client.inventory.device("camera")


async def count(client: AsyncClient, _: Cell) -> None:
    """Arrays arrive as they were read."""
    documents = await _documents_of(client, Plan("count", ["det1", "camera"], num=3))
    assert [document.name for document in documents] == ["start", "descriptor", "event", "event", "event", "stop"]
    images = columns(documents)["image"]
    assert len(images) == 3
    for image in images:
        assert (image.dtype, image.shape) == (np.dtype(">u2"), (2, 3))
        assert (image == np.arange(6).reshape(2, 3)).all()


async def scan(client: AsyncClient, _: Cell) -> None:
    """A motor moves."""
    documents = await _documents_of(client, Plan("scan", ["det"], "motor", -1, 1, 5))
    assert columns(documents)["motor"] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert documents[0].document["versions"]["bluesky"]


async def simulate(client: AsyncClient, _: Cell) -> None:
    """A simulation counts points and moves nothing."""
    simulation = await client.planning.simulate(Plan("scan", ["det"], "motor", 7, 8, 5))
    assert simulation.points == 5


async def pause_and_resume(client: AsyncClient, _: Cell) -> None:
    """A paused plan is resumed and completes."""
    (handle,) = await begun(client, Plan("count", ["det1"], num=20, delay=0.05))
    # At a checkpoint: to repeat the first reading of a run is beyond bluesky 1.12 itself.
    await client.run_engine.pause()
    await until_state(client, ManagerState.PAUSED)
    await client.run_engine.resume()
    await _expect(handle, ExitStatus.COMPLETED)
    await until_state(client, ManagerState.IDLE)


async def abort(client: AsyncClient, _: Cell) -> None:
    """A running plan is aborted at once."""
    (handle,) = await begun(client, Plan("count", ["det1"], num=10_000, delay=0.05))
    await client.run_engine.abort_now("enough")
    await _expect(handle, ExitStatus.ABORTED)
    await until_state(client, ManagerState.IDLE)
    # What was aborted is in front of the queue again.
    await client.queue.clear()


async def close(client: AsyncClient, _: Cell) -> None:
    """It closes by itself, and was not killed."""
    environment = await client.environment.close()
    assert environment.failure is None


STEPS: Final[tuple[Step, ...]] = (
    open_environment,
    describe,
    call_function,
    upload_script,
    count,
    scan,
    simulate,
    pause_and_resume,
    abort,
    close,
)


async def _documents_of(client: AsyncClient, item: Plan) -> list[RunDocument]:
    handle = await client.queue.add(item)
    await client.queue.start()
    await _expect(handle, ExitStatus.COMPLETED)
    await until_state(client, ManagerState.IDLE)
    return [document async for document in handle.documents()]


async def _expect(handle: ItemHandle, wanted: ExitStatus) -> None:
    result = (await bounded(handle.result())).result
    assert result.exit_status is wanted, result
    assert not result.notices, result.notices
