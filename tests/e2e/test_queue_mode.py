"""Setting the mode of the queue: what is not named stays, what is wrong changes nothing."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from queueserver.manager.v1 import queue_execution_pb2 as pb
from queueserver_client import (
    AsyncClient,
    EventKind,
    InterruptedPolicy,
    Plan,
    QueueMode,
    QueueModeChanged,
    RevisionMismatch,
)

from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded

DEFAULT = QueueMode(loop=False, ignore_failures=False, interrupted=InterruptedPolicy.REQUEUE)
OTHER = QueueMode(loop=True, ignore_failures=True, interrupted=InterruptedPolicy.HOLD)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, OTHER),
        ({"loop": False}, QueueMode(loop=False, ignore_failures=True, interrupted=InterruptedPolicy.HOLD)),
        ({"ignore_failures": False}, QueueMode(loop=True, ignore_failures=False, interrupted=InterruptedPolicy.HOLD)),
        ({"interrupted": "drop"}, QueueMode(loop=True, ignore_failures=True, interrupted=InterruptedPolicy.DROP)),
        ({"reset": True}, DEFAULT),
        ({"reset": True, "loop": True}, QueueMode(loop=True, interrupted=InterruptedPolicy.REQUEUE)),
    ],
)
async def test_what_is_not_named_stays_as_it_is(
    shared_client: AsyncClient, given: dict[str, Any], expected: QueueMode
) -> None:
    await shared_client.queue.set_mode(loop=True, ignore_failures=True, interrupted="hold")
    assert await shared_client.queue.set_mode(**given) == expected
    assert (await shared_client.status()).queue_mode == expected


async def test_a_mode_that_is_set_again_changes_nothing_and_another_one_is_told_once(
    shared_client: AsyncClient,
) -> None:
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await bounded(watch.__anext__())
        before = await shared_client.status()
        for _ in range(3):
            await shared_client.queue.set_mode(loop=True)
        told = await bounded(watch.__anext__())
        await shared_client.queue.set_mode(reset=True)
        last = await bounded(watch.__anext__())
    assert isinstance(told, QueueModeChanged)
    assert (told.mode.loop, told.revision) == (True, before.revision + 1)
    assert isinstance(last, QueueModeChanged)
    assert (last.mode, last.revision) == (DEFAULT, before.revision + 2)


async def test_a_policy_that_does_not_exist_is_refused_and_changes_nothing(
    raw: Stubs, shared_client: AsyncClient
) -> None:
    before = await shared_client.status()
    request = pb.SetQueueModeRequest(loop=True, interrupted=77)  # type: ignore[arg-type] # no policy has this number
    refusal = await refused(raw.queue.SetQueueMode(request))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refusal.violations) == ["interrupted"]
    after = await shared_client.status()
    assert (after.revision, after.queue_mode) == (before.revision, DEFAULT)


@pytest.mark.parametrize("meanwhile", ["mode", "queue"])
async def test_a_mode_that_expects_another_revision_of_queue_or_mode_is_refused_and_changes_nothing(
    shared_client: AsyncClient, meanwhile: str
) -> None:
    await shared_client.queue.set_mode(reset=True)
    seen = (await shared_client.status()).revision
    if meanwhile == "mode":
        await shared_client.queue.set_mode(ignore_failures=True)
    else:
        await shared_client.queue.add(Plan("nothing"))
    before = await shared_client.status()
    with pytest.raises(RevisionMismatch, match="The queue or its mode changed at revision") as caught:
        await shared_client.queue.set_mode(loop=True, expected_revision=seen)
    assert caught.value.queue_revision == before.revision > seen
    after = await shared_client.status()
    assert (after.revision, after.queue_mode) == (before.revision, before.queue_mode)
    assert (await shared_client.queue.set_mode(loop=True, expected_revision=before.revision)).loop
