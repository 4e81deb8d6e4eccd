"""Adding, removing and moving several items in one step."""

from __future__ import annotations

from typing import Any, Final

from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import BatchRefused, ItemNotFound, QueueServerError

from queueserver_zmq_bridge.answers.failures import sentence
from queueserver_zmq_bridge.answers.items import item_fields
from queueserver_zmq_bridge.methods.locking import key_of
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.methods.positions import destination, new_place, uid_text
from queueserver_zmq_bridge.methods.queue_items import addressed
from queueserver_zmq_bridge.methods.status import manager_status
from queueserver_zmq_bridge.methods.submission import checked_item, item_sentence, item_spec, submitter
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server

_OK: Final = {"success": True, "msg": ""}


async def _add(server: Server, params: Params) -> Fields:
    try:
        return await _add_all(server, params)
    except Refused as refusal:
        size = (await manager_status(server)).items_in_queue
        raise Refused(refusal.message, prefixed=refusal.prefixed, **{"qsize": size, **refusal.fields}) from None


async def _add_all(server: Server, params: Params) -> Fields:
    submitted = params.get("items")
    if submitted is None:
        raise Refused("Invalid request format: the list of items is not found")
    if not isinstance(submitted, list):
        raise Refused(f"Invalid request format: 'items' must be a list, but is a {type(submitted).__name__}")
    caller, key = submitter(params), key_of(params)
    request = pb.AddItemsRequest(lock_key=key)
    refused = _fill(request, submitted)
    if not refused:
        try:
            request.position.CopyFrom(new_place(params))
        except Refused as refusal:
            raise _all_refused(submitted, dict.fromkeys(range(len(submitted)), refusal.message)) from None
    if refused:
        # The Manager checks the others, so that each item has its own result.
        request.validate_only = True
    try:
        answer = await server.change(server.stubs.queue.AddItems, request, caller)
    except BatchRefused as error:
        sent = [index for index in range(len(submitted)) if index not in refused]
        for item in error.items:
            index = sent[item.index]
            refused[index] = item_sentence(item.reason, item.message, submitted[index])
        raise _all_refused(submitted, refused) from None
    except ItemNotFound as error:
        raise _all_refused(submitted, dict.fromkeys(range(len(submitted)), addressed(error))) from None
    if refused:
        raise _all_refused(submitted, refused)
    user, group = caller
    items = [
        item_fields(spec) | {"user": user, "user_group": group, "item_uid": uid}
        for spec, uid in zip(request.items, answer.item_uids, strict=True)
    ]
    return {"qsize": answer.queue_size, "items": items, "results": [_OK] * len(items)}


def _fill(request: pb.AddItemsRequest, submitted: list[Any]) -> dict[int, str]:
    """Put the items into the request; returns why some can't be sent, by their place."""
    refused: dict[int, str] = {}
    for index, item in enumerate(submitted):
        try:
            request.items.append(item_spec(checked_item(item)))
        except Refused as refusal:
            refused[index] = refusal.message
    return refused


def _all_refused(submitted: list[Any], refused: dict[int, str]) -> Refused:
    results = [
        {"success": False, "msg": f"Failed to add a plan: {refused[index]}"} if index in refused else _OK
        for index in range(len(submitted))
    ]
    message = (
        f"Failed to add all items: validation of {len(refused)} out of {len(submitted)} submitted items failed"
        if submitted
        else next(iter(refused.values()), "Failed to add all items")
    )
    return Refused(message, prefixed=False, items=submitted, results=results)


async def _remove(server: Server, params: Params) -> Fields:
    uids, strict = _uids(params), not params.get("ignore_missing", True)
    request = pb.RemoveItemsRequest(item_uids=uids, strict=strict, lock_key=key_of(params))
    try:
        answer = await server.change(server.stubs.queue.RemoveItems, request)
    except BatchRefused as error:
        raise Refused(sentence(error)) from None
    return {"items": list(map(item_fields, answer.items)), "qsize": answer.queue_size}


async def _move(server: Server, params: Params) -> Fields:
    request = pb.MoveItemsRequest(
        item_uids=_uids(params),
        destination=destination(params),
        keep_queue_order=bool(params.get("reorder")),
        lock_key=key_of(params),
    )
    try:
        answer = await server.change(server.stubs.queue.MoveItems, request)
    except QueueServerError as error:
        raise Refused(addressed(error)) from None
    return {"items": list(map(item_fields, answer.items)), "qsize": answer.queue_size}


def _uids(params: Params) -> list[str]:
    uids = params.get("uids")
    if uids is None:
        raise Refused("Invalid request format: the list of item UIDs is not found")
    if not isinstance(uids, (list, tuple)):
        raise Refused(f"Parameter 'uids' must be a list, but is a {type(uids).__name__}")
    return [uid_text(uid) for uid in uids]


METHODS: Final = (
    Method(
        "queue_item_add_batch",
        _add,
        ("items", "user", "user_group", "pos", "before_uid", "after_uid"),
        Lock.QUEUE,
        failed={"qsize": None, "items": [], "results": []},
        prefix="Failed to add an item: ",
        lists_all=True,
    ),
    Method(
        "queue_item_remove_batch",
        _remove,
        ("uids", "ignore_missing"),
        Lock.QUEUE,
        failed={"qsize": None, "items": []},
        prefix="Failed to remove a batch of items: ",
        lists_all=True,
    ),
    Method(
        "queue_item_move_batch",
        _move,
        ("uids", "pos_dest", "before_uid", "after_uid", "reorder"),
        Lock.QUEUE,
        failed={"qsize": None, "items": []},
        prefix="Failed to move the batch of items: ",
        lists_all=True,
    ),
)
