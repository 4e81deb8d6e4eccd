"""Console text: all of it, in order, before the outcome, and in nobody's way."""

from __future__ import annotations

import os
from pathlib import Path

from queueserver.common.v1 import console_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.integration.worker.supervisor.scripted_child import BIG_OUTPUT_LINES
from tests.integration.worker.supervisor.worker_harness import running_worker


async def test_ten_megabytes_of_prints_arrive_whole_and_before_the_outcome(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        execution_id = await worker.run("print_much")
        for _ in range(20):
            await worker.stub.AcknowledgeOutcomes(pb.AcknowledgeOutcomesRequest(epoch=1))
        await watching.outcome(execution_id)
    pieces = [e.console for e in watching.events if e.HasField("console")]
    assert "".join(piece.text for piece in pieces) == "".join(f"{n:099d}\n" for n in range(BIG_OUTPUT_LINES))
    assert max(len(piece.text.encode()) for piece in pieces) <= 64 * 1024
    assert {piece.item_uid for piece in pieces} == {f"item of {execution_id}"}
    assert {piece.stream for piece in pieces} == {console_pb2.CONSOLE_STREAM_STDOUT}
    kinds = [e.WhichOneof("event") for e in watching.events]
    last_text = max(index for index, kind in enumerate(kinds) if kind == "console")
    assert last_text < kinds.index("execution_finished")


async def test_characters_that_are_split_are_joined_and_bytes_that_are_none_are_replaced(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await watching.outcome(await worker.run("print_bad_bytes"))
    assert watching.console() == "café \ufffd end\n"


async def test_the_last_words_of_a_dying_process_arrive(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await watching.outcome(await worker.run("print_and_die"))
    assert watching.console().startswith("last words\n")
    told_by_the_worker = [
        e.console.text for e in watching.events if e.console.stream == console_pb2.CONSOLE_STREAM_WORKER
    ]
    assert told_by_the_worker == ["The environment process ended with exit code 5 while the plan ran.\n"]


async def test_what_a_plan_prints_is_shown_where_the_worker_runs(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.run_to_its_end(watching, "print_bad_bytes")
        worker.process.output.wait_for("café \ufffd end")


async def test_nothing_is_shown_where_that_is_not_wanted(short_path: Path) -> None:
    async with running_worker(short_path, "ready", "--console-output", "OFF") as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.run_to_its_end(watching, "print_bad_bytes")
        assert worker.process.stop() == 0
        worker.process.output.wait_until_ended()
        assert "end" not in str(worker.process.output).split()
        assert "The Worker is being stopped." in str(worker.process.output)


async def test_a_terminal_that_does_not_read_holds_nothing_up(short_path: Path) -> None:
    terminal = short_path / "terminal"
    os.mkfifo(terminal)
    unread = os.open(terminal, os.O_RDWR)
    try:
        async with running_worker(short_path, output=terminal) as worker:
            watching = await worker.watch()
            await worker.open(watching)
            await worker.run_to_its_end(watching, "print_much")
            await worker.run_to_its_end(watching, "print_and_die")
            await worker.open(watching)
            await worker.run_to_its_end(watching, "count")
            assert worker.process.stop() == 0
    finally:
        os.close(unread)
