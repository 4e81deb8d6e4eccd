"""Reading the queue, and adding, replacing, removing and moving one item."""

from __future__ import annotations

from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver.manager.v1 import queue_pb2
from queueserver_client import ItemNotFound, ItemRunning, PositionOutOfRange, QueueServerError
from queueserver_client.lock_errors import Locked

from queueserver_zmq_bridge.answers.items import item_fields
from queueserver_zmq_bridge.methods.locking import key_of
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.methods.positions import address, destination, new_place, uid_text
from queueserver_zmq_bridge.methods.submission import item_refusal, item_spec, submitted_item, submitter
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Caller, Server

_PLACE: Final = ("pos", "before_uid", "after_uid")


async def _queue_get(server: Server, _: Params) -> Fields:
    return await server.queue.read(server)


async def _get(server: Server, params: Params) -> Fields:
    try:
        answer = await server.read(server.stubs.queue.GetItem, pb.GetItemRequest(address=address(params)))
    except QueueServerError as error:
        raise Refused(addressed(error)) from None
    if answer.state not in _IN_QUEUE:
        uid = params.get("uid")
        if answer.HasField("running_item"):
            raise Refused(f"The item with UID {uid!r} is currently running.")
        raise Refused(f"Item with UID {uid!r} is not in the queue.")
    return {"item": item_fields(answer.item)}


_IN_QUEUE: Final = (queue_pb2.ITEM_STATE_QUEUED, queue_pb2.ITEM_STATE_HELD, queue_pb2.ITEM_STATE_INVALID)


async def _add(server: Server, params: Params) -> Fields:
    item, key = submitted_item(params), key_of(params)
    caller = submitter(params)
    request, misplaced = pb.AddItemRequest(item=item_spec(item), lock_key=key), None
    try:
        request.position.CopyFrom(new_place(params))
    except Refused as refusal:
        # What is wrong with the item is told first.
        request.validate_only, misplaced = True, refusal
    try:
        answer = await server.change(server.stubs.queue.AddItem, request, caller)
    except (ItemNotFound, ItemRunning) as error:
        await _validate(server, request.item, caller, item)
        raise Refused(addressed(error)) from None
    except QueueServerError as error:
        raise item_refusal(error, item) from None
    if misplaced:
        raise misplaced
    return {"qsize": answer.queue_size, "item": item_fields(answer.item)}


async def _update(server: Server, params: Params) -> Fields:
    item, key = submitted_item(params), key_of(params)
    caller, spec = submitter(params), item_spec(item)
    request = pb.UpdateItemRequest(
        item=spec, update_mask=FieldMask(paths=["*"]), new_uid=bool(params.get("replace")), lock_key=key
    )
    try:
        request.item_uid = _uid_of(item)
        answer = await server.change(server.stubs.queue.UpdateItem, request, caller)
    except (Refused, ItemNotFound, ItemRunning) as error:
        # What is wrong with the item is told first.
        await _validate(server, spec, caller, item)
        raise error if isinstance(error, Refused) else Refused(addressed(error)) from None
    except QueueServerError as error:
        raise item_refusal(error, item) from None
    return {"qsize": answer.queue_size, "item": item_fields(answer.item)}


def _uid_of(item: Params) -> str:
    if "item_uid" not in item:
        raise Refused("Item UID is not specified: key 'item_uid' is not found in the item")
    return uid_text(item["item_uid"])


async def _validate(server: Server, spec: item_pb2.ItemSpec, caller: Caller, item: Params) -> None:
    """Raise Refused if the item could not be queued, whatever is locked."""
    request = pb.AddItemRequest(item=spec, validate_only=True)
    try:
        await server.change(server.stubs.queue.AddItem, request, caller)
    except Locked:
        return
    except QueueServerError as error:
        raise item_refusal(error, item) from None


async def _remove(server: Server, params: Params) -> Fields:
    request = pb.RemoveItemRequest(address=address(params), lock_key=key_of(params))
    try:
        answer = await server.change(server.stubs.queue.RemoveItem, request)
    except QueueServerError as error:
        raise Refused(addressed(error)) from None
    return {"qsize": answer.queue_size, "item": item_fields(answer.item)}


async def _move(server: Server, params: Params) -> Fields:
    request = pb.MoveItemRequest(
        source=address(params, required=True), destination=destination(params), lock_key=key_of(params)
    )
    try:
        answer = await server.change(server.stubs.queue.MoveItem, request)
    except QueueServerError as error:
        raise Refused(addressed(error)) from None
    return {"qsize": answer.queue_size, "item": item_fields(answer.item)}


async def _clear(server: Server, params: Params) -> Fields:
    await server.change(server.stubs.queue.ClearQueue, pb.ClearQueueRequest(all=True, lock_key=key_of(params)))
    return {}


def addressed(error: QueueServerError) -> str:
    """The sentence for an item that is not where the request says. Raises an error about anything else again."""
    if isinstance(error, ItemRunning):
        return f"The item is currently running. {error.message}"
    if isinstance(error, ItemNotFound):
        return f"Item is not in the queue. {error.message}"
    if isinstance(error, PositionOutOfRange):
        return f"Index is out of range. {error.message}"
    raise error


METHODS: Final = (
    Method("queue_get", _queue_get, failed={"items": [], "running_item": {}, "plan_queue_uid": ""}, about_many=True),
    Method("queue_item_get", _get, ("pos", "uid"), failed={"item": {}}, prefix="Failed to get an item: "),
    Method(
        "queue_item_add",
        _add,
        ("item", "user", "user_group", *_PLACE),
        Lock.QUEUE,
        failed={"qsize": None, "item": None},
        prefix="Failed to add an item: ",
        echoed=("item",),
    ),
    Method(
        "queue_item_update",
        _update,
        ("item", "user", "user_group", "replace"),
        Lock.QUEUE,
        failed={"qsize": 0, "item": None},
        prefix="Failed to add an item: ",
        echoed=("item",),
    ),
    Method(
        "queue_item_remove",
        _remove,
        ("pos", "uid"),
        Lock.QUEUE,
        failed={"qsize": None, "item": {}},
        prefix="Failed to remove an item: ",
    ),
    Method(
        "queue_item_move",
        _move,
        ("pos", "uid", "pos_dest", "before_uid", "after_uid"),
        Lock.QUEUE,
        failed={"qsize": None, "item": {}},
        prefix="Failed to move the item: ",
    ),
    Method("queue_clear", _clear, (), Lock.QUEUE),
)
