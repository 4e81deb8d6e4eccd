"""Places in the queue: as requests name them, and as the Manager does.

The two count differently from the back. A negative position of a request is the index that the new item will have in
the queue with it; the Manager's is that of the item in front of which the new one goes.
"""

from __future__ import annotations

from typing import Final

from queueserver.manager.v1 import queue_pb2

from queueserver_zmq_bridge.methods.method import Params
from queueserver_zmq_bridge.refusal import Refused

#: Any index that is farther out means the end of the queue all the same.
_FARTHEST: Final = 2**31 - 1


def new_place(params: Params) -> queue_pb2.QueuePosition:
    """Where a new item goes; at the back unless said otherwise. Raises Refused."""
    pos, before, after = params.get("pos"), params.get("before_uid"), params.get("after_uid")
    if pos is not None and (before is not None or after is not None):
        raise Refused("Ambiguous parameters: plan position and UID is specified")
    if before is not None and after is not None:
        raise Refused("Ambiguous parameters: both 'before_uid' and 'after_uid' are specified")
    if before is not None or after is not None:
        return _beside(before, after)
    if pos is None or pos == "back":
        return queue_pb2.QueuePosition(back=True)
    if pos == "front":
        return queue_pb2.QueuePosition(front=True)
    index = _index("pos", pos)
    if index >= 0:
        return queue_pb2.QueuePosition(index=min(index, _FARTHEST))
    if index == -1:
        return queue_pb2.QueuePosition(back=True)
    return queue_pb2.QueuePosition(index=max(index + 1, -_FARTHEST))


def address(params: Params, *, required: bool = False) -> queue_pb2.ItemAddress:
    """Which item is meant, at the back unless said otherwise. Raises Refused."""
    pos, uid = params.get("pos"), params.get("uid")
    if pos is not None and uid is not None:
        raise Refused("Ambiguous parameters: plan position and UID is specified")
    if uid is not None:
        return queue_pb2.ItemAddress(uid=uid_text(uid))
    if pos is None and required:
        raise Refused("Source position or UID is not specified")
    if pos is None or pos == "back":
        return queue_pb2.ItemAddress(back=True)
    if pos == "front":
        return queue_pb2.ItemAddress(front=True)
    return queue_pb2.ItemAddress(index=_within_int32("pos", pos))


def destination(params: Params) -> queue_pb2.QueuePosition:
    """Where items are moved: a position or beside another item, exactly one of them. Raises Refused."""
    pos, before, after = params.get("pos_dest"), params.get("before_uid"), params.get("after_uid")
    given = sum(place is not None for place in (pos, before, after))
    if given == 0:
        raise Refused("Destination for the moved items is not specified")
    if given > 1:
        raise Refused("Ambiguous parameters: more than one destination is specified")
    if pos is None:
        return _beside(before, after)
    if pos == "back":
        return queue_pb2.QueuePosition(back=True)
    if pos == "front":
        return queue_pb2.QueuePosition(front=True)
    return queue_pb2.QueuePosition(index=_within_int32("pos_dest", pos))


def uid_text(uid: object) -> str:
    """A uid. What is no text names no item. Raises Refused."""
    if not isinstance(uid, str) or not uid:
        raise Refused(f"Item with UID {uid!r} is not in the queue.")
    return uid


def _beside(before: object, after: object) -> queue_pb2.QueuePosition:
    if before is not None:
        return queue_pb2.QueuePosition(before_uid=uid_text(before))
    return queue_pb2.QueuePosition(after_uid=uid_text(after))


def _index(name: str, value: object) -> int:
    if not isinstance(value, int):
        raise Refused(f"Parameter {name!r} has incorrect value: {value!r} (type {type(value).__name__})")
    return int(value)


def _within_int32(name: str, value: object) -> int:
    if isinstance(value, bool):
        raise Refused(f"Parameter {name!r} has incorrect type: {value!r} (type bool)")
    index = _index(name, value)
    if not -_FARTHEST <= index <= _FARTHEST:
        raise Refused(f"Index {name}={index} is out of range")
    return index
