"""What is written to Redis is read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_long_work.work import at_once
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.changes import QueueActivity
from queueserver_manager.domain.lock.lock import Lock
from queueserver_manager.domain.queue.item import ExitStatus, HistoryEntry, Item, ItemResult, RunningItem
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.requests import AnsweredRequest
from queueserver_manager.domain.tasks.tasks import KeptTask, Task, TaskResult
from queueserver_manager.store.codecs import codec, json_events
from queueserver_manager.store.codecs.event_codec import decode_events, encode_events
from queueserver_manager.store.codecs.json_events import decode_json_events
from queueserver_manager.store.codecs.lock_codec import decode_lock, encode_lock
from queueserver_manager.store.codecs.task_codec import decode_kept, encode_kept
from queueserver_manager.store.port import StoredEvent
from queueserver_manager.wire import framing
from queueserver_manager.wire.events import event_bytes

from tests.unit.manager.samples import (
    EVENTS,
    NOW,
    entries,
    items,
    locks,
    modes,
    plan,
    relaxed,
    requests,
    runnings,
    task_results,
    tasks,
    times,
    values,
)
from tests.unit.manager.store.codecs import older_events


def types_in(value: object) -> object:
    """The Python types inside a value: 1 and 1.0 and True are equal and not the same."""
    if isinstance(value, list):
        return [types_in(element) for element in value]
    if isinstance(value, dict):
        return {key: types_in(element) for key, element in value.items()}
    return type(value)


@relaxed
@given(items)
def test_an_item_is_read_back_as_it_was(item: Item) -> None:
    back = codec.decode_item(codec.decode(codec.encode_item(item)))
    assert back == item
    assert types_in(back.args) == types_in(item.args)
    assert types_in(back.kwargs) == types_in(item.kwargs)


@relaxed
@given(values)
def test_values_keep_their_types(value: object) -> None:
    back = codec.decode(codec.encode(value))
    assert back == value
    assert types_in(back) == types_in(value)


@relaxed
@given(runnings)
def test_a_running_item_is_read_back_as_it_was(running: RunningItem) -> None:
    assert codec.decode_running(codec.decode(codec.encode_running(running))) == running


@relaxed
@given(entries)
def test_a_history_entry_is_read_back_as_it_was(entry: HistoryEntry) -> None:
    assert codec.decode_entry(codec.decode(codec.encode_entry(entry))) == entry


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("stop_pending", [False, True])
def test_whether_the_queue_runs_is_read_back(active: bool, stop_pending: bool) -> None:
    execution = QueueActivity(active=active, stop_pending=stop_pending)
    assert codec.decode_queue_activity(codec.decode(codec.encode_queue_activity(execution))) == execution


@relaxed
@given(modes)
def test_the_mode_is_read_back_as_it_was(mode: QueueMode) -> None:
    assert codec.decode_mode(codec.decode(codec.encode_mode(mode))) == mode


@relaxed
@given(requests)
def test_the_answer_to_a_request_is_read_back_byte_by_byte(answered: AnsweredRequest) -> None:
    assert codec.decode_request(answered.request_id, codec.encode_request(answered)) == answered


@given(tasks, st.none() | task_results)
def test_a_task_is_read_back_as_it_was(task: Task, result: TaskResult | None) -> None:
    kept = KeptTask(task, result)
    assert decode_kept(encode_kept(kept)) == kept


@relaxed
@given(locks)
def test_a_lock_is_read_back_as_it_was(lock: Lock) -> None:
    assert decode_lock(encode_lock(lock)) == lock


@pytest.mark.parametrize("answer", [b"", b"\n", b'\n\n\x00["', b"\xff"])
def test_an_answer_may_have_any_bytes(answer: bytes) -> None:
    answered = AnsweredRequest("id", "finger\nprint", answer, 1.5)
    assert codec.decode_request("id", codec.encode_request(answered)) == answered


def test_what_an_older_release_stored_is_not_held_and_not_immediate_and_nothing_was_asked_of_it() -> None:
    stored = json.loads(codec.encode_running(RunningItem(plan("a"), "x-1", 1.5, "boot", "environment")))
    for name in ("immediate", "pause_pending", "end_requested"):
        del stored[name]
    assert "held" not in stored["item"]
    back = codec.decode_running(stored)
    assert (back.immediate, back.item.held, back.pause_pending, back.end_requested) == (False,) * 4


@pytest.mark.parametrize("asked", [{"pause_pending": True}, {"end_requested": True}])
def test_what_was_asked_of_the_running_item_is_stored_with_it(asked: dict[str, bool]) -> None:
    running = replace(RunningItem(plan("a"), "x-1", 1.5, "boot", "environment"), **asked)
    assert codec.decode_running(json.loads(codec.encode_running(running))) == running


def test_what_a_client_left_out_is_not_stored_and_what_it_left_empty_is() -> None:
    absent = json.loads(codec.encode_item(plan("a")))
    assert {"args", "kwargs", "meta", "properties", "attempt", "retry_of"}.isdisjoint(absent)
    empty = Item("a", plan("a").kind, "count", "jane", "primary", 1.0, [], {}, {}, {})
    stored = json.loads(codec.encode_item(empty))
    assert (stored["args"], stored["kwargs"], stored["meta"], stored["properties"]) == ([], {}, {}, {})


def test_a_lone_surrogate_is_stored_although_utf8_has_none() -> None:
    item = Item("a", plan("a").kind, "count", "j\ud800ne", "primary", 1.0)
    assert codec.decode_item(codec.decode(codec.encode_item(item))) == item


def test_an_item_is_encoded_once_and_its_next_attempt_anew() -> None:
    item = plan("a")
    assert codec.encode_item(item) is codec.encode_item(item)
    retry = item.next_attempt("b", 5.0)
    assert codec.decode_item(codec.decode(codec.encode_item(retry))) == retry


def test_an_item_is_text_that_a_person_can_read() -> None:
    item = Item("a", plan("a").kind, "zähle", "jane", "primary", 1.5, [["det1"]], {"num": 5})
    assert codec.encode_item(item).decode() == (
        '{"item_uid":"a","item_type":"plan","name":"zähle","user":"jane","user_group":"primary","created":1.5,'
        '"args":[["det1"]],"kwargs":{"num":5}}'
    )


def test_there_are_samples_of_every_event() -> None:
    union = {member for part in get_args(ev.Event) for member in (get_args(part) or (part,))}
    assert set(EVENTS) == union


def stored_form(announcements: list[ev.Announcement]) -> list[StoredEvent]:
    """What the log gives back of these."""
    return [StoredEvent(one.revision, one.kind, at_once(event_bytes(one)), one.place) for one in announcements]


@relaxed
@given(st.lists(st.one_of(*EVENTS.values()), max_size=5), times, st.integers(1, 2**40))
def test_the_events_of_one_change_are_read_back_in_order_as_watchers_get_them(
    events: list[ev.Event], time: float, revision: int
) -> None:
    announcements = ev.announcements_of(revision, time, events)
    assert at_once(decode_events(revision, at_once(encode_events(announcements)))) == stored_form(announcements)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_that_an_older_release_stored_is_read_as_watchers_get_it(kind: type) -> None:
    @relaxed
    @given(st.lists(EVENTS[kind], min_size=1, max_size=2), times, st.integers(1, 2**40))
    def read(events: list[ev.Event], time: float, revision: int) -> None:
        data, announcements = older_events.encode_events(time, events), ev.announcements_of(revision, time, events)
        assert at_once(decode_json_events(revision, data)) == announcements
        assert at_once(decode_events(revision, data)) == stored_form(announcements)

    read()


def test_a_change_without_events_is_read_back_in_both_forms() -> None:
    for data in (at_once(encode_events([])), older_events.encode_events(1.5, [])):
        assert at_once(decode_events(7, data)) == []


def test_no_event_begins_like_the_json_of_an_older_release() -> None:
    assert not {framing.submessage(kind, b"")[:1] for kind in ev.Kind} & {b"{"}


def test_every_name_that_an_older_release_gave_to_an_event_has_a_decoder() -> None:
    encoded_by_hand = {"items_added", "item_updated", "item_started", "history_added"}
    assert set(json_events._DECODERS) == set(older_events._NAMES.values()) | encoded_by_hand
    assert len(json_events._DECODERS) == len(EVENTS)


def test_an_event_is_encoded_once_and_its_entry_is_not_kept_twice() -> None:
    entry = HistoryEntry(1, plan("a"), "x", ItemResult(ExitStatus.COMPLETED, stop=NOW))
    announcement = ev.Announcement(1, NOW, ev.HistoryAdded(entry))
    assert at_once(event_bytes(announcement)) is at_once(event_bytes(announcement))
    assert entry.encoded == {}
