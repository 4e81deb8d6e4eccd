"""The history: reading and clearing it."""

from __future__ import annotations

import contextlib
from typing import Final

from queueserver.manager.v1 import history_service_pb2 as pb
from queueserver_client import ItemNotFound

from queueserver_zmq_bridge.methods.locking import key_of, require_key
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server

_MOST: Final = 2**31 - 1


async def _get(server: Server, _: Params) -> Fields:
    return await server.history.read(server)


async def _clear(server: Server, params: Params) -> Fields:
    size, uid = params.get("size"), params.get("item_uid")
    if size is not None and uid is not None:
        raise Refused("Parameters 'size' and 'item_uid' are mutually exclusive.")
    if size is not None and not isinstance(size, int):
        raise Refused(f"The 'size' parameter must be an integer: size={size!r:.200}")
    if uid is not None and not isinstance(uid, str):
        raise Refused(f"The 'item_uid' parameter must be a string: item_uid={uid!r:.200}")
    if uid == "":
        # No entry has this uid, so there is nothing to do.
        await require_key(server, Lock.QUEUE, params)
        return {}
    request = pb.ClearHistoryRequest(lock_key=key_of(params))
    if uid is not None:
        request.up_to_item_uid = uid
    elif size is not None and size > 0:
        request.keep_newest = min(int(size), _MOST)
    else:
        request.all = True
    # Nothing is older than an entry that is not there.
    with contextlib.suppress(ItemNotFound):
        await server.change(server.stubs.history.ClearHistory, request)
    return {}


METHODS: Final = (
    Method("history_get", _get, failed={"items": [], "plan_history_uid": ""}, about_many=True),
    Method("history_clear", _clear, ("size", "item_uid"), Lock.QUEUE),
)
