"""What the RunEngine emits is what the Python client gives out, whatever a document looks like."""

import math
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver.common.v1.document_pb2 import RunDocument as RunDocumentMessage
from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver_client.events import RunDocument
from queueserver_client.items.column_order import MAX_DESCRIPTORS, ColumnOrder
from queueserver_client.items.documents import decode_document
from queueserver_environment.documents.values import MAX_DEPTH

from tests.unit.environment.channel_forms import converted

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
INTEGERS = st.integers(-(2**70), 2**70)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)
PLAIN = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False) | TEXT | st.binary(max_size=4)
VALUES = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(TEXT, PLAIN, max_size=2)
#: Names that the contract uses for something else too.
KEYS = TEXT | st.sampled_from(["extra", "columns", "descriptor_uid", "uids", "uid", "hints", "time", "shape", "fields"])


def odd(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What the event model says, and now and then something else."""
    return st.integers(0, 5).flatmap(lambda choice: VALUES if choice == 0 else usual)


def named(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A map by name, seldom an empty one."""
    return st.dictionaries(TEXT, values, min_size=1, max_size=2) | st.just({})


def part(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A dictionary with the keys of the event model and perhaps others."""
    known = st.fixed_dictionaries(
        {key: odd(value) for key, value in required.items()},
        optional={key: odd(value) for key, value in optional.items()},
    )
    others = st.dictionaries(KEYS, VALUES, max_size=2)
    return st.builds(lambda known, others: {**others, **known}, known, others)


LIMITS = part({}, {name: part({"low": NUMBERS, "high": NUMBERS}, {}) for name in ("control", "display", "alarm")})
DATA_KEYS = named(
    part(
        {"source": TEXT, "dtype": TEXT, "shape": st.lists(st.sampled_from([None, -1, 0, 3]), max_size=2)},
        {
            **dict.fromkeys(("units", "object_name", "dtype_numpy", "external"), TEXT),
            **dict.fromkeys(("dims", "choices"), st.lists(TEXT, max_size=2)),
            "precision": st.integers(-(2**64), 2**64),
            "limits": LIMITS,
        },
    )
)
READINGS = named(VALUES)
TIMES = named(NUMBERS)
CONFIGURATION = part({"data": READINGS, "timestamps": TIMES, "data_keys": DATA_KEYS}, {})
RANGE = part({"start": st.integers(0, 9), "stop": st.integers(0, 9)}, {})
DIMENSIONS = st.lists(st.tuples(st.lists(TEXT, max_size=2), TEXT).map(list), max_size=2)
DOCUMENTS = {
    "start": part(
        {"uid": TEXT, "time": NUMBERS},
        {"scan_id": st.integers(), "plan_name": TEXT, "hints": part({}, {"dimensions": DIMENSIONS})},
    ),
    "descriptor": part(
        {"uid": TEXT, "time": NUMBERS, "run_start": TEXT, "data_keys": DATA_KEYS},
        {
            "name": TEXT,
            "object_keys": named(odd(st.lists(TEXT, max_size=2))),
            "hints": named(odd(part({}, {"fields": st.lists(TEXT, max_size=2)}))),
            "configuration": named(odd(CONFIGURATION)),
        },
    ),
    "event": part(
        {"uid": TEXT, "time": NUMBERS, "descriptor": TEXT, "seq_num": INTEGERS, "data": READINGS, "timestamps": TIMES},
        {"filled": named(st.booleans())},
    ),
    "event_page": part(
        {
            "descriptor": TEXT,
            "uid": st.lists(TEXT, max_size=2),
            "time": st.lists(NUMBERS, max_size=2),
            "seq_num": st.lists(INTEGERS, max_size=2),
            "data": READINGS,
            "timestamps": READINGS,
        },
        {},
    ),
    "stop": part(
        {"uid": TEXT, "time": NUMBERS, "run_start": TEXT, "exit_status": TEXT},
        {"reason": TEXT, "num_events": named(INTEGERS)},
    ),
    "resource": part(
        {"uid": TEXT, "spec": TEXT, "root": TEXT, "resource_path": TEXT, "resource_kwargs": READINGS},
        {"run_start": TEXT, "path_semantics": TEXT},
    ),
    "datum": part({"datum_id": TEXT, "resource": TEXT, "datum_kwargs": READINGS}, {}),
    "datum_page": part({"datum_id": st.lists(TEXT, max_size=2), "resource": TEXT, "datum_kwargs": READINGS}, {}),
    "stream_resource": part(
        {"uid": TEXT, "data_key": TEXT, "mimetype": TEXT, "uri": TEXT, "parameters": READINGS}, {"run_start": TEXT}
    ),
    "stream_datum": part(
        {"uid": TEXT, "stream_resource": TEXT, "descriptor": TEXT, "seq_nums": RANGE, "indices": RANGE}, {}
    ),
}


def through_the_contract(name: str, document: dict[str, Any]) -> dict[str, Any]:
    received = RunDocumentMessage.FromString(converted(name, document).document.SerializeToString())
    decoded_name, content = decode_document(received)
    assert decoded_name == name
    return content


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_arrives_as_it_was_emitted(name: str) -> None:
    @settings(max_examples=100, deadline=None)
    @given(DOCUMENTS[name])
    def arrives(document: dict[str, Any]) -> None:
        assert through_the_contract(name, document) == document

    arrives()


DESCRIBED = st.lists(TEXT, unique=True, min_size=1, max_size=6)


@given(DESCRIBED, st.randoms(use_true_random=False))
def test_columns_and_the_readings_of_events_come_in_the_documents_order(columns: list[str], chance: Any) -> None:
    devices = {name: [name, *(column for column in columns if column == name)] for name in columns}
    descriptor = {
        "uid": "d",
        "time": 1.0,
        "run_start": "r",
        "name": "primary",
        "data_keys": {column: {"source": "", "dtype": "number", "shape": []} for column in columns},
        "object_keys": devices,
        "hints": {name: {"fields": [name]} for name in columns},
        "configuration": {
            "device": {
                "data": dict.fromkeys(reversed(columns), 1),
                "timestamps": {},
                "data_keys": {column: {"source": "", "dtype": "number", "shape": []} for column in reversed(columns)},
            }
        },
    }
    content = through_the_contract("descriptor", descriptor)
    for field in ("data_keys", "object_keys", "hints"):
        assert list(content[field]) == columns
    assert list(content["configuration"]["device"]["data_keys"]) == columns[::-1]

    order = ColumnOrder()
    order.apply(RunDocument("", "r", "descriptor", content))
    mixed = chance.sample(columns, len(columns))
    event = {"uid": "e", "time": 1.0, "descriptor": "d", "seq_num": 1}
    readings = {"data": dict.fromkeys(mixed, 1.5), "timestamps": dict.fromkeys(mixed, 2.5)}
    seen = order.apply(RunDocument("", "r", "event", through_the_contract("event", {**event, **readings})))
    assert list(seen.document["data"]) == list(seen.document["timestamps"]) == columns
    assert seen.document == {**event, **readings}


def test_the_order_of_a_stream_is_forgotten_when_its_run_stops() -> None:
    order = ColumnOrder()
    for run in ("r1", "r2"):
        order.apply(RunDocument("", run, "descriptor", {"uid": f"{run}-d", "data_keys": {"b": {}, "a": {}}}))
    order.apply(RunDocument("", "r1", "stop", {}))
    columns = {
        run: list(
            order.apply(
                RunDocument("", run, "event", {"descriptor": f"{run}-d", "data": {"a": 1, "b": 2}, "timestamps": {}})
            ).document["data"]
        )
        for run in ("r1", "r2")
    }
    assert columns == {"r1": ["a", "b"], "r2": ["b", "a"]}


def test_runs_whose_end_was_lost_are_forgotten_in_the_end() -> None:
    order = ColumnOrder()
    for number in range(MAX_DESCRIPTORS + 1):
        order.apply(RunDocument("", str(number), "descriptor", {"uid": str(number), "data_keys": {"b": {}, "a": {}}}))
    columns = [
        list(
            order.apply(
                RunDocument("", "", "event", {"descriptor": str(number), "data": {"a": 1, "b": 2}, "timestamps": {}})
            ).document["data"]
        )
        for number in (0, 1)
    ]
    assert columns == [["a", "b"], ["b", "a"]]


def test_not_a_number_arrives_in_typed_fields() -> None:
    limits = {"display": {"low": math.nan, "high": None}}
    key = {"source": "", "dtype": "number", "shape": [], "limits": limits}
    descriptor = {"uid": "d", "time": math.nan, "run_start": "r", "data_keys": {"x": key}}
    content = through_the_contract("descriptor", descriptor)
    assert math.isnan(content["time"])
    assert math.isnan(content["data_keys"]["x"]["limits"]["display"]["low"])
    assert content["data_keys"]["x"]["limits"]["display"]["high"] is None


def test_the_deepest_value_at_the_deepest_place_can_be_read_within_a_message_of_a_watch() -> None:
    value: Any = {"x": 1}
    for _ in range(2 * MAX_DEPTH):
        value = {"x": value}
    limits = {"source": "", "dtype": "number", "shape": [], "limits": {"rds": value}}
    configuration = {"device": {"data": {}, "timestamps": {}, "data_keys": {"x": limits}}}
    document = {"uid": "d", "time": 1.0, "run_start": "r", "data_keys": {}, "configuration": configuration}
    emitted = event_pb2.DocumentEmitted(document=converted("descriptor", document).document)
    message: Message = event_service_pb2.WatchEventsResponse(
        batch=event_service_pb2.EventBatch(events=[event_pb2.WatchEvent(document=emitted)])
    )
    assert event_service_pb2.WatchEventsResponse.FromString(message.SerializeToString()) == message
