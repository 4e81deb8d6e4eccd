from __future__ import annotations

import inspect
from typing import Any

import pytest
import queueserver_client
from queueserver.common.v1 import (
    console_pb2,
    document_pb2,
    environment_pb2,
    inventory_pb2,
    item_pb2,
    process_pb2,
    storage_pb2,
    task_pb2,
    value_pb2,
)
from queueserver.manager.v1 import (
    event_pb2,
    lock_pb2,
    queue_pb2,
    run_engine_service_pb2,
    server_service_pb2,
    status_pb2,
    status_service_pb2,
    task_status_pb2,
)
from queueserver_client import event_reader
from queueserver_client.items.documents import decode_document
from queueserver_client.models.wire_enum import WireEnum

ENUMS = {
    "BlockerKind": status_service_pb2.BlockerKind,
    "ConnectionState": status_pb2.ConnectionState,
    "ConsoleStream": console_pb2.ConsoleStream,
    "EnvironmentState": environment_pb2.EnvironmentState,
    "EventKind": event_pb2.EventKind,
    "ExitStatus": item_pb2.ExitStatus,
    "FailureCause": item_pb2.FailureCause,
    "InterruptedPolicy": queue_pb2.InterruptedPolicy,
    "InventoryIssueKind": inventory_pb2.InventoryIssueKind,
    "ItemState": queue_pb2.ItemState,
    "ItemType": item_pb2.ItemType,
    "ManagerRole": status_pb2.ManagerRole,
    "ManagerState": status_pb2.ManagerState,
    "ParameterKind": inventory_pb2.ParameterKind,
    "QueueStopReason": event_pb2.QueueStopReason,
    "RunEngineState": environment_pb2.RunEngineState,
    "RunFilter": run_engine_service_pb2.RunFilter,
    "LockChange": lock_pb2.LockChange,
    "StorageState": storage_pb2.StorageState,
    "TaskFailureCause": task_pb2.TaskFailureCause,
    "TaskKind": task_pb2.TaskKind,
    "StartupSourceKind": process_pb2.StartupSourceKind,
    "StopMode": server_service_pb2.StopMode,
    "TaskState": task_status_pb2.TaskState,
    "TypeKind": inventory_pb2.ParameterType.Kind,
}


def test_every_enum_of_the_public_surface_is_compared_with_the_contract() -> None:
    public = [getattr(queueserver_client, name) for name in queueserver_client.__all__]
    assert {kind.__name__ for kind in public if inspect.isclass(kind) and issubclass(kind, WireEnum)} == set(ENUMS)


@pytest.mark.parametrize(("name", "proto"), ENUMS.items())
def test_words_are_the_names_of_the_contract_in_the_order_of_their_numbers(name: str, proto: Any) -> None:
    kind = getattr(queueserver_client, name)
    assert [proto.Value(value) for value in proto.keys()] == list(range(len(kind)))  # noqa: SIM118 - no mapping
    for word, full in zip(kind, proto.keys(), strict=True):
        assert full.lower().endswith(word.value)
        assert kind.from_number(word.number) is word
    assert kind.from_number(999).value == "unspecified"


def test_every_event_of_the_contract_can_be_read() -> None:
    oneof = event_pb2.WatchEvent.DESCRIPTOR.oneofs_by_name["event"]
    assert {field.name for field in oneof.fields} == set(event_reader.READERS)
    for field in oneof.fields:
        proto = event_pb2.WatchEvent(revision=7)
        getattr(proto, field.name).SetInParent()
        event = event_reader.read_event(proto)
        assert event is not None
        assert event.revision == 7


def test_the_public_surface_is_exactly_what_is_listed() -> None:
    exported = {
        name
        for name in dir(queueserver_client)
        if not name.startswith("_") and not inspect.ismodule(getattr(queueserver_client, name))
    }
    assert exported == set(queueserver_client.__all__)
    assert sorted(queueserver_client.__all__) == list(queueserver_client.__all__)
    assert len(queueserver_client.__all__) == 191, "the public surface changed: is that meant?"


def integer(value: int) -> value_pb2.DataValue:
    return value_pb2.DataValue(integer=value)


def test_a_start_document_is_put_together_again() -> None:
    start = document_pb2.RunStart(uid="u", time=1.5, scan_id=4, plan_name="count", extra={"num_points": integer(5)})
    assert decode_document(document_pb2.RunDocument(start=start)) == (
        "start",
        {"uid": "u", "time": 1.5, "scan_id": 4, "plan_name": "count", "num_points": 5},
    )


def test_fields_that_a_document_does_not_have_stay_away() -> None:
    name, content = decode_document(document_pb2.RunDocument(start=document_pb2.RunStart(uid="u", time=1.0)))
    assert (name, content) == ("start", {"uid": "u", "time": 1.0})
    name, content = decode_document(document_pb2.RunDocument(resource=document_pb2.ResourceDocument(uid="u", spec="X")))
    assert content == {"uid": "u", "spec": "X", "resource_path": "", "root": "", "resource_kwargs": {}}
    assert decode_document(document_pb2.RunDocument()) == ("", {})


def test_a_descriptor_keeps_its_data_keys() -> None:
    key = document_pb2.DataKey(source="SIM", dtype="array", shape=[2, -1], units="mm", extra={"low": integer(0)})
    _, content = decode_document(
        document_pb2.RunDocument(
            event_descriptor=document_pb2.EventDescriptor(uid="d", name="primary", data_keys={"x": key})
        )
    )
    assert content["data_keys"] == {
        "x": {"source": "SIM", "dtype": "array", "shape": [2, None], "units": "mm", "low": 0}
    }


def test_events_and_streams_keep_their_values() -> None:
    event = document_pb2.EventDocument(
        uid="e", seq_num=1, data={"x": integer(2**60)}, extra={"filled": value_pb2.DataValue()}
    )
    _, content = decode_document(document_pb2.RunDocument(event=event))
    assert content["data"] == {"x": 2**60}
    assert content["filled"] is None
    datum = document_pb2.StreamDatum(uid="s", indices=document_pb2.IndexRange(start=1, stop=3))
    _, content = decode_document(document_pb2.RunDocument(stream_datum=datum))
    assert content["indices"] == {"start": 1, "stop": 3}
    stop = document_pb2.RunStop(uid="p", exit_status="success", num_events={"primary": 5})
    _, content = decode_document(document_pb2.RunDocument(stop=stop))
    assert (content["num_events"], "reason" in content) == ({"primary": 5}, False)
    page = document_pb2.EventPage(descriptor_uid="d", uids=["a"], seq_nums=[1], times=[2.0])
    _, content = decode_document(document_pb2.RunDocument(event_page=page))
    assert (content["uid"], content["seq_num"], content["time"]) == (["a"], [1], [2.0])
