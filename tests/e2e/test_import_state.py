"""The state of another server, taken over in parts: what is added, and that nothing is added twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.permissions_pb2 import GroupPermissions, UserGroupPermissions
from queueserver.manager.v1 import history_service_pb2 as hist
from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver.manager.v1 import lock_service_pb2 as lock
from queueserver.manager.v1 import queue_execution_pb2 as execution
from queueserver.manager.v1 import queue_items_pb2 as q
from queueserver_client import AsyncClient, AutostartChanged, ExitStatus, Plan

from tests.harness.parts import Parts
from tests.harness.progress import until
from tests.harness.raw import Stubs, connect, refused
from tests.harness.wait import first

KEY = "annas key"
EVERYTHING = GroupPermissions(all_plans=True, all_devices=True, all_functions=True)
LISTED = q.ListItemsRequest(page_size=1000)


def items(*uids: str, name: str = "one_run") -> list[item_pb2.Item]:
    return [
        item_pb2.Item(item_uid=uid, name=name, user="Anna", user_group="primary", create_time=Timestamp(seconds=9))
        for uid in uids
    ]


def entries(*uids: str, status: Any = item_pb2.EXIT_STATUS_COMPLETED) -> list[item_pb2.HistoryEntry]:
    result = item_pb2.ItemResult(
        exit_status=status,
        runs=[item_pb2.RunSummary(run_uid="run", scan_id=3)],
        start_time=Timestamp(seconds=10),
        stop_time=Timestamp(seconds=11, nanos=500_000_000),
    )
    return [item_pb2.HistoryEntry(item=item, result=result) for item in items(*uids)]


def request(import_id: str, item_count: int = 0, history_count: int = 0, **more: Any) -> pb.ImportStateRequest:
    return pb.ImportStateRequest(import_id=import_id, item_count=item_count, history_count=history_count, **more)


@pytest.fixture
async def empty(raw: Stubs, shared_client: AsyncClient) -> AsyncIterator[Stubs]:
    """A server with an empty queue and history, and so again afterwards."""
    del shared_client
    yield raw
    await raw.lock.ReleaseLock(lock.ReleaseLockRequest(lock_key=KEY))
    await raw.queue.SetAutostart(execution.SetAutostartRequest(enabled=False))
    await raw.queue.SetQueueMode(execution.SetQueueModeRequest(reset_to_defaults=True))


async def queue_of(raw: Stubs) -> Sequence[str]:
    return [item.item_uid for item in (await raw.queue.ListItems(LISTED)).items]


async def history_of(raw: Stubs) -> Sequence[Any]:
    return list((await raw.history.ListHistory(hist.ListHistoryRequest(page_size=1000))).entries)


async def test_items_and_entries_keep_everything_that_they_had(empty: Stubs, shared_client: AsyncClient) -> None:
    retry = item_pb2.Item(
        item_uid="b", name="one_run", user="Åsa", user_group="primary", attempt=2, retry_of_uid="a", held=True
    )
    retry.kwargs["text"], retry.meta["sample"], retry.properties["mine"] = "x", "s1", 1
    done = await empty.server.ImportState(
        request("whole", 2, 1, items=[retry, *items("c")], history=entries("a", status=item_pb2.EXIT_STATUS_FAILED))
    )
    assert (done.items_done, done.history_done, done.known_count) == (2, 1, 0)
    assert done.HasField("complete_time")
    listed = (await empty.queue.ListItems(LISTED)).items
    assert [one.item_uid for one in listed] == ["b", "c"]
    kept = item_pb2.Item()
    kept.CopyFrom(listed[0])
    kept.ClearField("problems")
    retry.item_type = item_pb2.ITEM_TYPE_PLAN
    retry.create_time.CopyFrom(kept.create_time)
    assert kept == retry
    assert listed[1].create_time.seconds == 9
    (entry,) = [entry async for entry in shared_client.history.list()]
    assert (entry.item.uid, entry.result.exit_status) == ("a", ExitStatus.FAILED)
    assert [(run.uid, run.scan_id) for run in entry.result.runs] == [("run", 3)]


async def test_a_part_that_is_sent_again_adds_nothing_even_if_what_it_added_is_gone(empty: Stubs) -> None:
    first = request("parts", 3, 2, items=items("a", "b"), history=entries("x"))
    assert not (await empty.server.ImportState(first)).HasField("complete_time")
    again = await empty.server.ImportState(first)
    assert (again.items_done, again.history_done) == (2, 1)
    overlapping = request(
        "parts", 3, 2, item_start=1, items=items("b", "c"), history_start=1, history=entries("y"), autostart=False
    )
    done = await empty.server.ImportState(overlapping)
    assert (done.items_done, done.history_done, done.HasField("complete_time")) == (3, 2, True)
    assert await queue_of(empty) == ["a", "b", "c"]
    assert [entry.item.item_uid for entry in await history_of(empty)] == ["x", "y"]
    await empty.queue.ClearQueue(q.ClearQueueRequest(all=True))
    await empty.history.ClearHistory(hist.ClearHistoryRequest(all=True))
    for part in (first, overlapping):
        assert (await empty.server.ImportState(part)).complete_time == done.complete_time
    assert (await queue_of(empty), await history_of(empty)) == ([], [])


async def test_a_part_that_would_leave_something_out_is_refused(empty: Stubs) -> None:
    refusal = await refused(empty.server.ImportState(request("gap", 9, item_start=1, items=items("a"))))
    assert (refusal.reason, "item_start" in refusal.violations) == ("FIELD_INVALID", True)
    await empty.server.ImportState(request("gap", 9))
    changed = await refused(empty.server.ImportState(request("gap", 8)))
    assert "item_count" in changed.violations


async def test_a_server_that_is_not_empty_takes_an_import_only_if_told_to_and_no_uid_twice(empty: Stubs) -> None:
    await empty.server.ImportState(request("one", 1, 1, items=items("a"), history=entries("x")))
    other = request("two", 3, 2, items=items("a", "b", "b"), history=entries("x", "y"))
    for is_check in (True, False):
        other.validate_only = is_check
        assert (await refused(empty.server.ImportState(other))).reason == "NOT_EMPTY"
    other.into_existing = True
    done = await empty.server.ImportState(other)
    assert (done.items_done, done.history_done, done.known_count) == (3, 2, 3)
    assert await queue_of(empty) == ["a", "b"]
    assert [entry.item.item_uid for entry in await history_of(empty)] == ["x", "y"]


async def test_settings_are_applied_once_when_an_import_begins_and_autostart_when_it_ends(
    empty: Stubs, shared_client: AsyncClient
) -> None:
    groups = UserGroupPermissions(user_groups={"root": EVERYTHING, "primary": EVERYTHING, "admin": EVERYTHING})
    settings = pb.ImportedSettings(
        permissions=groups,
        loop=True,
        ignore_failures=True,
        lock=pb.ImportedLock(environment=True, user="Anna", note="until Monday", time=Timestamp(seconds=100)),
    )
    begin = request("settings", 1, settings=settings, autostart=True, lock_key=KEY)
    await empty.server.ImportState(begin)
    status = await shared_client.status()
    assert (status.queue_mode.loop, status.queue_mode.ignore_failures) == (True, True)
    assert not status.queue_autostart_enabled
    held = await empty.lock.GetLock(lock.GetLockRequest(lock_key=KEY))
    info = held.lock_info
    assert (held.key_fits, info.environment, info.queue) == (True, True, False)
    assert (info.user, info.note, info.time.seconds) == ("Anna", "until Monday", 100)
    stop = item_pb2.Item(
        item_uid="s", item_type=item_pb2.ITEM_TYPE_INSTRUCTION, name="queue_stop", user="Anna", user_group="primary"
    )
    assert (await refused(empty.server.ImportState(request("settings", 1, items=[stop])))).reason == "LOCKED"
    await empty.queue.SetQueueMode(execution.SetQueueModeRequest(reset_to_defaults=True))
    async with shared_client.watch() as watch:
        await first(watch, lambda _: True)
        await empty.server.ImportState(request("settings", 1, items=[stop], autostart=True, lock_key=KEY))
        await first(watch, lambda event: isinstance(event, AutostartChanged) and event.enabled)
    assert not (await shared_client.status()).queue_mode.loop


async def test_items_that_would_be_refused_are_kept_and_marked(empty: Stubs, shared_client: AsyncClient) -> None:
    wrong = items("a", name="no_such_plan")
    group = items("b")
    group[0].user_group = "nobody knows"
    await empty.server.ImportState(request("invalid", 3, items=[*wrong, *group, *items("c")]))
    await until(shared_client, lambda status: status.invalid_items == 2)
    listed = (await empty.queue.ListItems(LISTED)).items
    assert [bool(item.problems) for item in listed] == [True, True, False]


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("items[0].item_uid", {"items": items("")}),
        ("items[0].user", {"items": [item_pb2.Item(item_uid="a", name="p", user_group="g")]}),
        ("items[0].name", {"items": items("a", name="")}),
        ("history[0].result.exit_status", {"history": [item_pb2.HistoryEntry(item=items("a")[0])]}),
        ("import_id", {"import_id": ""}),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_nothing_is_begun(
    empty: Stubs, field: str, part: dict[str, Any]
) -> None:
    wrong = request("wrong", 1, 1)
    wrong.MergeFrom(pb.ImportStateRequest(**part))
    if part == {"import_id": ""}:
        wrong.import_id = ""
    assert field in (await refused(empty.server.ImportState(wrong))).violations
    assert await queue_of(empty) == []


async def test_a_check_says_what_there_is_of_an_import_and_changes_nothing(empty: Stubs) -> None:
    check = request("check", 2, items=items("a"), validate_only=True)
    first = await empty.server.ImportState(check)
    assert (first.items_done, first.HasField("begin_time")) == (0, False)
    assert await queue_of(empty) == []
    await empty.server.ImportState(request("check", 2, items=items("a")))
    later = await empty.server.ImportState(check)
    assert (later.items_done, later.HasField("begin_time")) == (1, True)


async def test_an_import_that_was_interrupted_goes_on_after_the_manager_was_killed(
    parts: Parts, parts_client: AsyncClient
) -> None:
    async with connect(parts.address) as stubs:
        await stubs.server.ImportState(request("killed", 2, 1, items=items("k1"), history=entries("h1")))
    with parts.manager_killed():
        pass
    await parts_client.queue.page()
    async with connect(parts.address) as stubs:
        left = await stubs.server.ImportState(request("killed", 2, 1))
        assert (left.items_done, left.history_done, left.HasField("complete_time")) == (1, 1, False)
        await stubs.server.ImportState(request("killed", 2, 1, item_start=1, items=items("k2")))
        assert await queue_of(stubs) == ["k1", "k2"]
        assert [entry.item.item_uid for entry in await history_of(stubs)] == ["h1"]
    await parts_client.queue.add(Plan("one_run"))
