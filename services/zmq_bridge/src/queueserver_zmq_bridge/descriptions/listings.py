"""The lists of plans and devices, encoded as they are sent, and kept until they change.

Guarantees: making a long list keeps no other client waiting; a list that was sent before is not made again until it
changes; a list is complete and of one moment. Bounded: so many lists, and so many bytes of them, are kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from queueserver.common.v1 import inventory_pb2
from queueserver.manager.v1 import inventory_service_pb2 as pb
from queueserver_client import QueueServerError
from queueserver_long_work.time_slice import TimeSlice
from queueserver_long_work.work import Steps, Work

from queueserver_zmq_bridge.descriptions.devices import device_description
from queueserver_zmq_bridge.descriptions.plans import plan_description

if TYPE_CHECKING:
    from queueserver_zmq_bridge.server import Server
    from queueserver_zmq_bridge.sockets.encoding import Encoded, Encoding

#: Lists and bytes that are kept; those that were asked for least recently go first.
MOST_LISTS: Final = 16
MOST_BYTES: Final = 64 * 1024 * 1024
#: How often a list is begun again because it changed while it was read.
_ATTEMPTS: Final = 5
#: No plan and no device has this name: to ask for it is to ask for the change marker alone.
_NO_NAME: Final = "-"

PLANS: Final = "plans"
DEVICES: Final = "devices"


class Which(NamedTuple):
    """One list: plans or devices, all that exist or those of a user group."""

    kind: str
    #: None for all that exist.
    user_group: str | None


@dataclass(slots=True)
class _Kept:
    """A list as it was made last."""

    uid: str = ""
    encoded: Encoded | None = None
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


class Listings:
    """Reads lists from the Manager, and keeps them encoded."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._kept: OrderedDict[Which, _Kept] = OrderedDict()

    async def read(self, server: Server, which: Which) -> tuple[Encoded, str]:
        """A list and its change marker. Raises QueueServerError."""
        _, uid, _ = await _page(server, which, names=(_NO_NAME,))
        kept = self._kept.setdefault(which, _Kept())
        self._kept.move_to_end(which)
        async with kept.making:
            if kept.encoded is None or kept.uid != uid:
                kept.encoded, kept.uid = await self._make(server, which)
                self._drop_the_oldest()
            return kept.encoded, kept.uid

    async def _make(self, server: Server, which: Which) -> tuple[Encoded, str]:
        entries, uid = await _entries(server, which)
        names = {entry.name for entry in entries}
        encoded: dict[str, bytes] = {}
        time_slice = TimeSlice()
        for entry in entries:
            steps = Steps(_description(entry, names))
            for _ in steps:
                await time_slice.yield_if_due()
            encoded[entry.name] = self._encoding.encode(steps.result)
            await time_slice.yield_if_due()
        return self._encoding.join(encoded), uid

    def _drop_the_oldest(self) -> None:
        total = sum(len(kept.encoded or b"") for kept in self._kept.values())
        while len(self._kept) > MOST_LISTS or (total > MOST_BYTES and len(self._kept) > 1):
            _, dropped = self._kept.popitem(last=False)
            total -= len(dropped.encoded or b"")


def _description(entry: Any, names: set[str]) -> Work[dict[str, Any]]:
    if isinstance(entry, inventory_pb2.DeviceDescription):
        return (yield from device_description(entry))
    return plan_description(entry, names)


async def _entries(server: Server, which: Which) -> tuple[list[Any], str]:
    """All entries, of one moment. Raises QueueServerError."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await _all_pages(server, which)
        except QueueServerError as error:
            if error.reason != "INVENTORY_CHANGED":
                raise
    return await _all_pages(server, which)


async def _all_pages(server: Server, which: Which) -> tuple[list[Any], str]:
    entries, token = [], ""
    while True:
        page, uid, token = await _page(server, which, token)
        entries += page
        if not token:
            return entries, uid


async def _page(server: Server, which: Which, token: str = "", names: tuple[str, ...] = ()) -> tuple[Any, str, str]:
    """A page of the list, its change marker, and the token of the next page."""
    about: dict[str, Any] = {
        "existing": which.user_group is None,
        "user_group": which.user_group or "",
        "page_token": token,
        "names": names,
    }
    if which.kind == PLANS:
        plans = await server.read(server.stubs.inventory.ListPlans, pb.ListPlansRequest(**about))
        return plans.plans, plans.plans_uid, plans.next_page_token
    devices = await server.read(server.stubs.inventory.ListDevices, pb.ListDevicesRequest(**about))
    return devices.devices, devices.devices_uid, devices.next_page_token
