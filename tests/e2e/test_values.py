"""Values arrive as they left: arguments on their way to the plan, readings on their way to the client."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from queueserver_client import AsyncClient, DocumentEmitted, EventKind, ExitStatus, Item, Plan

from tests.e2e.conftest import Shell
from tests.harness import expect
from tests.harness.wait import bounded, first

#: In the order in which the device reads them.
STRANGE_COLUMNS = ["nan", "infinity", "largest", "smallest", "beyond", "image", "bytes", "text", "whole_float"]


async def documents_of(client: AsyncClient, item: Item) -> list[tuple[str, Any]]:
    """Documents that a plan emits, by kind."""
    found: list[tuple[str, Any]] = []
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        handle = await client.queue.add(item)
        await client.queue.start()

        def is_last(event: object) -> bool:
            if isinstance(event, DocumentEmitted):
                found.append((event.document.name, event.document.document))
            return expect.document("stop")(event)  # type: ignore[arg-type] # events only

        await first(watch, is_last)
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    return found


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (5, "5"),
        (5.0, "5"),
        (0, "0"),
        (-3, "-3"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (2**53 - 1, "9007199254740991"),
        (-(2**53) + 1, "-9007199254740991"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (True, "True"),
        (None, "None"),
        ("5", "'5'"),
        ("Å µ 🔭 \x00", repr("Å µ 🔭 \x00")),
        ([1, 1.5, [2]], "[1, 1.5, [2]]"),
        ({"a": {"b": 2}}, "{'a': {'b': 2}}"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
async def test_an_argument_reaches_the_plan_as_the_python_value_it_was(
    shared_client: AsyncClient, value: Any, told: str
) -> None:
    documents = await documents_of(shared_client, Plan("tell_types", value, key=value))
    assert dict(documents)["start"]["told"] == {"args": [told], "kwargs": {"key": told}}


@pytest.mark.parametrize(("number", "told"), [("5", "int 5"), ("5.0", "int 5"), ("1.5", "float 1.5")])
async def test_a_number_typed_on_the_command_line_is_an_int_if_it_is_whole(
    qserver: Shell, shared_client: AsyncClient, number: str, told: str
) -> None:
    async with shared_client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        done = qserver("queue", "add", "plan", f'{{"name": "tell_number", "kwargs": {{"num": {number}}}}}')
        assert done.returncode == 0, done.stdout
        await shared_client.queue.start()
        start: Any = await first(watch, expect.document("start"))
        stop: Any = await first(watch, expect.document("stop"))
    assert start.document.document["told"] == told
    async with shared_client.watch([EventKind.STATUS]) as status:
        await first(status, expect.status(lambda now: now.running_item_uid is None))
    assert stop.document.document["exit_status"] == "success"


async def test_count_with_num_5_takes_five_readings(shared_client: AsyncClient) -> None:
    documents = await documents_of(shared_client, Plan("count", ["det1", "det2"], num=5))
    rows = [document for name, document in documents if name == "event"]
    assert [row["seq_num"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(row["data"] == {"det1": 1.0, "det2": 1.0} for row in rows)
    start = dict(documents)["start"]
    assert (start["plan_name"], start["num_points"]) == ("count", 5)


async def test_a_document_with_everything_in_it_arrives_unharmed(shared_client: AsyncClient) -> None:
    documents = await documents_of(shared_client, Plan("count", ["strange"]))
    data = dict(documents)["event"]["data"]
    assert list(data) == list(dict(documents)["descriptor"]["data_keys"]) == STRANGE_COLUMNS
    assert math.isnan(data["nan"])
    assert data["infinity"] == -math.inf
    assert (data["largest"], data["smallest"], data["beyond"]) == (2**63 - 1, -(2**63), 2**70)
    assert all(type(data[key]) is int for key in ("largest", "smallest", "beyond"))
    assert data["bytes"] == b"\x00\xff\xfe raw"
    assert data["text"] == "Å\x00µ"
    assert (type(data["whole_float"]), data["whole_float"]) == (float, 2.0)
    image = data["image"]
    assert (image.dtype, image.shape) == (np.dtype("<f8"), (1000, 1000))
    assert np.array_equal(image, np.arange(1_000_000, dtype=np.float64).reshape(1000, 1000) / 3)


async def test_metadata_of_the_item_is_in_the_start_document_and_properties_are_not(shared_client: AsyncClient) -> None:
    item = Item("one_run", meta={"sample": "Fe", "temperature": 4.2, "n": 3}, properties={"mine": [1]})
    documents = await documents_of(shared_client, item)
    start = dict(documents)["start"]
    assert (start["sample"], start["temperature"], start["n"]) == ("Fe", 4.2, 3)
    assert "mine" not in start
    (entry,) = [entry async for entry in shared_client.history.list()]
    assert (entry.item.properties, entry.item.meta) == ({"mine": [1]}, item.meta)
