"""What a Worker reports of a large beamline is taken apart in turns."""

from __future__ import annotations

import asyncio

from queueserver.common.v1 import inventory_pb2, item_pb2
from queueserver.worker.v1 import event_pb2
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.worker_client import port
from queueserver_manager.worker_client.convert import events_from_proto, snapshot_from_proto
from queueserver_manager.worker_client.inventory import inventory_from_proto

LARGE = inventory_pb2.Inventory(
    plans=[inventory_pb2.PlanDescription(name=f"p{number}", description="x" * 1000) for number in range(3_000)],
    devices=[inventory_pb2.DeviceDescription(name=f"d{number}") for number in range(3_000)],
)


async def turns_of_others(work: asyncio.Task[object]) -> int:
    turns = 0
    while not work.done():
        await next_turn()
        turns += 1
    return turns


async def test_others_have_turns_while_a_snapshot_is_taken_apart() -> None:
    reading = asyncio.create_task(snapshot_from_proto(event_pb2.WorkerSnapshot(inventory=LARGE)))
    assert await turns_of_others(reading) > 5
    assert (await reading).inventory == inventory_from_proto(LARGE)


async def test_others_have_turns_while_an_event_is_taken_apart_and_the_order_is_kept() -> None:
    messages = [
        event_pb2.WorkerEvent(sequence=1),
        event_pb2.WorkerEvent(sequence=2, inventory_changed=LARGE),
        event_pb2.WorkerEvent(sequence=3, run_closed=event_pb2.RunClosed(run_uid="r", exit_status="fail")),
    ]
    reading = asyncio.create_task(events_from_proto(messages))
    assert await turns_of_others(reading) > 5
    # The first is of a kind that only a newer Worker knows.
    unknown, first, second = await reading
    assert (unknown.sequence, unknown.event) == (1, port.Other())
    assert (first.sequence, first.event) == (2, port.InventoryReported(inventory_from_proto(LARGE)))
    assert (second.sequence, second.event) == (3, port.RunClosed("r", "fail"))


async def test_others_have_turns_while_the_runs_of_a_long_plan_are_taken_apart_and_the_order_is_kept() -> None:
    runs = [item_pb2.RunSummary(run_uid=str(number), scan_id=number, exit_status="success") for number in range(5_000)]
    outcome = event_pb2.ExecutionOutcome(execution_id="e", result=item_pb2.ItemResult(runs=runs))
    reading = asyncio.create_task(events_from_proto([event_pb2.WorkerEvent(sequence=1, execution_finished=outcome)]))
    assert await turns_of_others(reading) > 5
    (told,) = await reading
    assert isinstance(told.event, port.ExecutionFinished)
    assert [run.uid for run in told.event.outcome.result.runs] == [str(number) for number in range(5_000)]
