"""Plans and devices: those that exist, and those that a user group may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from queueserver.manager.v1 import inventory_service_pb2 as pb
from queueserver_client import QueueServerError

from queueserver_zmq_bridge.descriptions.devices import device_description
from queueserver_zmq_bridge.descriptions.plans import plan_description
from queueserver_zmq_bridge.methods.method import Fields, Method, Params, Refused
from queueserver_zmq_bridge.server import Server


async def _plans(server: Server, *, existing: bool, user_group: str = "") -> tuple[dict[str, Any], str]:
    plans: dict[str, Any] = {}
    token = ""
    while True:
        request = pb.ListPlansRequest(existing=existing, user_group=user_group, page_token=token)
        page = await server.read(server.stubs.inventory.ListPlans, request)
        plans.update((plan.name, plan_description(plan)) for plan in page.plans)
        token = page.next_page_token
        if not token:
            return plans, page.plans_uid


async def _devices(server: Server, *, existing: bool, user_group: str = "") -> tuple[dict[str, Any], str]:
    devices: dict[str, Any] = {}
    token = ""
    while True:
        request = pb.ListDevicesRequest(existing=existing, user_group=user_group, page_token=token)
        page = await server.read(server.stubs.inventory.ListDevices, request)
        devices.update((device.name, device_description(device)) for device in page.devices)
        token = page.next_page_token
        if not token:
            return devices, page.devices_uid


def _listing(
    name: str, read: Callable[..., Awaitable[tuple[dict[str, Any], str]]], *, existing: bool
) -> Callable[[Server, Params], Awaitable[Fields]]:
    async def carry_out(server: Server, params: Params) -> Fields:
        group = "" if existing else _group(params)
        try:
            found, uid = await read(server, existing=existing, user_group=group)
        except QueueServerError as error:
            if error.reason == "GROUP_NOT_FOUND":
                raise Refused(f"Unknown user group: {group!r}") from None
            raise
        return {name: found, f"{name}_uid": uid}

    return carry_out


def _group(params: Params) -> str:
    group = params.get("user_group")
    if not group:
        raise Refused("Incorrect request format: user group is not specified")
    if not isinstance(group, str):
        raise Refused(f"Unknown user group: {group!r:.200}")
    return group


def _method(kind: str, read: Callable[..., Awaitable[tuple[dict[str, Any], str]]], *, existing: bool) -> Method:
    name = f"{kind}_{'existing' if existing else 'allowed'}"
    return Method(
        name,
        _listing(name, read, existing=existing),
        () if existing else ("user_group",),
        failed={name: {}, f"{name}_uid": None},
        prefix="",
        lists_all=True,
    )


METHODS: Final = (
    _method("plans", _plans, existing=False),
    _method("devices", _devices, existing=False),
    _method("plans", _plans, existing=True),
    _method("devices", _devices, existing=True),
)
