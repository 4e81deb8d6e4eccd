"""Replacing some fields of an item of the queue: those that the request names or sets, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import AsyncClient, Item

from tests.harness.progress import queue
from tests.harness.raw import Stubs, refused

FULL = Item("tell_types", args=[1], kwargs={"a": 2}, meta={"b": 3}, properties={"c": 4})
CONTENT = ("name", "args", "kwargs", "meta", "properties")
#: Nearly half of what an item may have, so that two of them fit and three do not.
LONG = "x" * 500_000


def request(uid: str, item: dict[str, Any], paths: Sequence[str] | None = None) -> pb.UpdateItemRequest:
    spec = json_format.ParseDict(item, item_pb2.ItemSpec())
    return pb.UpdateItemRequest(item_uid=uid, item=spec, update_mask=None if paths is None else FieldMask(paths=paths))


def content(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in CONTENT}


UPDATES: dict[str, tuple[dict[str, Any], Sequence[str] | None, dict[str, Any]]] = {
    "what is set": ({"kwargs": {"x": 1}}, None, {"kwargs": {"x": 1}}),
    "an empty object that is set": ({"kwargs": {}}, None, {"kwargs": {}}),
    "what is named": ({"kwargs": {"x": 1}, "meta": {"y": 2}}, ["meta"], {"meta": {"y": 2}}),
    "what is named and absent": ({"kwargs": {"x": 1}}, ["meta", "kwargs"], {"meta": None, "kwargs": {"x": 1}}),
    "the name": ({"name": "one_run"}, ["name", "args", "kwargs"], {"name": "one_run", "args": None, "kwargs": None}),
    "everything": (
        {"name": "tell_types"}, ["*"], {"args": None, "kwargs": None, "meta": None, "properties": None}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "paths", "changed"), UPDATES.values(), ids=UPDATES)
async def test_an_update_replaces_the_fields_that_it_names_or_sets(
    raw: Stubs,
    shared_client: AsyncClient,
    given: dict[str, Any],
    paths: Sequence[str] | None,
    changed: dict[str, Any],
) -> None:
    handle = await shared_client.queue.add(FULL)
    answer = await raw.queue.UpdateItem(request(handle.uid, given, paths))
    (item,) = await queue(shared_client)
    assert content(item) == content(FULL) | changed
    assert content(Item.from_proto(answer.item)) == content(item)


REFUSED: dict[str, tuple[dict[str, Any], Sequence[str] | None, str]] = {
    "nothing is set": ({}, None, "item"),
    "a mask without end": ({"name": "one_run"}, ["*"] * 101, "update_mask"),
    "an empty mask": ({"name": "one_run"}, [], "update_mask"),
    "a part of a field": ({"kwargs": {"x": 1}}, ["kwargs.x"], "update_mask.paths[0]"),
    "what the server sets": ({"name": "one_run"}, ["name", "user"], "update_mask.paths[1]"),
    "no name is left": ({"args": [1]}, ["name"], "item.name"),
    "an argument that does not fit": ({"kwargs": {"num": "five"}, "name": "one_run"}, None, "item.args"),
}


@pytest.mark.parametrize(("given", "paths", "field"), REFUSED.values(), ids=REFUSED)
async def test_an_update_that_makes_no_sense_changes_nothing(
    raw: Stubs, shared_client: AsyncClient, given: dict[str, Any], paths: Sequence[str] | None, field: str
) -> None:
    handle = await shared_client.queue.add(FULL)
    refusal = await refused(raw.queue.UpdateItem(request(handle.uid, given, paths)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert next(iter(refusal.violations)).startswith(field)
    (item,) = await queue(shared_client)
    assert content(item) == content(FULL)
    assert (await shared_client.status()).revision == handle.revision


async def test_fields_that_are_too_much_together_are_refused(raw: Stubs, shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.add(Item("tell_types", kwargs={"a": LONG}, meta={"b": LONG}))
    refusal = await refused(raw.queue.UpdateItem(request(handle.uid, {"properties": {"c": LONG}})))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ITEM_TOO_LARGE")
    many = [0] * 8_000
    handle = await shared_client.queue.add(Item("tell_types", args=many))
    refusal = await refused(raw.queue.UpdateItem(request(handle.uid, {"properties": {"c": many}})))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ITEM_TOO_LARGE")
