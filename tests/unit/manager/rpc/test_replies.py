"""What is read of the fields that requests share, and what tells one request from another."""

from __future__ import annotations

from typing import Any

import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import history_service_pb2, queue_items_pb2, queue_pb2
from queueserver.manager.v1 import run_engine_service_pb2 as re_pb
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.rpc.replies import reply_to

JANE = Caller("jane", "primary")


def encode(_result: Any, _revision: int) -> bytes:
    return b""


def asked(name: str = "count", request_id: str = "id", num: float = 1, **more: Any) -> queue_items_pb2.AddItemRequest:
    kwargs: Any = {"num": num, "x": "y", "a": {"b": [1, 2], "c": None}}
    item = item_pb2.ItemSpec(name=name, kwargs=kwargs)
    return queue_items_pb2.AddItemRequest(item=item, request_id=request_id, **more)


def fingerprint(request: Any, caller: Caller = JANE) -> str:
    reply: ReplySpec[Any] = reply_to(request, caller, encode)
    return reply.fingerprint


def test_the_same_request_of_the_same_caller_has_the_same_fingerprint() -> None:
    again = queue_items_pb2.AddItemRequest.FromString(asked().SerializeToString())
    assert fingerprint(asked()) == fingerprint(again) != ""


def test_the_order_in_which_fields_were_set_does_not_matter() -> None:
    one, other = asked(), asked()
    other.item.kwargs.Clear()
    for key in sorted(one.item.kwargs, reverse=True):
        other.item.kwargs[key] = one.item.kwargs[key]
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    "other",
    [
        asked(name="scan"),
        asked(num=2),
        asked(request_id="other"),
        asked(expected_revision=1),
        asked(validate_only=True),
        asked(position=queue_pb2.QueuePosition(index=0)),
        queue_items_pb2.RemoveItemRequest(request_id="id"),
    ],
    ids=lambda request: str(request)[:20],
)
def test_another_request_has_another_fingerprint(other: Any) -> None:
    assert fingerprint(other) != fingerprint(asked())


def test_requests_of_different_methods_differ_even_when_they_are_the_same_bytes() -> None:
    requests = [
        re_pb.ResumePlanRequest(request_id="id"),
        re_pb.StopPlanRequest(request_id="id"),
    ]
    assert requests[0].SerializeToString() == requests[1].SerializeToString()
    assert fingerprint(requests[0]) != fingerprint(requests[1])


@pytest.mark.parametrize("caller", [Caller("joe", "primary"), Caller("jane", "x"), Caller("jan", "eprimary")])
def test_the_same_request_of_somebody_else_has_another_fingerprint(caller: Caller) -> None:
    assert fingerprint(asked(), caller) != fingerprint(asked())


def test_the_shared_fields_are_read() -> None:
    reply: ReplySpec[Any] = reply_to(asked(expected_revision=7, validate_only=True), JANE, encode)
    assert (reply.request_id, reply.expected_revision, reply.validate_only) == ("id", 7, True)


def test_a_request_without_an_id_is_not_fingerprinted() -> None:
    reply: ReplySpec[Any] = reply_to(asked(request_id=""), JANE, encode)
    assert (reply.request_id, reply.fingerprint) == ("", "")


def test_a_request_that_has_no_such_field_expects_and_validates_nothing() -> None:
    request = history_service_pb2.ClearHistoryRequest(request_id="id")
    reply: ReplySpec[Any] = reply_to(request, JANE, encode)
    assert (reply.expected_revision, reply.validate_only) == (0, False)


@pytest.mark.parametrize(
    ("request_", "field"),
    [(asked(expected_revision=-1), "expected_revision"), (asked(request_id="x" * 129), "request_id")],
)
def test_a_shared_field_that_is_wrong_is_refused(request_: Any, field: str) -> None:
    with pytest.raises(FieldInvalid) as caught:
        reply_to(request_, JANE, encode)
    assert caught.value.violations[0].field == field
    reply_to(asked(request_id="x" * 128), JANE, encode)
