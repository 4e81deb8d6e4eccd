from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

from queueserver.manager.v1 import event_pb2, event_service_pb2, status_pb2

from tests.integration.cli.conftest import environment
from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled


async def test_monitor_prints_the_status_and_each_change_of_it_until_ctrl_c(manager: ScriptedManager) -> None:
    told = asyncio.Event()

    async def follow(_: Any) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        status = status_pb2.ManagerStatus(items_in_queue=1)
        snapshot = event_service_pb2.WatchSnapshot(status=status, complete=True)
        yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t")
        status = status_pb2.ManagerStatus(items_in_queue=2)
        batch = event_service_pb2.EventBatch(events=[event_pb2.WatchEvent(status=status)])
        yield event_service_pb2.WatchEventsResponse(batch=batch, resume_token="u")
        told.set()
        await until_cancelled()

    manager.answers["WatchEvents"] = follow
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "queueserver_cli", "--json", "monitor"),
        env=environment(manager.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), 60.0) for _ in range(2)]
    assert [json.loads(line)["items_in_queue"] for line in lines] == [1, 2]
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.communicate(), 60.0) == (b"", b"")
    assert process.returncode == 0
