"""A disk that is full, for however long: the plan that runs goes on, and its outcome is stored afterwards."""

from __future__ import annotations

from queueserver_client import AsyncClient, ConnectionState, EventKind, ExitStatus, ManagerState, Plan

from tests.harness import expect
from tests.harness.full_disk import disk_full_for
from tests.harness.gate import Gate
from tests.harness.progress import begun, history, until
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first


async def test_a_full_disk_touches_no_plan_and_its_outcome_is_written_when_there_is_room(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate
) -> None:
    handle, behind = await begun(shared_client, Plan("gated_run", gate.path), Plan("one_run"))
    seen = len(shared_stack.supervisor.output.lines())
    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        with disk_full_for(shared_stack.supervisor.pid, shared_stack.pid("redis"), shared_stack.pid("worker")):
            shared_stack.supervisor.output.wait_for("Disk full", after=seen)
            await until(shared_client, lambda status: status.storage is ConnectionState.DOWN)
            status = await shared_client.status()
            assert (status.manager_state, status.running_item_uid) == (ManagerState.EXECUTING_QUEUE, handle.uid)
            gate.open()
            await first(watch, expect.document("stop"))
            assert (await shared_client.status()).running_item_uid == handle.uid
        shared_stack.supervisor.output.wait_for("Redis runs again", after=seen)
    for each in (handle, behind):
        assert (await bounded(each.result())).result.exit_status is ExitStatus.COMPLETED
    entries = await history(shared_client)
    assert [(entry.item.uid, len(entry.result.runs)) for entry in entries] == [(handle.uid, 1), (behind.uid, 1)]
