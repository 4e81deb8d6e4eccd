"""The service config of the page about other languages: what gRPC's own retries make of a refusal."""

from __future__ import annotations

import asyncio
import json
import re

import grpc
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceStub
from queueserver_client import AsyncClient, ConnectionState, EventKind

from tests.harness import expect
from tests.harness.parts import Parts
from tests.harness.raw import connect, refused
from tests.harness.services import REPOSITORY
from tests.harness.wait import bounded, first

PAGE = REPOSITORY / "docs" / "how-to" / "other-languages.md"
PROTOS = REPOSITORY / "protos" / "queueserver" / "manager" / "v1"


def config_of_page() -> str:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(block)


def test_the_service_config_is_for_every_service_but_the_one_that_watches() -> None:
    named = [name["service"] for method in json.loads(config_of_page())["methodConfig"] for name in method["name"]]
    services = [
        f"queueserver.manager.v1.{service}"
        for path in PROTOS.glob("*_service.proto")
        for service in re.findall(r"^service (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert sorted(named) == sorted({*services} - {"queueserver.manager.v1.EventService"})


async def test_a_client_with_the_service_config_of_the_page_adds_an_item_once_when_redis_is_back(
    parts: Parts, parts_client: AsyncClient
) -> None:
    options = [("grpc.service_config", config_of_page())]
    async with (
        grpc.aio.insecure_channel(parts.address, options=options) as channel,
        connect(parts.address) as without_retries,
    ):
        request = queue_items_pb2.AddItemRequest(item=item_pb2.ItemSpec(name="one_run"), request_id="once")
        with parts.redis_frozen():
            async with parts_client.watch([EventKind.STATUS]) as watch:
                await first(watch, expect.status(lambda status: status.storage is ConnectionState.DOWN))
            adding = asyncio.ensure_future(QueueServiceStub(channel).AddItem(request, timeout=30))
            assert (await refused(bounded(without_retries.queue.AddItem(request)))).reason == "STORAGE_UNAVAILABLE"
        added = await adding
    assert [item.uid async for item in parts_client.queue.list()] == [added.item.item_uid]
