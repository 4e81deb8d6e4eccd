"""What methods that take an item check first: the item itself, and who submits it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from queueserver.common.v1 import item_pb2
from queueserver_client import QueueServerError, ValueNotRepresentable, values
from queueserver_client.models.items import merge_meta

from queueserver_zmq_bridge.answers.failures import sentence
from queueserver_zmq_bridge.answers.items import TYPES
from queueserver_zmq_bridge.methods.method import Params
from queueserver_zmq_bridge.refusal import Refused, shown
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


def item_spec(item: Mapping[str, Any]) -> item_pb2.ItemSpec:
    """The message for a checked item. Raises Refused for what can't be one."""
    kind = item["item_type"]
    if kind == "instruction" and item.get("name") != "queue_stop":
        raise Refused(f"Unrecognized instruction: {shown(item)}")
    try:
        return _spec(item)
    except ValueNotRepresentable as error:
        raise Refused(f"Plan validation failed: {error.message}\nPlan: {shown(item)}") from None


def _spec(item: Mapping[str, Any]) -> item_pb2.ItemSpec:
    name, args, kwargs, properties = (item.get(key) for key in ("name", "args", "kwargs", "properties"))
    if "name" not in item:
        raise ValueNotRepresentable.at("name", "is missing")
    if not isinstance(name, str) or not name:
        raise Refused(
            f"Plan validation failed: Plan {shown(name)} is not in the list of allowed plans: a name is text"
            f"\nPlan: {shown(item)}"
        )
    spec = item_pb2.ItemSpec(item_type=TYPES[item["item_type"]], name=values.text(name, "name"))
    if "args" in item:
        if not isinstance(args, (list, tuple)):
            raise ValueNotRepresentable.at("args", f"must be a list, but is a {type(args).__name__}")
        spec.args.CopyFrom(values.to_list(args, "args"))
    if "meta" in item:
        spec.meta.CopyFrom(values.to_struct(merge_meta(item["meta"]), "meta"))
    for field, value in (("kwargs", kwargs), ("properties", properties)):
        if field in item:
            if not isinstance(value, Mapping):
                raise ValueNotRepresentable.at(field, f"must be a dictionary, but is a {type(value).__name__}")
            getattr(spec, field).CopyFrom(values.to_struct(value, field))
    return spec


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
