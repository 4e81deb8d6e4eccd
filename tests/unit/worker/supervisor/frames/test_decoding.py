"""Frames that can't be trusted: whatever they are, they are a message of the contract or are refused."""

from __future__ import annotations

import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_worker.supervisor.frames import packed
from queueserver_worker.supervisor.frames.decoding import decode
from queueserver_worker.supervisor.frames.packed import MAX_VALUES, BadFrameError, unpack

ARRAY = msgpack.ExtType(1, msgpack.packb(["<f8", [2], bytes(16)]))
EVENT = {
    "uid": "e",
    "time": 1.5,
    "descriptor": "d",
    "seq_num": 1,
    "data": {"x": 1, "a": ARRAY},
    "timestamps": {"x": 2.0},
}
DESCRIPTOR = {"uid": "d", "run_start": "r", "data_keys": {"x": {"source": "s", "dtype": "number", "shape": [1]}}}
PARAMETER = {"name": "a", "kind": 2, "type": {"kind": 7, "arguments": [{"kind": 4}], "values": [1, True, None]}}
FRAMES: list[dict[str, Any]] = [
    {"hello": {"channel_version": 1}},
    {"heartbeat": {}},
    {"document": {"run_uid": "r", "document": {"event": EVENT}}},
    {"document": {"run_uid": "r", "document": {"descriptor": DESCRIPTOR}}},
    {"document": {"document": {"start": {"uid": "r", "extra": {"a": [1, {"b": None}]}, "scan_id": 2**64 - 1}}}},
    {"finished": {"execution_id": "x", "result": {"exit_status": 1, "stop_time": 10**18, "notices": ["n"]}}},
    {"task_finished": {"task_uid": "t", "result": {"success": True, "return_value": None}}},
    {"metadata": {"number": 1, "metadata": {"a": [1.5, None, True, {"b": "c"}]}}},
    {"ready": {"inventory": {"plans": [{"name": "p", "parameters": [PARAMETER]}]}, "docstrings": {"p": "text"}}},
    {"about": {"process": {"python": "3", "libraries": {"numpy": "2"}}, "startup_path": "/a"}},
    {"waits": {"plan_wait": {"start_time": 1, "sleep": 5, "devices": [{"name": "m", "fraction_done": 0.5}]}}},
]


def read(data: bytes) -> pb.FromEnvironment | None:
    """The frame, which clients can read if there is one."""
    try:
        frame = decode(data)
    except BadFrameError:
        return None
    again = frame.SerializeToString(deterministic=True)
    assert pb.FromEnvironment.FromString(again).SerializeToString(deterministic=True) == again
    return frame


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: next(iter(frame)))
def test_a_frame_becomes_a_message(frame: dict[str, Any]) -> None:
    decoded = read(msgpack.packb(frame))
    assert decoded is not None
    assert decoded.WhichOneof("frame") == next(iter(frame))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    read(data)


@given(st.sampled_from(FRAMES), st.data())
def test_damaged_frames_are_a_message_or_refused(frame: dict[str, Any], data: st.DataObject) -> None:
    damaged = bytearray(msgpack.packb(frame))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        removed = data.draw(st.integers(0, 4))
        damaged[place : place + removed] = data.draw(st.binary(min_size=1, max_size=5))
    read(bytes(damaged))


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ANY = st.recursive(SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=10)


def replaced(value: Any, path: list[int], other: Any) -> Any:
    """A value with another one somewhere inside."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return other
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy: Any = value.copy()
    copy[key] = replaced(value[key], path[1:], other)
    return copy


@given(st.sampled_from(FRAMES), st.lists(st.integers(0, 9), min_size=1, max_size=8), ANY)
def test_values_of_other_types_are_a_message_or_refused(frame: dict[str, Any], path: list[int], other: Any) -> None:
    read(msgpack.packb(replaced(frame, path, other)))


def around(value: bytes) -> bytes:
    """A frame with a value of any kind inside."""
    return msgpack.packb({"task_finished": {"result": {"return_value": 0}}})[:-1] + value


@pytest.mark.parametrize(("depth", "is_read"), [(25, True), (26, False), (1_000, False), (100_000, False)])
@pytest.mark.parametrize("inner", [b"\x91", b"\x81\xa1a"], ids=["lists", "maps"])
def test_nesting_has_a_limit(depth: int, is_read: bool, inner: bytes) -> None:
    assert (read(around(inner * depth + b"\xc0")) is not None) == is_read


def test_messages_in_messages_have_a_limit() -> None:
    device: dict[str, Any] = {"name": "a"}
    for _ in range(30):
        device = {"name": "a", "components": [device]}
    assert read(msgpack.packb({"ready": {"inventory": {"devices": [device]}}})) is not None
    for _ in range(30):
        device = {"name": "a", "components": [device]}
    with pytest.raises(BadFrameError, match="deep"):
        decode(msgpack.packb({"ready": {"inventory": {"devices": [device]}}}))


def result(**fields: Any) -> dict[str, Any]:
    return {"finished": {"execution_id": "x", "result": fields}}


def returned(value: Any) -> dict[str, Any]:
    return {"task_finished": {"result": {"return_value": value}}}


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ({}, "no map with one entry"),
        ([], "no map with one entry"),
        ({"heartbeat": {}, "progress": {}}, "no map with one entry"),
        ({"nonsense": {}}, "has no field 'nonsense'"),
        ({"heartbeat": {"x": 1}}, "EnvironmentHeartbeat has no field 'x'"),
        ({"heartbeat": []}, "a list is no EnvironmentHeartbeat"),
        (result(exit_status=77), "type or range"),
        (result(exit_status=True), "type or range"),
        (result(message=b"bytes"), "type or range"),
        (result(message=5), "type or range"),
        (result(notices=["a", 1]), "type or range"),
        (result(notices="text"), "type or range"),
        (result(runs={}), "type or range"),
        (result(start_time="now"), "nanoseconds"),
        (result(start_time=2**63), "nanoseconds"),
        ({"failed": {"line": 2**31}}, "type or range"),
        ({"hello": {"channel_version": 1.0}}, "type or range"),
        ({"about": {"process": {"libraries": {"a": 1}}}}, "another type"),
        ({"about": {"process": {"libraries": []}}}, "no map"),
        ({"metadata": {"metadata": []}}, "no map"),
        ({"metadata": {"metadata": {"a": b"bytes"}}}, "no list"),
        ({"metadata": {"metadata": {"a": [float("nan")]}}}, "JSON has no number nan"),
        ({"metadata": {"metadata": {"a": float("-inf")}}}, "JSON has no number -inf"),
        ({"document": {"document": {"start": {}, "stop": {}}}}, "not one name"),
        ({"document": {"document": {"bulk_datum": {}}}}, "no document of that name"),
        ({"document": {"document": {"start": []}}}, "no document of that name"),
        (returned(msgpack.ExtType(3, b"")), "no extension 3"),
        (returned(msgpack.Timestamp(1)), "is no value"),
        (returned(msgpack.ExtType(2, b"1e5")), "digits"),
    ],
)
def test_what_is_wrong_is_refused_with_a_reason(frame: Any, why: str) -> None:
    with pytest.raises(BadFrameError, match=why):
        decode(msgpack.packb(frame))


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (["<f8", [2], bytes(15)], "another size"),
        (["<f8", [-1], bytes(8)], "no shape"),
        (["<f8", [2.0], bytes(16)], "no shape"),
        (["<f8", [2**62, 2**62], b""], "another size"),
        (["|O", [1], b""], "no dtype"),
        (["|O", [1], bytes(8)], "no dtype"),
        (["<i3", [1], bytes(3)], "no dtype"),
        (["<q8", [1], bytes(8)], "no dtype"),
        (["<f", [0], b""], "no dtype"),
        (["<f8[ns]", [1], bytes(8)], "no dtype"),
        (["<M8[]", [1], bytes(8)], "no dtype"),
        (["<U999999999", [0], b""], "no dtype"),
        (["f8", [1], bytes(8)], "no dtype"),
        (["<f8, <f8", [1], bytes(16)], "no dtype"),
        (["<f8", [1]], "three parts"),
        (["<f8", bytes(8), [1]], "other types"),
        ({}, "three parts"),
    ],
)
def test_an_array_that_clients_could_not_make_is_refused(parts: Any, why: str) -> None:
    with pytest.raises(BadFrameError, match=why):
        decode(msgpack.packb(returned(msgpack.ExtType(1, msgpack.packb(parts)))))


@pytest.mark.parametrize(
    "kind",
    [
        *("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "f16", "c8", "c16", "c32"),
        *("S3", "U3", "V3", "M8[ns]", "m8[25s]", "m8", "S0", "U0"),
    ],
)
def test_an_array_of_each_dtype_that_has_bytes_is_read(kind: str) -> None:
    dtype = np.dtype(kind)
    data = bytes(2 * dtype.itemsize)
    frame = returned(msgpack.ExtType(1, msgpack.packb([dtype.str, [2], data])))
    decoded = decode(msgpack.packb(frame)).task_finished.result.return_value.array
    assert (decoded.dtype, decoded.data) == (dtype.str, data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no msgpack"),
        (msgpack.packb({"heartbeat": {}}) + b"\xc0", "more than one value"),
        (b"\x82\xa9heartbeat\x80\xa9heartbeat\x80", "appears twice"),
        (b"\x81\x01\x80", "no text"),
        (b"\x81\x90\x80", "no text"),
        (b"\x81\xa8progress\x81\xa4text\xa2\xff\xfe", "UnicodeDecodeError"),
        (b"\x81\xa8progress\x81\xa4text\xa3\xed\xa0\x80", "UnicodeDecodeError"),
        (b"\xc1", "no msgpack"),
    ],
)
def test_damaged_bytes_are_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadFrameError, match=why):
        decode(data)


@pytest.mark.parametrize("key", [b"\xc4\x00", b"\xc4\x01a", b"\xc5\x00\x00", b"\x01", b"\xc0", b"\xca\x00\x00\x00\x00"])
@pytest.mark.parametrize("inside", ["return_value", "metadata", "libraries", "data_keys"])
@pytest.mark.parametrize("size", [0, 5_000], ids=["short", "longer"])
def test_keys_are_texts_wherever_any_key_may_be(key: bytes, inside: str, size: int) -> None:
    text = "x" * size
    frames: dict[str, dict[str, Any]] = {
        "return_value": {"task_finished": {"result": {"message": text, "return_value": 0}}},
        "metadata": {"metadata": {"metadata": {"a": text, "b": 0}}},
        "libraries": {"about": {"process": {"version": text, "libraries": 0}}},
        "data_keys": {"document": {"run_uid": text, "document": {"descriptor": {"data_keys": 0}}}},
    }
    with pytest.raises(BadFrameError, match="no text"):
        decode(msgpack.packb(frames[inside])[:-1] + b"\x81" + key + b"\x80")


@given(st.sampled_from(FRAMES), st.lists(st.integers(0, 9), min_size=1, max_size=8), ANY, st.data())
def test_short_frames_are_read_like_long_ones(
    frame: dict[str, Any], path: list[int], other: Any, data: st.DataObject
) -> None:
    short = bytearray(msgpack.packb({"a": replaced(frame, path, other), "b": "x"}))
    if data.draw(st.booleans()):
        short[data.draw(st.integers(1, len(short) - 5))] = data.draw(st.integers(0, 255))
    text = b"\xda\x20\x00" + b"x" * 0x2000
    assert repr(part_of(bytes(short))) == repr(part_of(bytes(short[:-2]) + text))


def part_of(data: bytes) -> Any:
    """One of the two parts of a map."""
    try:
        return unpack(data)["a"]
    except (BadFrameError, KeyError, TypeError):
        return "refused"


def test_what_a_short_frame_announces_takes_little_room() -> None:
    announcements = b"\xdc\xff\xff" * 1_000 + b"\xdd\x00\x3f\xff\xff" * 200
    tracemalloc.start()
    try:
        with pytest.raises(BadFrameError):
            decode(announcements)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


def list_of(count: int, element: bytes) -> bytes:
    return around(b"\xdd" + count.to_bytes(4, "big") + element * count)


def test_a_frame_has_a_limit_of_values() -> None:
    with pytest.raises(BadFrameError):
        decode(list_of(MAX_VALUES + 1, b"\x01"))
    with pytest.raises(BadFrameError, match="values"):
        decode(list_of(MAX_VALUES // 2 + 1, b"\x91\x01"))


@pytest.mark.parametrize(
    "element",
    [b"\x90", b"\x80", b"\x81\xa1a\xc0", msgpack.packb(ARRAY)],
    ids=["empty lists", "empty maps", "maps", "arrays"],
)
def test_what_needs_more_memory_than_it_has_bytes_counts_more(element: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    # As many as are allowed take seconds.
    monkeypatch.setattr(packed, "MAX_VALUES", 30_000)
    monkeypatch.setattr(packed, "_FEW_BYTES", 10_000)
    assert decode(list_of(5_000, element)).task_finished.result.return_value.list.values
    with pytest.raises(BadFrameError, match="more than 30000 values"):
        decode(list_of(10_001, element))


def test_a_document_that_would_be_too_long_for_clients_has_notes_in_place_of_its_large_values() -> None:
    event = {"uid": "e", "data": {"long": [1] * 4_000_000, "sum": 5}}
    data = msgpack.packb({"document": {"document": {"event": event}}})
    document = decode(data).document.document
    assert document.event.data["sum"].integer == 5
    assert document.ByteSize() < 48 * 1024 * 1024
