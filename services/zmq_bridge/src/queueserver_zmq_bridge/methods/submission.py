"""What methods that take an item check first: the item itself, and who submits it."""

from __future__ import annotations

import json
from typing import Any, Final

from queueserver.common.v1 import item_pb2
from queueserver_client import QueueServerError

from queueserver_zmq_bridge.answers.failures import sentence
from queueserver_zmq_bridge.answers.items import plan_or_instruction, shown
from queueserver_zmq_bridge.methods.method import Params
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Caller

QUEUE_TYPES: Final = ("plan", "instruction")
#: Reasons that are about the item, not about the request.
_ITEM_REASONS: Final = {"ITEM_INVALID", "NUMBER_NOT_EXACT", "ITEM_TOO_LARGE", "PLAN_NOT_FOUND", "INVENTORY_EMPTY"}
_FORMAT: Final = "Incorrect request format: "


def submitted_item(params: Params, types: tuple[str, ...] = QUEUE_TYPES) -> dict[str, Any]:
    """The object ``item`` of a request, of one of some types. Raises Refused."""
    if "item" not in params:
        raise Refused(f"{_FORMAT}request contains no item info")
    return checked_item(params["item"], types)


def checked_item(item: object, types: tuple[str, ...] = QUEUE_TYPES) -> dict[str, Any]:
    """An item that is an object of one of some types. Raises Refused."""
    if not isinstance(item, dict):
        raise Refused(f"{_FORMAT}incorrect type of item parameter: {type(item).__name__}, a dictionary is expected")
    if item.get("item_type") is None:
        raise Refused(f"{_FORMAT}'item_type' key is not found")
    if item["item_type"] not in types:
        raise Refused(
            f"{_FORMAT}unsupported 'item_type' value: {shown(item['item_type'])}, supported item types {types}"
        )
    return item


def submitter(params: Params) -> Caller:
    """Who submits. Raises Refused if that is not said."""
    for name, what in (("user_group", "user group"), ("user", "user name")):
        if name not in params:
            raise Refused(f"{_FORMAT}{what} is not specified")
    group, user = group_of(params), params["user"]
    if user == "":
        raise Refused("The parameter 'user' must not be empty: give the name of who submits.")
    return user if isinstance(user, str) else json.dumps(user), group


def group_of(params: Params) -> str:
    """The user group of a request. Raises Refused for what can't be one."""
    group = params["user_group"]
    if not isinstance(group, str) or not group:
        raise Refused(f"Unknown user group: {shown(group)}")
    return group


def item_spec(item: dict[str, Any]) -> item_pb2.ItemSpec:
    """The message for a checked item. Raises Refused."""
    return plan_or_instruction(item)


def item_refusal(error: QueueServerError, item: dict[str, Any]) -> Refused:
    """What a refusal of the Manager says of an item."""
    return Refused(item_sentence(error.reason, sentence(error), item))


def item_sentence(reason: str, text: str, item: dict[str, Any]) -> str:
    """The message about an item that was refused for a reason, of which the Manager said ``text``."""
    if reason not in _ITEM_REASONS:
        return text
    if reason in {"PLAN_NOT_FOUND", "INVENTORY_EMPTY"}:
        text = f"Plan {item.get('name')!r} is not in the list of allowed plans. {text}"
    return f"Plan validation failed: {text}\nPlan: {shown(item)}"
