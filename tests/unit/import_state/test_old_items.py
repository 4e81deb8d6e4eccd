"""Elements of old lists: whatever they are, they become messages that the server takes, or are told to be broken."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver_import.failures import Broken
from queueserver_import.old_items import entry_of, fields_of, interrupted, item_of, name_of
from queueserver_import.old_settings import autostart_of, lock_of, mode_of, permissions_of
from queueserver_long_work.work import at_once
from queueserver_manager.domain.imports import SizedItem
from queueserver_manager.wire.imports import read_part
from queueserver_manager.wire.items import adopt_message

#: Also with half characters, which JSON can name.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=5)
#: Also beyond every floating-point number.
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400)])
VALUES: Any = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PLAN = {"item_type": "plan", "name": "count", "item_uid": "u", "user": "Anna", "user_group": "primary"}
RESULT = {"exit_status": "completed", "run_uids": ["r"], "scan_ids": [1], "time_start": 1.5, "time_stop": 2.5}
ITEMS = st.fixed_dictionaries(
    {
        "item_type": st.sampled_from(["plan", "instruction"]),
        "name": TEXTS,
        "item_uid": TEXTS,
    },
    optional=dict.fromkeys(("args", "kwargs", "meta", "properties", "user", "user_group", "result"), VALUES),
)
RESULTS = st.fixed_dictionaries(
    {"exit_status": st.sampled_from(["completed", "failed", "unknown", "halted"])},
    optional=dict.fromkeys(("run_uids", "scan_ids", "msg", "traceback"), VALUES)
    | dict.fromkeys(("time_start", "time_stop"), VALUES | NUMBERS),
)


def assert_taken(**part: Any) -> None:
    """The Manager takes it, as it takes what comes over the wire."""
    request = pb.ImportStateRequest.FromString(pb.ImportStateRequest(**part).SerializeToString())
    at_once(read_part(request, 1.0, lambda item, submission: SizedItem(item, adopt_message(item, submission))))


@given(st.binary(max_size=30) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_object_or_told_to_be_broken(data: bytes) -> None:
    with contextlib.suppress(Broken):
        assert isinstance(fields_of(data), dict)


@given(ITEMS)
def test_an_item_that_is_not_broken_is_taken_by_the_manager(fields: dict[str, Any]) -> None:
    try:
        item = item_of(json.loads(json.dumps(fields)), [])
    except Broken:
        return
    assert (item.name, item.item_uid) == (fields["name"], fields["item_uid"])
    assert_taken(items=[item])


@given(ITEMS, RESULTS)
def test_an_entry_that_is_not_broken_is_taken_by_the_manager(fields: dict[str, Any], result: dict[str, Any]) -> None:
    with contextlib.suppress(Broken):
        assert_taken(history=[entry_of({**fields, "result": result}, [])])
    with contextlib.suppress(Broken):
        assert_taken(history=[interrupted(fields, 5.0)])


@given(VALUES)
def test_any_user_has_a_name_that_the_manager_takes(user: Any) -> None:
    assert_taken(items=[item_of({**PLAN, "user": user}, [])])
    assert name_of("Åsa Öberg") == "Åsa Öberg"


@pytest.mark.parametrize("read", [permissions_of, mode_of, autostart_of, lock_of])
@given(data=st.binary(max_size=20) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_setting_is_read_or_told_to_be_broken(read: Callable[[bytes], Any], data: bytes) -> None:
    with contextlib.suppress(Broken):
        read(data)


@given(
    st.fixed_dictionaries(
        {"environment": st.booleans(), "queue": st.just(True), "lock_key": TEXTS},
        optional={"user": VALUES, "note": VALUES, "time": VALUES | NUMBERS},
    )
)
def test_any_lock_can_be_sent_with_its_key_or_is_told_to_be_broken(fields: dict[str, Any]) -> None:
    with contextlib.suppress(Broken):
        lock = lock_of(json.dumps(fields).encode())
        assert lock is not None
        settings = pb.ImportedSettings(lock=lock.message)
        assert pb.ImportStateRequest(settings=settings, lock_key=lock.key).lock_key == fields["lock_key"]


def test_a_list_of_metadata_is_merged_and_its_first_object_counts_most() -> None:
    item = item_of({**PLAN, "meta": [{"a": 1}, {"a": 2, "b": 3}]}, [])
    assert dict(item.meta) == {"a": 1, "b": 3}


def test_what_the_old_server_added_to_properties_is_left_out_and_what_the_client_added_is_kept() -> None:
    item = item_of({**PLAN, "properties": {"time_start": 1.0, "immediate_execution": True, "mine": "x"}}, [])
    assert dict(item.properties) == {"mine": "x"}
    assert not item_of({**PLAN, "properties": {"time_start": 1.0}}, []).HasField("properties")
    remarks: list[str] = []
    assert not item_of({**PLAN, "properties": "text"}, remarks).HasField("properties")
    assert len(remarks) == 1


def test_what_of_a_long_result_is_kept_is_told() -> None:
    long = {"traceback": "x" * 3_000_000 + "end", "msg": "begin" + "x" * 30_000, "run_uids": ["r"] * 10_001}
    remarks: list[str] = []
    entry = entry_of({**PLAN, "result": {**RESULT, "exit_status": "failed", **long}}, remarks)
    assert (entry.result.traceback.endswith("xend"), entry.result.message[:6]) == (True, "beginx")
    assert len(entry.result.runs) == 10_000
    assert ["first 20000" in remarks[0], "last 200000" in remarks[1], "10001 runs" in remarks[2]] == [True] * 3
    assert entry.ByteSize() < 2 * 1024 * 1024
    assert_taken(history=[entry])


@pytest.mark.parametrize(
    ("status", "message", "cause"),
    [
        ("completed", "", item_pb2.FAILURE_CAUSE_UNSPECIFIED),
        ("failed", "Plan failed: oh", item_pb2.FAILURE_CAUSE_PLAN_ERROR),
        ("failed", "RE Worker environment was destroyed", item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED),
        ("unknown", "", item_pb2.FAILURE_CAUSE_WORKER_LOST),
    ],
)
def test_a_failure_has_its_cause(status: str, message: str, cause: int) -> None:
    entry = entry_of({**PLAN, "result": {**RESULT, "exit_status": status, "msg": message}}, [])
    assert entry.result.failure_cause == cause
    assert bool(entry.result.notices) == (status == "unknown")
