from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import grpc
from google.protobuf import timestamp_pb2
from queueserver.common.v1 import console_pb2, document_pb2, item_pb2, value_pb2
from queueserver.manager.v1 import event_pb2, event_service_pb2, lock_pb2, queue_pb2, status_pb2
from queueserver_client import AsyncClient
from queueserver_rpc.status import Refusal

from tests.integration.cli.conftest import Qserver, environment
from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled
from tests.unit.cli.dashboard.shown import Shown

ITEM = item_pb2.Item(name="count", item_uid="u-1", user="jane", item_type=item_pb2.ITEM_TYPE_PLAN)
HELD = item_pb2.Item(name="scan", item_uid="u-2", item_type=item_pb2.ITEM_TYPE_PLAN, held=True)
MODE = queue_pb2.QueueMode(loop=True, interrupted=queue_pb2.INTERRUPTED_POLICY_HOLD)
NOW = timestamp_pb2.Timestamp(seconds=1_700_000_000)


def document(**kind: Any) -> event_pb2.WatchEvent:
    run_document = event_pb2.DocumentEmitted(item_uid="u-1", run_uid="r-1", document=document_pb2.RunDocument(**kind))
    return event_pb2.WatchEvent(time=NOW, document=run_document)


def story() -> list[event_pb2.WatchEvent]:
    values = {"det1": value_pb2.DataValue(number=5.25), "bad": value_pb2.DataValue(number=float("nan"))}
    values["motor"] = value_pb2.DataValue(integer=1)
    hints = document_pb2.RunHints(dimensions=[document_pb2.Dimension(fields=["motor"], stream="primary")])
    extra = {"num_points": value_pb2.DataValue(integer=2)}
    start = document_pb2.RunStart(uid="r-1", scan_id=7, plan_name="count", hints=hints, extra=extra)
    columns = ["det1", "motor", "bad"]
    keys = {column: document_pb2.DataKey(dtype="number") for column in columns}
    descriptor = document_pb2.EventDescriptor(uid="d-1", name="primary", data_keys=keys, columns=columns)
    status = status_pb2.ManagerStatus(manager_state=status_pb2.MANAGER_STATE_EXECUTING_QUEUE)
    pausing = status_pb2.ManagerStatus(manager_state=status.manager_state, pause_pending=True)
    paused = status_pb2.ManagerStatus(manager_state=status_pb2.MANAGER_STATE_PAUSED, queue_mode=MODE)
    return [
        event_pb2.WatchEvent(time=NOW, revision=2, item_added=event_pb2.ItemAdded(item=ITEM, index=0)),
        event_pb2.WatchEvent(
            time=NOW, revision=3, item_started=event_pb2.ItemStarted(running_item=item_pb2.RunningItem(item=ITEM))
        ),
        event_pb2.WatchEvent(time=NOW, status=status),
        event_pb2.WatchEvent(time=NOW, revision=4, queue_mode_changed=event_pb2.QueueModeChanged(mode=MODE)),
        event_pb2.WatchEvent(time=NOW, revision=5, autostart_changed=event_pb2.AutostartChanged(enabled=True)),
        event_pb2.WatchEvent(time=NOW, revision=6, items_moved=event_pb2.ItemsMoved(item_uids=["a", "b"], index=1)),
        event_pb2.WatchEvent(
            time=NOW, revision=7, item_updated=event_pb2.ItemUpdated(item_uid="a", item=HELD, index=1)
        ),
        event_pb2.WatchEvent(time=NOW, status=pausing),
        event_pb2.WatchEvent(time=NOW, status=paused),
        document(start=start),
        document(event_descriptor=descriptor),
        document(event=document_pb2.EventDocument(uid="e-1", descriptor_uid="d-1", seq_num=1, data=values)),
        event_pb2.WatchEvent(time=NOW, console=console_pb2.ConsoleOutput(time=NOW, text="hello [red]wor")),
        event_pb2.WatchEvent(time=NOW, console=console_pb2.ConsoleOutput(time=NOW, text="ld[/]\nrest")),
        document(stop=document_pb2.RunStop(uid="s-1", run_start_uid="r-1", exit_status="success")),
        event_pb2.WatchEvent(
            time=NOW, gap=event_pb2.EventGap(kinds=[event_pb2.EVENT_KIND_DOCUMENT], omitted_bytes=70_000_000)
        ),
        event_pb2.WatchEvent(time=NOW, gap=event_pb2.EventGap(kinds=[event_pb2.EVENT_KIND_CONSOLE])),
    ]


def play(manager: ScriptedManager) -> None:
    async def stream(_: event_service_pb2.WatchEventsRequest) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        snapshot = event_service_pb2.WatchSnapshot(
            revision=1, complete=True, status=status_pb2.ManagerStatus(items_in_queue=1), queue=[ITEM]
        )
        yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t1")
        yield event_service_pb2.WatchEventsResponse(
            batch=event_service_pb2.EventBatch(events=story()), resume_token="t2"
        )
        await until_cancelled()

    manager.answers["WatchEvents"] = stream


async def watched(
    manager: ScriptedManager, *options: str, until: str, stop_at: str = "never"
) -> tuple[list[str], int, str]:
    """Lines that `qserver watch` prints until one contains a text, and after the Ctrl-C that follows; how it ended.

    The server goes away when a line contains ``stop_at``.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "queueserver_cli",
        *options,
        "watch",
        env=environment(manager.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or until not in lines[-1]:
        line = await asyncio.wait_for(process.stdout.readline(), 60.0)
        assert line, lines
        lines.append(line.decode().rstrip("\n"))
        if stop_at in lines[-1]:
            await manager.stop()
    process.send_signal(signal.SIGINT)
    rest, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert process.returncode is not None
    return [*lines, *rest.decode().splitlines()], process.returncode, err.decode()


async def test_in_a_pipe_a_watch_is_plain_lines_and_ctrl_c_ends_it_quietly(manager: ScriptedManager) -> None:
    play(manager)
    lines, code, err = await watched(manager, until="some events were lost")
    assert (code, err) == (0, "")
    assert lines[0] == "Arguments: ['watch']"
    moment = f"{datetime.fromtimestamp(NOW.seconds):%Y-%m-%d %H:%M:%S} - "  # noqa: DTZ006 - here, as people read it
    assert {line.startswith(moment) for line in lines[4:]} == {True}
    words = [line.partition(" - ")[2] for line in lines[1:]]
    assert words[2:] == [
        "  0: count()",
        "added at 0: count() by jane",
        "started: count()",
        "manager executing_queue, environment unknown",
        "queue mode: loop on, ignore_failures off, interrupted hold",
        "autostart on",
        "moved to 1: 2 items",
        "updated at 1: scan() (held)",
        "manager executing_queue, pausing, environment unknown",
        "manager paused, environment unknown",
        "run 7 of count begins (r-1)",
        "  primary 1/2  motor 1  det1 5.25  bad nan",
        "| hello [red]world[/]",
        "run 7 of count ends: success",
        "one of 70000000 bytes was left out here: document",
        "some events were lost here: console",
        "| rest",
    ]


async def test_a_watch_begins_with_who_holds_the_lock_and_who_asks_for_it(manager: ScriptedManager) -> None:
    asked = lock_pb2.LockRequest(queue=True, user="bob", note="alignment", time=NOW, end_time=NOW)
    lock = lock_pb2.LockInfo(environment=True, queue=True, user="jane", time=NOW, request=asked)

    async def stream(_: event_service_pb2.WatchEventsRequest) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        snapshot = event_service_pb2.WatchSnapshot(revision=1, complete=True, queue=[ITEM], lock_info=lock)
        yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t1")
        await until_cancelled()

    manager.answers["WatchEvents"] = stream
    lines, code, err = await watched(manager, until="0: count()")
    assert (code, err) == (0, "")
    here = f"{datetime.fromtimestamp(NOW.seconds):%H:%M:%S}"  # noqa: DTZ006 - as above
    assert [line.partition(" - ")[2] for line in lines[1:3]] == [
        f"Locked by jane: environment and queue since {here}",
        f"bob asks for the lock of queue: alignment (until {here}). Answer: qserver lock grant, or lock refuse",
    ]


async def test_a_watch_says_in_its_own_words_that_the_server_is_away(manager: ScriptedManager) -> None:
    play(manager)
    lines, code, err = await watched(manager, until="Trying again.", stop_at="some events were lost")
    (lost,) = [line for line in lines if "Trying again." in line]
    assert " - not connected: The connection to " in lost
    assert lost.endswith("was lost before the answer came. Trying again.")
    assert (code, err) == (0, "")


async def test_for_programs_a_watch_is_one_object_on_each_line(manager: ScriptedManager) -> None:
    play(manager)
    lines, code, err = await watched(manager, "--json", until='["console"]')
    assert (code, err) == (0, "")
    found = [json.loads(line, parse_constant=lambda name: f"not JSON: {name}") for line in lines]
    names = [
        "snapshot",
        "item_added",
        "item_started",
        "status",
        "queue_mode_changed",
        "autostart_changed",
        "items_moved",
        "item_updated",
        "status",
        "status",
        *["document"] * 3,
        "console",
        "console",
        "document",
        "gap",
        "gap",
        "watch_ended",
    ]
    assert [event["event"] for event in found] == names
    assert found[0]["queue"][0]["item_uid"] == "u-1"
    assert found[1]["time"] == 1_700_000_000.0
    assert found[12]["document"]["document"]["data"] == {"det1": 5.25, "bad": "NaN", "motor": 1}


async def test_a_watch_ends_with_a_token_from_which_another_one_goes_on(manager: ScriptedManager) -> None:
    play(manager)
    lines, _, _ = await watched(manager, "--json", until='["console"]')
    token = json.loads(lines[-1])["resume_token"]
    assert token == "t2"
    _, code, err = await watched(manager, "--json", "--resume", token, until='["console"]')
    assert (code, err) == (0, "")
    assert [request.resume_token for request in manager.requests("WatchEvents")] == ["", "t2"]


async def test_a_watch_that_never_began_has_no_token_to_tell(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["WatchEvents"] = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID", "No token of ours."
    )
    ended = await qserver("--json", "watch")
    assert (ended.code, json.loads(ended.out)["reason"]) == (2, "RESUME_TOKEN_INVALID")


async def test_a_token_belongs_to_a_watch_only(manager: ScriptedManager, qserver: Qserver) -> None:
    ended = await qserver("status", "--resume", "t2")
    assert (ended.code, manager.calls) == (1, [])
    assert "--resume belongs to: watch." in ended.err


async def test_a_watch_whose_reader_went_away_ends_quietly(manager: ScriptedManager) -> None:
    play(manager)
    read, write = os.pipe()
    os.close(read)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "queueserver_cli",
        "--json",
        "watch",
        env=environment(manager.address),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(write)
    _, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert (process.returncode, err) == (0, b"")


async def test_on_a_terminal_queue_progress_and_readings_are_shown(manager: ScriptedManager) -> None:
    play(manager)
    shown = Shown()
    async with AsyncClient(manager.address) as client, client.watch() as watch:
        for _ in range(1 + len(story())):
            shown.show(await asyncio.wait_for(watch.__anext__(), 10.0))
    screen = shown.text()
    for text in (
        "hello [red]world[/]",
        "manager paused, loop",
        "count()",
        "run 7 of count:",
        "1/2 points success",
        "5.25",
    ):
        assert text in screen


async def test_on_a_terminal_no_run_of_another_item_is_shown(manager: ScriptedManager) -> None:
    first, second = (
        event_pb2.WatchEvent(
            time=NOW, revision=number, item_started=event_pb2.ItemStarted(running_item=item_pb2.RunningItem(item=item))
        )
        for number, item in ((2, ITEM), (4, HELD))
    )
    run = document(start=document_pb2.RunStart(uid="r-1", scan_id=7, plan_name="count"))
    finished = event_pb2.WatchEvent(time=NOW, revision=3, item_finished=event_pb2.ItemFinished(item_uid=ITEM.item_uid))

    async def stream(_: event_service_pb2.WatchEventsRequest) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        yield event_service_pb2.WatchEventsResponse(
            snapshot=event_service_pb2.WatchSnapshot(revision=1, complete=True), resume_token="t1"
        )
        yield event_service_pb2.WatchEventsResponse(
            batch=event_service_pb2.EventBatch(events=[first, run, finished, second]), resume_token="t2"
        )
        await until_cancelled()

    manager.answers["WatchEvents"] = stream
    shown, pictures = Shown(), list[str]()
    async with AsyncClient(manager.address) as client, client.watch() as watch:
        for _ in range(5):
            pictures.append(shown.show(await asyncio.wait_for(watch.__anext__(), 10.0)).text())
    before, _, running, ended, other = pictures
    assert "Queue: 0 items" in before
    for picture in (running, ended):
        assert "run 7 of count" in picture
    assert "scan()" in other
    assert "run 7" not in other
