"""A function that does nothing: from the call to the accepted task, and from there to its result."""

from __future__ import annotations

import asyncio
import time

from queueserver.common.v1.task_pb2 import FunctionCall
from queueserver.manager.v1 import task_service_pb2, task_status_pb2

from tests.bench.channel import Stubs, connect
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.group_rules import set_permissions
from tests.bench.queue_run import BOUND_SECONDS, open_environment
from tests.harness.stack import running_stack

TASKS = 200
_WARM_UP = 20


async def measure() -> list[Figure]:
    """In the foreground and in the background, one after the other."""
    figures = []
    with running_stack() as stack:
        async with connect(stack.address) as stubs:
            await open_environment(stubs)
            await set_permissions(stubs)
            for what, background in (("foreground", False), ("background", True)):
                await _run(stubs, _WARM_UP, background=background)
                accepted, known = await _run(stubs, TASKS, background=background)
                figures += [
                    Figure(f"{what}: called → accepted, p50", milliseconds(accepted), "ms", note=spread(accepted)),
                    Figure(f"{what}: accepted → result known, p50", milliseconds(known), "ms", note=spread(known)),
                ]
    return figures


async def _run(stubs: Stubs, count: int, *, background: bool) -> tuple[list[float], list[float]]:
    """Seconds until each was accepted, and from there until its result was known."""
    request = task_service_pb2.ExecuteFunctionRequest(
        function=FunctionCall(name="clear_buffer"), run_in_background=background
    )
    accepted, known = [], []
    for _ in range(count):
        begin = time.perf_counter()
        task = (await stubs.tasks.ExecuteFunction(request)).task
        middle = time.perf_counter()
        await asyncio.wait_for(_result(stubs, task.task_uid), BOUND_SECONDS)
        accepted.append(middle - begin)
        known.append(time.perf_counter() - middle)
    return accepted, known


async def _result(stubs: Stubs, task_uid: str) -> None:
    async for answer in stubs.tasks.WaitTask(task_service_pb2.WaitTaskRequest(task_uid=task_uid)):
        if answer.status.state == task_status_pb2.TASK_STATE_FINISHED:
            if not answer.status.result.success:
                raise RuntimeError(f"the function failed: {answer.status.result.message}")
            return
