"""What a group may use of a large beamline: how long until a client has the lists, and what others feel of it.

Cold: nobody has asked since permissions changed. Warm: somebody has.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from queueserver.common.v1.inventory_pb2 import DeviceDescription
from queueserver.manager.v1.inventory_service_pb2 import ListDevicesRequest, ListPlansRequest

from tests.bench.channel import Stubs, connect
from tests.bench.figures import Figure, milliseconds, spread
from tests.bench.group_rules import EVERYTHING, SOME, set_permissions
from tests.bench.meanwhile import Waits, another_client
from tests.bench.queue_run import open_environment
from tests.harness.big_profile import DEVICES, PLANS, write_big_profile
from tests.harness.stack import Stack, running_stack

ROUNDS = 15
_GROUPS = {"everything allowed": EVERYTHING, "parts of devices allowed": SOME}


async def measure() -> list[Figure]:
    """Plans and devices, all pages."""
    with tempfile.TemporaryDirectory() as folder:
        write_big_profile(Path(folder))
        with running_stack(startup=Path(folder)) as stack:
            async with connect(stack.address) as stubs:
                async with another_client(stack.address) as opening:
                    with opening.counted():
                        await open_environment(stubs)
                figures = opening.figures(20, "status of another client while the environment opens")
                for what, group in _GROUPS.items():
                    figures += await _lists(stack, stubs, what, group)
    return figures


async def _lists(stack: Stack, stubs: Stubs, what: str, group: str) -> list[Figure]:
    """Alone, which is what the aim is for, and then beside another client."""
    cold, warm, note = [], [], ""
    for number in range(ROUNDS):
        await set_permissions(stubs, f"other_{number}")
        seconds, note = await _list(stubs, group)
        cold.append(seconds)
        warm.append((await _list(stubs, group))[0])
    async with another_client(stack.address) as waits:
        await _beside_another(stubs, group, waits)
    return [
        Figure(f"{what}: cold", milliseconds(cold), "ms", aim=100, note=f"{spread(cold)}; {note}"),
        Figure(f"{what}: warm", milliseconds(warm), "ms", aim=100, note=spread(warm)),
        *waits.figures(20, f"{what}: status of another client meanwhile"),
    ]


async def _beside_another(stubs: Stubs, group: str, waits: Waits) -> None:
    for number in range(ROUNDS):
        with waits.counted():
            await set_permissions(stubs, f"another_{number}")
            await _list(stubs, group)


async def _list(stubs: Stubs, group: str) -> tuple[float, str]:
    """Seconds until everything was there, decoding included, and what it was."""
    begin = time.perf_counter()
    plans = (await stubs.inventory.ListPlans(ListPlansRequest(user_group=group))).plans
    devices: list[DeviceDescription] = []
    token = ""
    while not devices or token:
        page = await stubs.inventory.ListDevices(ListDevicesRequest(user_group=group, page_token=token))
        devices += page.devices
        token = page.next_page_token
    seconds = time.perf_counter() - begin
    note = (
        f"{len(plans)} of {PLANS} plans, {len(devices):,} of {DEVICES:,} devices, {_count(devices):,} with components"
    )
    return seconds, note


def _count(devices: Iterable[DeviceDescription]) -> int:
    return sum(1 + _count(device.components) for device in devices)
