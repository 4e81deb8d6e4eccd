"""What a client of this version sees of a server of the next one: never an error, and what it knows as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    Event,
    ItemRemoved,
    ItemState,
    ManagerState,
    Plan,
    QueueStopped,
    QueueStopReason,
    ServerFault,
    Snapshot,
    UnknownEvent,
)

from tests.harness.next_version import TEXT, Newer
from tests.integration.client.scripted_manager import MODULES, ScriptedManager, until_cancelled
from tests.integration.client.test_repetition import CHANGES, TO_COME

PACKAGE = "queueserver.manager.v1."
NEWER = Newer()


async def first(stream: Any) -> Any:
    try:
        return await stream.__anext__()
    finally:
        await stream.aclose()


async def all_of(stream: Any) -> Any:
    return [found async for found in stream]


READS: dict[str, Callable[[AsyncClient], Any]] = {
    "GetStatus": lambda c: c.status(),
    "ExplainIdle": lambda c: c.explain_idle(),
    "ListItems": lambda c: all_of(c.queue.list()),
    "GetItem": lambda c: c.queue.get("back"),
    "WaitItem": lambda c: first(c.queue.wait("u")),
    "ListHistory": lambda c: all_of(c.history.list()),
    "GetEnvironment": lambda c: c.environment.get(),
    "WaitEnvironment": lambda c: c.environment.wait(),
    "ListPlans": lambda c: c.inventory.plans(),
    "GetPlan": lambda c: c.inventory.plan("count"),
    "GetDevice": lambda c: c.inventory.device("det1"),
    "ListDevices": lambda c: c.inventory.devices(),
    "ListFunctions": lambda c: c.inventory.functions(),
    "ListIssues": lambda c: c.inventory.issues(),
    "ListRuns": lambda c: c.run_engine.runs(),
    "GetMetadata": lambda c: c.run_engine.metadata(),
    "GetTask": lambda c: c.tasks.get("t"),
    "ListTasks": lambda c: c.tasks.list(),
    "WaitTask": lambda c: first(c.tasks._follow("t", 5.0)),
    "GetServerInfo": lambda c: c.server.info(),
    "GetPermissions": lambda c: c.permissions.get(),
    "ValidateItems": lambda c: c.planning.validate([Plan("count")]),
    "SimulateItem": lambda c: c.planning.simulate(Plan("count")),
    "WatchEvents": lambda c: first(c.watch()),
}
CALLS = READS | {name: call for name, (_, call) in CHANGES.items()}
CALLS["AddItems"] = lambda c: c.queue.add_batch([Plan("count")])
METHODS = {m.name: m for module in MODULES for s in module.DESCRIPTOR.services_by_name.values() for m in s.methods}


def test_every_method_of_the_contract_is_tested_here() -> None:
    assert set(CALLS) == set(METHODS) - TO_COME


def answer(name: str, *, oneofs: bool) -> bytes:
    """What a server of the next version says, on its one page."""
    message = NEWER.filled(METHODS[name].output_type.full_name, oneofs=oneofs)
    if "next_page_token" in message.DESCRIPTOR.fields_by_name:
        message.next_page_token = ""
    data: bytes = message.SerializeToString()
    return data


@pytest.mark.parametrize("oneofs", [False, True], ids=["fields-and-values", "members-of-oneofs"])
@pytest.mark.parametrize("name", CALLS)
async def test_what_is_new_in_an_answer_is_no_error(
    manager: ScriptedManager, client: AsyncClient, name: str, oneofs: bool
) -> None:
    data = answer(name, oneofs=oneofs)

    async def stream(_: object) -> AsyncIterator[bytes]:
        yield data
        if name == "WatchEvents" and oneofs:
            yield answer(name, oneofs=False)

    manager.answers[name] = stream if METHODS[name].server_streaming else data
    found = await CALLS[name](client)
    if name in READS and name != "GetMetadata" and not oneofs:  # metadata has no fields of its own
        assert TEXT in repr(found)


async def test_a_state_that_is_not_known_is_none_of_those_that_are(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["GetStatus"] = answer("GetStatus", oneofs=False)
    status = await client.status()
    assert status.manager_state is ManagerState.UNSPECIFIED


async def test_of_an_obstacle_that_is_not_known_the_sentence_and_the_remedy_are_told(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["ExplainIdle"] = answer("ExplainIdle", oneofs=False)
    (blocker,) = await client.explain_idle()
    assert (blocker.kind, blocker.message, blocker.remedy_command) == (BlockerKind.UNSPECIFIED, TEXT, TEXT)


def event(**known: Any) -> Any:
    """An event with what this version knows, and what it does not."""
    message = NEWER.new(PACKAGE + "WatchEvent")
    message.newer = TEXT
    for name, fields in known.items():
        if name == "revision":
            message.revision = fields
        else:
            part = getattr(message, name)
            part.SetInParent()
            part.newer = TEXT
            for field, value in fields.items():
                setattr(part, field, value)
    return message


async def test_an_event_that_is_not_known_hides_no_other_and_its_token_counts(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    unknown = event(revision=3)
    unknown.newer_event = TEXT
    told = [event(revision=2, item_removed={"item_uid": "a", "index": 1}), unknown]
    last = event(revision=4, queue_stopped={"reason": 777})
    tokens: list[str] = []

    async def stream(request: Any) -> AsyncIterator[bytes]:
        tokens.append(request.resume_token)
        responses = [NEWER.new(PACKAGE + "WatchEventsResponse") for _ in range(3)]
        responses[0].snapshot.revision, responses[0].snapshot.complete, responses[0].resume_token = 1, True, "t1"
        responses[1].batch.events.extend(told)
        responses[1].resume_token = "t2"
        responses[2].batch.events.append(last)
        responses[2].resume_token = "t3"
        for response in responses[:2] if not request.resume_token else responses[2:]:
            yield response.SerializeToString()
        if request.resume_token:
            await until_cancelled()

    manager.answers["WatchEvents"] = stream
    seen: list[Event | Snapshot] = []
    async with client.watch() as watch:
        async for change in watch:
            seen.append(change)
            if isinstance(change, QueueStopped):
                break
    assert tokens == ["", "t2"]
    snapshot, removed, unknown_event, stopped = seen
    assert isinstance(snapshot, Snapshot)
    assert isinstance(removed, ItemRemoved)
    assert isinstance(unknown_event, UnknownEvent)
    assert unknown_event.revision == 3
    assert isinstance(stopped, QueueStopped)
    assert stopped.reason is QueueStopReason.UNSPECIFIED


@pytest.mark.parametrize("oneofs", [False, True])
async def test_an_item_that_ended_in_a_state_that_is_not_known_is_waited_for_no_longer(
    manager: ScriptedManager, client: AsyncClient, oneofs: bool
) -> None:
    async def stream(_: object) -> AsyncIterator[bytes]:
        yield answer("WaitItem", oneofs=oneofs)

    manager.answers["WaitItem"] = stream
    (status,) = await all_of(client.queue.wait("u"))
    assert status.state is ItemState.UNSPECIFIED
    assert len(manager.calls) == 1


@pytest.mark.parametrize("has_result", [False, True])
async def test_a_task_that_ended_in_a_state_that_is_not_known_is_waited_for_no_longer(
    manager: ScriptedManager, client: AsyncClient, has_result: bool
) -> None:
    message = NEWER.filled(METHODS["WaitTask"].output_type.full_name, oneofs=False)
    if not has_result:
        message.status.ClearField("result")

    async def stream(_: object) -> AsyncIterator[bytes]:
        yield message.SerializeToString()

    manager.answers["WaitTask"] = stream
    if has_result:
        assert (await client.tasks.wait("t")).message == TEXT
    else:
        with pytest.raises(ServerFault, match="only a newer client knows"):
            await client.tasks.wait("t")
    assert len(manager.calls) == 1
