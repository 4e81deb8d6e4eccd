"""The longest requests that the API can carry keep nobody else waiting: no stretch of the bridge's loop is long."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.loop_stretches import LoopStretches
from tests.harness.services import BridgeProcess
from tests.harness.stack import Stack
from tests.zmq_bridge.old_client import OldClient

#: Seconds of processor time. Decoding and encoding are done in one go, in C, and take the most of it.
LONGEST = 0.08
#: As often as this is tried whether it can be done within that time: other work on the machine makes it longer.
TRIES = 5
MANY = 10_000
ITEM = {"item_type": "plan", "name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 3, "delay": 0.1}}
WHO = {"user": "tests", "user_group": "primary"}

Request = Callable[[OldClient], dict[str, Any]]


@pytest.fixture(scope="module")
def measured(server: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BridgeProcess, LoopStretches]]:
    socket = Path(tmp_path_factory.mktemp("s")) / "s"
    process = BridgeProcess(server.address, stretches=socket)
    try:
        yield process, LoopStretches(socket)
    finally:
        process.close()


def add_many(client: OldClient) -> dict[str, Any]:
    client("queue_clear")
    return client("queue_item_add_batch", items=[ITEM] * MANY, **WHO)


def remove_many(client: OldClient) -> dict[str, Any]:
    return client("queue_item_remove_batch", uids=_uids(client))


def move_many(client: OldClient) -> dict[str, Any]:
    return client("queue_item_move_batch", uids=_uids(client)[::-1], pos_dest="back")


def refuse_many(client: OldClient) -> dict[str, Any]:
    client("queue_clear")
    answer = client("queue_item_add_batch", items=[{**ITEM, "args": [[5]]}] * MANY, **WHO)
    return {**answer, "success": not answer["success"]}


def list_changed(client: OldClient) -> dict[str, Any]:
    client("queue_item_add", item=ITEM, **WHO)
    return client("queue_get")


def long_script(client: OldClient) -> dict[str, Any]:
    answer = client("script_upload", script="#" * 4_000_000)
    return {**answer, "success": not answer["success"]}


def longest_garbage(client: OldClient) -> dict[str, Any]:
    answer = client.send(b'{"method": "queue_get", "params": {"x": [' + b"1," * 2_000_000 + b"1]}}")
    return {**answer, "success": not answer["success"]}


def too_long(client: OldClient) -> dict[str, Any]:
    answer = client.send(json.dumps({"method": "script_upload", "params": {"script": "#" * 8_000_000}}).encode())
    assert "several parts" in answer["msg"]
    return {**answer, "success": not answer["success"]}


@pytest.mark.parametrize(
    "request_of",
    [add_many, list_changed, move_many, remove_many, refuse_many, long_script, longest_garbage, too_long],
    ids=lambda function: function.__name__,
)
async def test_no_stretch_is_long(measured: tuple[BridgeProcess, LoopStretches], request_of: Request) -> None:
    bridge, stretches = measured
    longest = []
    with OldClient(bridge.address, patience=30.0) as client:
        for _ in range(TRIES):
            if request_of in (list_changed, move_many, remove_many):
                assert add_many(client)["success"]
            await stretches.begin()
            answer = request_of(client)
            stretch = await stretches.end()
            assert answer["success"], answer["msg"]
            if stretch.seconds <= LONGEST:
                return
    best = min(longest, key=lambda stretch: stretch.seconds)
    pytest.fail(f"the longest stretch has {best.seconds * 1000:.0f} ms:\n{best.place}")


def _uids(client: OldClient) -> list[str]:
    return [item["item_uid"] for item in client("queue_get")["items"]]
