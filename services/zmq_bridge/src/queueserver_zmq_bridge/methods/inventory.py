"""Plans and devices: those that exist, and those that a user group may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from queueserver_client import QueueServerError

from queueserver_zmq_bridge.descriptions.listings import DEVICES, PLANS, Which
from queueserver_zmq_bridge.methods.method import Fields, Method, Params
from queueserver_zmq_bridge.methods.submission import group_of
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server


def _listing(name: str, kind: str, *, existing: bool) -> Callable[[Server, Params], Awaitable[Fields]]:
    async def carry_out(server: Server, params: Params) -> Fields:
        group = None if existing else _group(params)
        try:
            found, uid = await server.listings.read(server, Which(kind, group))
        except QueueServerError as error:
            if error.reason == "GROUP_NOT_FOUND":
                raise Refused(f"Unknown user group: {group!r}") from None
            raise
        return {name: found, f"{name}_uid": uid}

    return carry_out


def _group(params: Params) -> str:
    if "user_group" not in params:
        raise Refused("Incorrect request format: user group is not specified")
    return group_of(params)


def _method(kind: str, *, existing: bool) -> Method:
    name = f"{kind}_{'existing' if existing else 'allowed'}"
    return Method(
        name,
        _listing(name, kind, existing=existing),
        () if existing else ("user_group",),
        failed={name: {}, f"{name}_uid": None},
        prefix="",
        not_taken_prefix="",
        about_many=True,
    )


METHODS: Final = (
    _method(PLANS, existing=False),
    _method(DEVICES, existing=False),
    _method(PLANS, existing=True),
    _method(DEVICES, existing=True),
)
