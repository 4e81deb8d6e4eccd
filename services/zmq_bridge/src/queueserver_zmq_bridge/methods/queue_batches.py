"""Adding, removing and moving several items in one step."""

from __future__ import annotations

import json
from typing import Any, Final

from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import BatchRefused, ItemNotFound, ItemRunning, QueueServerError
from queueserver_long_work.time_slice import TimeSlice

from queueserver_zmq_bridge.answers.failures import sentence
from queueserver_zmq_bridge.answers.items import item_fields
from queueserver_zmq_bridge.methods.locking import key_of, require_key
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.methods.positions import destination, new_place
from queueserver_zmq_bridge.methods.queue_items import addressed
from queueserver_zmq_bridge.methods.status import manager_status
from queueserver_zmq_bridge.methods.submission import checked_item, item_sentence, item_spec, submitter
from queueserver_zmq_bridge.refusal import Refused, shown
from queueserver_zmq_bridge.server import Server

_REPEATED: Final = "Some of the UIDs are repeated: name each item once"
_OK: Final = {"success": True, "msg": ""}


async def _add(server: Server, params: Params) -> Fields:
    submitted = params.get("items")
    if submitted is None:
        raise Refused("Invalid request format: the list of items is not found")
    if not isinstance(submitted, list):
        raise Refused(f"Invalid request format: 'items' must be a list, but is a {type(submitted).__name__}")
    caller, request = submitter(params), pb.AddItemsRequest(lock_key=key_of(params))
    refused = await _fill(request, submitted)
    misplaced = _place(request, params) if submitted else ""
    # The Manager checks all items, so that each has its own result, even if nothing can come of them.
    request.validate_only = bool(refused or misplaced)
    try:
        try:
            answer = await server.change(server.stubs.queue.AddItems, request, caller)
        except (ItemNotFound, ItemRunning) as error:
            misplaced = addressed(error)
            request.ClearField("position")
            request.validate_only = True
            answer = await server.change(server.stubs.queue.AddItems, request, caller)
    except BatchRefused as error:
        sent = [index for index in range(len(submitted)) if index not in refused]
        for item in error.items:
            index = sent[item.index]
            refused[index] = item_sentence(item.reason, item.message, submitted[index])
        raise _invalid(submitted, refused) from None
    if refused:
        raise _invalid(submitted, refused)
    if misplaced:
        raise _misplaced(submitted, misplaced)
    items = (
        item_fields(spec) | {"user": caller[0], "user_group": caller[1], "item_uid": uid}
        for spec, uid in zip(request.items, answer.item_uids, strict=True)
    )
    return {"qsize": answer.queue_size, "items": await server.encoded(items), "results": [_OK] * len(submitted)}


def _place(request: pb.AddItemsRequest, params: Params) -> str:
    """Put the place of the items into the request; returns why it is none."""
    try:
        request.position.CopyFrom(new_place(params))
    except Refused as refusal:
        return refusal.message
    return ""


async def _fill(request: pb.AddItemsRequest, submitted: list[Any]) -> dict[int, str]:
    """Put the items into the request; returns why some can't be sent, by their place."""
    refused: dict[int, str] = {}
    time_slice = TimeSlice()
    for index, item in enumerate(submitted):
        await time_slice.yield_if_due()
        try:
            request.items.append(item_spec(checked_item(item)))
        except Refused as refusal:
            refused[index] = refusal.message
    return refused


def _invalid(submitted: list[Any], refused: dict[int, str]) -> Refused:
    """Some of the items are wrong."""
    return _all_refused(submitted, {index: f"Failed to add a plan: {text}" for index, text in refused.items()})


def _misplaced(submitted: list[Any], why: str) -> Refused:
    """All items are right, but there is no such place."""
    return _all_refused(submitted, dict.fromkeys(range(len(submitted)), f"Failed to add item to queue: {why}"))


def _all_refused(submitted: list[Any], refused: dict[int, str]) -> Refused:
    results = [
        {"success": False, "msg": refused[index]} if index in refused else _OK for index in range(len(submitted))
    ]
    return Refused(
        f"Failed to add all items: validation of {len(refused)} out of {len(submitted)} submitted items failed",
        prefixed=False,
        items=submitted,
        results=results,
    )


async def _remove(server: Server, params: Params) -> Fields:
    given, strict = _uids(params), not params.get("ignore_missing", True)
    uids = [uid for uid in given if isinstance(uid, str) and uid]
    if strict and len(uids) != len(given):
        raise Refused(_not_there(given))
    request = pb.RemoveItemsRequest(item_uids=uids, strict=strict, lock_key=key_of(params))
    try:
        answer = await server.change(server.stubs.queue.RemoveItems, request)
    except BatchRefused as error:
        raise Refused(_batch_sentence(error)) from None
    return {"items": await server.encoded(map(item_fields, answer.items)), "qsize": answer.queue_size}


async def _move(server: Server, params: Params) -> Fields:
    given = _uids(params)
    target = destination(params)
    if not given:
        await require_key(server, Lock.QUEUE, params)
        return {"items": [], "qsize": (await manager_status(server)).items_in_queue}
    uids = [uid for uid in given if isinstance(uid, str) and uid]
    if len(uids) != len(given):
        raise Refused(_not_there(given))
    request = pb.MoveItemsRequest(
        item_uids=uids,
        destination=target,
        keep_queue_order=bool(params.get("reorder")),
        lock_key=key_of(params),
    )
    try:
        answer = await server.change(server.stubs.queue.MoveItems, request)
    except BatchRefused as error:
        raise Refused(_batch_sentence(error)) from None
    except QueueServerError as error:
        raise Refused(addressed(error)) from None
    return {"items": await server.encoded(map(item_fields, answer.items)), "qsize": answer.queue_size}


def _uids(params: Params) -> list[Any]:
    uids = params.get("uids")
    if uids is None:
        raise Refused("Invalid request format: the list of item UIDs is not found")
    if not isinstance(uids, list):
        raise Refused(f"Parameter 'uids' must be a list, but is a {type(uids).__name__}")
    return uids


def _not_there(uids: list[Any]) -> str:
    texts = [json.dumps(uid) for uid in uids]
    if len(set(texts)) < len(texts):
        return _REPEATED
    return (
        f"Some of the items are not in the queue: {shown([uid for uid in uids if not isinstance(uid, str) or not uid])}"
    )


def _batch_sentence(error: BatchRefused) -> str:
    text, reasons = sentence(error), {item.reason for item in error.items}
    if "ITEM_REPEATED" in reasons:
        return _REPEATED
    if "ITEM_NOT_FOUND" in reasons:
        return f"Some of the items are not in the queue. {text}"
    return f"One of the items is currently running. {text}" if "ITEM_RUNNING" in reasons else text


METHODS: Final = (
    Method(
        "queue_item_add_batch",
        _add,
        ("items", "user", "user_group", "pos", "before_uid", "after_uid"),
        Lock.QUEUE,
        failed={"qsize": None, "items": [], "results": []},
        prefix="Failed to add an item: ",
        about_many=True,
        tells_size=True,
    ),
    Method(
        "queue_item_remove_batch",
        _remove,
        ("uids", "ignore_missing"),
        Lock.QUEUE,
        failed={"qsize": None, "items": []},
        prefix="Failed to remove a batch of items: ",
        about_many=True,
    ),
    Method(
        "queue_item_move_batch",
        _move,
        ("uids", "pos_dest", "before_uid", "after_uid", "reorder"),
        Lock.QUEUE,
        failed={"qsize": None, "items": []},
        prefix="Failed to move the batch of items: ",
        about_many=True,
    ),
)
