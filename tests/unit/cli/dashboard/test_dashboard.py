"""The screen of `qserver watch` as lines, at moments that a test decides."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1 import environment_pb2, storage_pb2, waiting_pb2
from queueserver.manager.v1 import status_pb2
from queueserver_cli.dashboard.look import clock
from queueserver_client import (
    ConsoleStream,
    ConsoleText,
    ConsoleWritten,
    DocumentEmitted,
    EventKind,
    EventsLost,
    ExitStatus,
    HistoryAdded,
    HistoryCleared,
    HistoryEntry,
    Item,
    ItemFinished,
    ItemResult,
    ItemStarted,
    LockChange,
    LockChanged,
    LockInfo,
    LockRequest,
    Plan,
    RunDocument,
    RunningItem,
    Snapshot,
    StatusChanged,
)
from queueserver_client import Status as ManagerStatus

from tests.unit.cli.dashboard.shown import NOW, Shown


def status(**fields: Any) -> ManagerStatus:
    message = status_pb2.ManagerStatus(manager_state=status_pb2.MANAGER_STATE_EXECUTING_QUEUE, **fields)
    message.time.FromDatetime(NOW)
    return ManagerStatus.from_proto(message)


def snapshot(*queue: Item, restarted: bool = False, **fields: Any) -> Snapshot:
    return Snapshot(1, status(**fields), queue, None, (), (), (), restarted=restarted)


def started(item: Item, seconds_ago: float = 0.0) -> ItemStarted:
    return ItemStarted(2, NOW, RunningItem(replace(item, uid="u"), "e", NOW - timedelta(seconds=seconds_ago)))


def ended(item: Item, seconds: float, how: ExitStatus = ExitStatus.COMPLETED, message: str = "") -> HistoryAdded:
    begin = NOW - timedelta(hours=1)
    result = ItemResult(how, message=message, start_time=begin, stop_time=begin + timedelta(seconds=seconds))
    return HistoryAdded(3, NOW, HistoryEntry(1, item, "e", result))


def run_document(kind: str, **content: Any) -> DocumentEmitted:
    return DocumentEmitted(0, NOW, RunDocument("u", "r", kind, content))


def scan_of(points: int) -> list[DocumentEmitted]:
    hints = {"dimensions": [[["motor"], "primary"]]}
    keys = {"det": {"dtype": "number", "shape": []}, "motor": {"dtype": "number", "shape": []}}
    begin = {"plan_name": "scan", "scan_id": 7, "num_points": points, "hints": hints}
    return [
        run_document("start", uid="r", time=NOW.timestamp(), **begin),
        run_document("descriptor", uid="d", name="primary", data_keys=keys),
    ]


def point(number: int, seconds_ago: float, **data: float) -> DocumentEmitted:
    time = NOW.timestamp() - seconds_ago
    return run_document("event", uid="e", descriptor="d", seq_num=number, time=time, data=data)


def written(text: str) -> ConsoleWritten:
    return ConsoleWritten(0, NOW, ConsoleText(NOW, ConsoleStream.STDOUT, text, ""))


anything = st.text(st.characters(), max_size=60)


@given(anything, anything, anything, st.integers(1, 250), st.integers(1, 60), st.booleans())
def test_any_text_fits_into_any_screen_and_does_not_act_on_the_terminal(
    name: str, value: str, console: str, width: int, height: int, unicode: bool
) -> None:
    shown = Shown(unicode=unicode).show(
        snapshot(*[Item(name, args=[value], user=name)] * 30, environment=environment_pb2.EnvironmentStatus()),
        started(Item(name, kwargs={value: console}, user=value)),
        *scan_of(3),
        point(1, 2, det=1, motor=0),
        point(2, 1, det=3, motor=1),
        written(console),
        ended(Item(name), 1, ExitStatus.FAILED, value),
    )
    shown.link.lost(console or "gone")
    lines = shown.lines(width, height)
    assert len(lines) == height
    for line in lines:
        assert line.cell_len <= width
        assert "\x1b" not in line.plain
        assert "\n" not in line.plain
        assert unicode or line.plain.isascii()


def test_ten_thousand_items_are_counted_and_the_first_are_shown() -> None:
    text = Shown().show(snapshot(*[Plan("scan", number) for number in range(10_000)])).text(80, 24)
    assert "Queue: 10000 items" in text
    assert "   0 scan(0)" in text
    assert "… and 99" in text


def test_a_lost_connection_dims_what_is_known_and_stops_its_clocks() -> None:
    shown = Shown().show(snapshot(), started(Plan("scan"), seconds_ago=60))
    assert "1:05" in shown.wait(5).text()
    shown.link.lost("The server is gone.")
    one, other = shown.wait(2).text().splitlines(), shown.wait(20).text().splitlines()
    assert one[0].startswith(" NOT CONNECTED since ")
    assert (one[0][-40:-20], other[0][-40:-20]) != ("", "")
    assert "(0:07)" in one[0]
    assert "(0:27)" in other[0]
    assert one[1:] == other[1:]
    assert "The server is gone. Trying again." in one[1]
    assert any("1:00" in line for line in one)
    assert all(any(span.style == "dim" for span in line.spans) for line in shown.lines()[1:] if line.plain)
    assert shown.show(snapshot()).text().startswith("connected")


def test_a_server_that_is_silent_for_too_long_is_not_taken_for_connected() -> None:
    shown = Shown().show(snapshot())
    assert shown.wait(11).text().startswith("connected")
    assert shown.wait(2).text().startswith(" NO SIGN OF LIFE since")
    shown.link.alive(shown.now)
    assert shown.text().startswith("connected")


def test_the_clock_of_the_server_counts() -> None:
    shown = Shown()
    shown.now = NOW - timedelta(hours=2)  # this machine is late
    shown.show(snapshot(), started(Plan("scan"), seconds_ago=60))
    assert "1:05" in shown.wait(5).text()


@pytest.mark.parametrize("change", [snapshot(restarted=True), EventsLost(0, NOW, [EventKind.CONSOLE])])
def test_what_could_not_be_followed_is_told_for_a_while(change: Any) -> None:
    shown = Shown().show(snapshot(), change)
    said = "could not be followed" if isinstance(change, Snapshot) else "some events were lost here: console"
    assert said in shown.wait(50).show(snapshot()).text()
    assert said not in shown.wait(11).text()


def test_a_person_sees_at_the_head_what_has_to_be_seen_to() -> None:
    environment = environment_pb2.EnvironmentStatus(
        question=waiting_pb2.Question(question_id="q", prompt="Is the shutter open?"),
        suspensions=[waiting_pb2.Suspension(suspender="SuspendBoolLow", justification="No beam.")],
        responsive=True,
    )
    storage = storage_pb2.StorageStatus(message="The disk is full.")
    shown = Shown().show(
        snapshot(environment=environment, redis_storage=storage, invalid_item_count=3),
        ended(Plan("scan"), 1, ExitStatus.FAILED, "the shutter is stuck"),
    )
    text = shown.text(100, 30)
    for words in (
        "The plan asks: 'Is the shutter open?' (answer: qserver re answer TEXT)",
        "SuspendBoolLow: No beam.",
        "The disk is full.",
        "3 items in the queue would fail as things are: qserver queue get",
        ": the shutter is stuck",
    ):
        assert words in text
        assert text.index(words) < text.index("Queue:")
    small = shown.text(60, 12)
    assert "The plan asks" in small
    assert "more: qserver why" in small
    assert "Queue:" in small


def lock_changed(change: LockChange, lock: LockInfo) -> LockChanged:
    return LockChanged(5, NOW, change, lock, None, "jane", "", lock.request)


def test_who_holds_the_lock_and_who_asks_for_it_is_told_with_what_to_type() -> None:
    asked = LockRequest(
        "r", environment=False, queue=True, user="bob", note="alignment", time=NOW, lease=None, end_time=NOW
    )
    lock = LockInfo(environment=True, queue=True, user="jane", note="\x1bchange", time=NOW, lease_end_time=NOW)
    shown = Shown().show(snapshot(), lock_changed(LockChange.ACQUIRED, lock))
    here = clock(NOW)
    assert f"Locked by jane: environment and queue since {here}, lease until {here}: \\x1bchange" in shown.text()
    assert "asks" not in shown.text()
    text = shown.show(lock_changed(LockChange.REQUESTED, replace(lock, request=asked))).text(160)
    words = f"bob asks for the lock of queue: alignment (until {here}). Answer: qserver lock grant, or lock refuse"
    assert text.index(words) < text.index("Locked by jane")
    assert "jane" not in shown.show(lock_changed(LockChange.RELEASED, LockInfo())).text()
    assert "Locked by jane" in shown.show(replace(snapshot(), lock=lock)).text()


def test_a_paused_plan_says_how_it_goes_on() -> None:
    paused = status_pb2.ManagerStatus(manager_state=status_pb2.MANAGER_STATE_PAUSED)
    shown = Shown().show(StatusChanged(0, NOW, ManagerStatus.from_proto(paused)))
    assert "The plan is paused: qserver re resume" in shown.text()


@pytest.mark.parametrize(("width", "bar"), [(80, "█" * 12 + "░" * 12), (39, "███░░░"), (32, "")])
def test_the_bar_takes_the_room_that_words_leave(width: int, bar: str) -> None:
    shown = Shown().show(snapshot(), started(Plan("scan")), *scan_of(2), point(1, 0, det=1, motor=0))
    (line,) = [line for line in shown.text(width, 24).split("\n") if line.startswith("run 7 of scan: ")]
    assert line == f"run 7 of scan: {bar}{' ' if bar else ''}1/2 points · 0:00"


def test_a_failed_plan_is_told_until_another_one_completed_or_the_history_is_cleared() -> None:
    shown = Shown().show(snapshot(), ended(Plan("scan"), 1, ExitStatus.FAILED, "stuck"))
    assert re.search(r"The last plan, scan, failed at \d\d:\d\d:\d\d: stuck\. See: qserver why", shown.text())
    assert "stuck" not in shown.show(ended(Plan("scan"), 1)).text()
    shown.show(ended(Plan("scan"), 1, ExitStatus.FAILED, "stuck"), HistoryCleared(4, NOW, 1, 0))
    assert "stuck" not in shown.text()


def test_the_end_is_estimated_from_earlier_executions_then_from_points() -> None:
    plan = Plan("scan", ["det"], num=10)
    shown = Shown().show(snapshot(), started(plan, seconds_ago=12))
    assert "left" not in shown.text()
    shown.show(ended(plan, 60))
    assert "0:12 · about 48 s left, until about " in shown.text()
    shown.show(*scan_of(10), *(point(number, 7 - 2 * number, det=1, motor=number) for number in range(1, 4)))
    text = shown.text()
    assert "3/10 points" in text
    assert "about 13 s left" in text  # seven points of two seconds, and the last one was a second ago
    assert "left" not in shown.wait(13).text()  # the server says nothing


def test_points_that_came_while_the_plan_was_held_up_are_no_measure() -> None:
    shown = Shown().show(snapshot(), started(Plan("scan")), *scan_of(100))
    shown.show(point(1, 1003, det=1, motor=0), point(2, 1002, det=1, motor=0), point(3, 1001, det=1, motor=0))
    paused = environment_pb2.EnvironmentStatus(run_engine_state=environment_pb2.RUN_ENGINE_STATE_PAUSED)
    shown.show(StatusChanged(0, NOW, status(environment=paused)))
    assert "left" not in shown.text()
    shown.show(StatusChanged(0, NOW, status()), point(4, 1, det=1, motor=0), point(5, 0, det=1, motor=0))
    assert "about 2 min left" in shown.text()


def test_the_end_of_one_run_is_not_the_end_of_a_plan_that_opens_several() -> None:
    shown = Shown().show(snapshot(), started(Plan("many")))
    for _ in range(2):
        shown.show(*scan_of(10), *(point(number, 10 - 2 * number, det=1, motor=number) for number in range(1, 4)))
    assert "3/10 points" in shown.text()
    assert "left" not in shown.text()


def test_who_comes_late_sees_how_many_points_there_were() -> None:
    shown = Shown().show(snapshot(), started(Plan("scan")), *scan_of(10), point(7, 0, det=1, motor=0))
    assert "7/10 points" in shown.text()


def test_points_of_another_stream_are_counted_where_the_primary_one_has_none() -> None:
    begin = run_document("start", uid="r", time=NOW.timestamp(), plan_name="fly", scan_id=5)
    stream = run_document("descriptor", uid="d", name="flyer1", data_keys={"det": {"dtype": "number", "shape": []}})
    shown = Shown().show(snapshot(), started(Plan("fly")), begin, stream)
    assert "run 5 of fly: 0 points" in shown.text()
    shown.show(point(1, 1, det=1), point(2, 0, det=1))
    assert "run 5 of fly: 2 points in flyer1 · 0:00" in shown.text()


def test_only_what_is_watched_is_shown() -> None:
    text = Shown({EventKind.CONSOLE}).show(Snapshot(1, None, (), None, (), (), ()), written("hello\n")).text(80, 10)
    assert text.split("\n")[0].startswith("connected")
    assert text.rstrip().split("\n")[1:] == ["Console", "hello"]


def test_a_wide_screen_has_two_columns() -> None:
    changes = [snapshot(Plan("next")), started(Plan("scan")), *scan_of(2), point(1, 0, det=1, motor=0)]
    lines = Shown().show(*changes, written("hello\n")).text(200, 30).split("\n")
    assert any(line.startswith("Queue: 1 item") and "det against motor" in line for line in lines)


def test_an_item_that_ended_is_not_running() -> None:
    shown = Shown().show(snapshot(), started(Plan("scan")))
    assert "▶ scan()" in shown.text()
    assert "▶" not in shown.show(ItemFinished(3, NOW, "u", "e", ExitStatus.COMPLETED, "")).text()
