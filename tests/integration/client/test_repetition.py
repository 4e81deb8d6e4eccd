"""Changes are repeated under one request id, until the call's own deadline."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import environment_service_pb2 as env
from queueserver.manager.v1 import history_service_pb2 as hist
from queueserver.manager.v1 import lock_service_pb2, queue_execution_pb2, queue_items_pb2
from queueserver.manager.v1 import permission_service_pb2 as perm
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver.manager.v1 import server_service_pb2 as srv
from queueserver.manager.v1 import task_service_pb2 as tasks
from queueserver_client import (
    AnswerNotKept,
    AsyncClient,
    DeadlineExceeded,
    InvalidState,
    ItemInvalid,
    Plan,
    RequestIdReused,
    ServiceUnavailable,
)
from queueserver_long_work.time_slice import next_turn
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import MODULES, ScriptedManager, Silence

CODE = grpc.StatusCode
BUSY = Refusal(CODE.UNAVAILABLE, "STORAGE_UNAVAILABLE", "Redis is away.", retry_after=0.2)
ITEM = item_pb2.Item(item_uid="u", name="count")
CHANGES: dict[str, tuple[Any, Any]] = {
    "AddItem": (queue_items_pb2.AddItemResponse(item=ITEM), lambda c: c.queue.add(Plan("count"))),
    "AddItems": (queue_items_pb2.AddItemsResponse(), lambda c: c.queue.add_batch([])),
    "UpdateItem": (queue_items_pb2.UpdateItemResponse(item=ITEM), lambda c: c.queue.update("u", Plan("count"))),
    "RemoveItem": (queue_items_pb2.RemoveItemResponse(item=ITEM), lambda c: c.queue.remove("back")),
    "RemoveItems": (queue_items_pb2.RemoveItemsResponse(), lambda c: c.queue.remove_batch([])),
    "MoveItem": (queue_items_pb2.MoveItemResponse(item=ITEM), lambda c: c.queue.move(0, 1)),
    "MoveItems": (queue_items_pb2.MoveItemsResponse(), lambda c: c.queue.move_batch([], "front")),
    "ClearQueue": (queue_items_pb2.ClearQueueResponse(), lambda c: c.queue.clear()),
    "StartQueue": (queue_execution_pb2.StartQueueResponse(), lambda c: c.queue.start()),
    "StopQueue": (queue_execution_pb2.StopQueueResponse(), lambda c: c.queue.stop()),
    "CancelStopQueue": (queue_execution_pb2.CancelStopQueueResponse(), lambda c: c.queue.cancel_stop()),
    "SetQueueMode": (queue_execution_pb2.SetQueueModeResponse(), lambda c: c.queue.set_mode()),
    "SetAutostart": (queue_execution_pb2.SetAutostartResponse(), lambda c: c.queue.set_autostart(True)),
    "ExecuteItem": (queue_execution_pb2.ExecuteItemResponse(item=ITEM), lambda c: c.queue.execute(Plan("count"))),
    "PausePlan": (re.PausePlanResponse(), lambda c: c.run_engine.pause()),
    "ResumePlan": (re.ResumePlanResponse(), lambda c: c.run_engine.resume()),
    "StopPlan": (re.StopPlanResponse(), lambda c: c.run_engine.stop()),
    "AbortPlan": (re.AbortPlanResponse(), lambda c: c.run_engine.abort()),
    "HaltPlan": (re.HaltPlanResponse(), lambda c: c.run_engine.halt()),
    "AbortPlanNow": (re.AbortPlanNowResponse(), lambda c: c.run_engine.abort_now()),
    "AnswerQuestion": (re.AnswerQuestionResponse(), lambda c: c.run_engine.answer("yes", "the question")),
    "OpenEnvironment": (env.OpenEnvironmentResponse(), lambda c: c.environment.open(wait=False)),
    "CloseEnvironment": (env.CloseEnvironmentResponse(), lambda c: c.environment.close(wait=False)),
    "DestroyEnvironment": (env.DestroyEnvironmentResponse(), lambda c: c.environment.destroy(wait=False)),
    "ClearHistory": (hist.ClearHistoryResponse(), lambda c: c.history.clear()),
    "ExecuteFunction": (tasks.ExecuteFunctionResponse(), lambda c: c.tasks.execute_function("f")),
    "UploadScript": (tasks.UploadScriptResponse(), lambda c: c.tasks.upload_script("pass")),
    "UpdateEnvironment": (tasks.UpdateEnvironmentResponse(), lambda c: c.tasks.update_environment()),
    "StopServer": (srv.StopServerResponse(), lambda c: c.server.stop("at_once", wait=False)),
    "SetPermissions": (perm.SetPermissionsResponse(), lambda c: c.permissions.set({"user_groups": {}})),
    "ReloadPermissions": (perm.ReloadPermissionsResponse(), lambda c: c.permissions.reload()),
}


#: Methods that the client does not have yet.
TO_COME = {method.name for method in lock_service_pb2.DESCRIPTOR.services_by_name["LockService"].methods}
#: Only the program that takes another server's state over has it (clients/import).
TO_COME |= {"ImportState"}


def test_every_method_of_the_contract_that_takes_a_request_id_is_tested_here() -> None:
    methods = [m for module in MODULES for s in module.DESCRIPTOR.services_by_name.values() for m in s.methods]
    assert {m.name for m in methods if "request_id" in m.input_type.fields_by_name} - TO_COME == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
async def test_a_refused_change_is_repeated_under_its_id_and_the_next_one_has_another(
    manager: ScriptedManager, client: AsyncClient, name: str
) -> None:
    answer, call = CHANGES[name]
    manager.answers[name] = [BUSY, answer, answer]
    await call(client)
    await call(client)
    first, again, other = [request.request_id for request in manager.requests(name)]
    assert first == again
    assert first != other
    assert len(first) == len(other) == 36


async def test_the_delay_that_the_server_asks_for_is_kept(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ClearQueue"] = [
        Refusal(CODE.UNAVAILABLE, "NOT_READY", "Starting.", retry_after=1.0),
        queue_items_pb2.ClearQueueResponse(removed_count=3),
    ]
    begin = time.monotonic()
    assert await client.queue.clear() == 3
    assert time.monotonic() - begin >= 1.0


async def test_a_delay_beyond_the_deadline_ends_the_call_at_once(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ClearQueue"] = Refusal(CODE.UNAVAILABLE, "NOT_READY", "Starting.", retry_after=60.0)
    with pytest.raises(ServiceUnavailable) as caught:
        await client.queue.clear()
    assert caught.value.retry_after == 60.0
    assert len(manager.calls) == 1


async def test_a_change_that_stays_refused_ends_within_its_timeout_with_the_reason(manager: ScriptedManager) -> None:
    manager.answers["ClearQueue"] = Refusal(CODE.UNAVAILABLE, "STORAGE_UNAVAILABLE", "Redis is away.", retry_after=1.0)
    async with AsyncClient(manager.address, timeout=5.0) as client:
        with pytest.raises(ServiceUnavailable) as caught:
            await asyncio.wait_for(client.queue.clear(), 30.0)
    assert caught.value.reason == "STORAGE_UNAVAILABLE"
    assert 2 <= len(manager.calls) <= 6


async def test_a_change_whose_answer_was_lost_is_repeated_after_the_restart(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    never = Silence()
    manager.answers["AddItem"] = [never, queue_items_pb2.AddItemResponse(item=ITEM, index=4)]
    call = asyncio.create_task(client.queue.add(Plan("count")))
    await asyncio.wait_for(never.asked.wait(), 10.0)
    await manager.restart()
    assert (await call).index == 4
    assert len({request.request_id for request in manager.requests("AddItem")}) == 1


async def test_a_change_that_could_not_be_repeated_in_time_is_said_to_be_in_doubt(manager: ScriptedManager) -> None:
    never = Silence()
    manager.answers["ClearQueue"] = never
    async with AsyncClient(manager.address, timeout=5.0) as client:
        call = asyncio.create_task(client.queue.clear())
        await asyncio.wait_for(never.asked.wait(), 10.0)
        await manager.stop()
        with pytest.raises(ServiceUnavailable, match="may or may not have been made") as caught:
            await call
    assert caught.value.reason == ""
    assert len(manager.requests("ClearQueue")) == 1


@pytest.mark.parametrize("reason", ["STORAGE_UNAVAILABLE", "INTERRUPTED"])
async def test_a_change_whose_fate_was_unknown_once_is_not_said_later_to_have_changed_nothing(
    manager: ScriptedManager, reason: str
) -> None:
    unknown = Refusal(CODE.UNAVAILABLE, reason, "Nobody knows.", metadata={"fate": "unknown"})
    known = Refusal(CODE.UNAVAILABLE, "STORAGE_UNAVAILABLE", "Nothing was changed.")
    manager.answers["ClearQueue"] = [unknown, *(known for _ in range(100))]
    async with AsyncClient(manager.address, timeout=1.0) as client:
        with pytest.raises(ServiceUnavailable, match="Nobody knows"):
            await client.queue.clear()
    assert len(manager.requests("ClearQueue")) > 1


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (CODE.INVALID_ARGUMENT, "ITEM_INVALID", ItemInvalid),
        (CODE.INVALID_ARGUMENT, "REQUEST_ID_REUSED", RequestIdReused),
        (CODE.ALREADY_EXISTS, "ANSWER_NOT_KEPT", AnswerNotKept),
        (CODE.FAILED_PRECONDITION, "INVALID_STATE", InvalidState),
        (CODE.DEADLINE_EXCEEDED, "ENVIRONMENT_UNRESPONSIVE", DeadlineExceeded),
    ],
)
async def test_a_refusal_that_will_not_pass_is_not_repeated(
    manager: ScriptedManager, client: AsyncClient, code: grpc.StatusCode, reason: str, kind: type[Exception]
) -> None:
    manager.answers["ClearQueue"] = Refusal(code, reason, "No.")
    with pytest.raises(kind):
        await client.queue.clear()
    assert len(manager.calls) == 1


async def test_closing_the_client_ends_a_repetition(manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.answers["ClearQueue"] = Refusal(CODE.UNAVAILABLE, "NOT_READY", "Starting.", retry_after=20.0)
    client = AsyncClient(manager.address, timeout=60.0)
    rests, rest = asyncio.Event(), client._connection._rest

    async def noted(pause: float) -> None:
        rests.set()
        await rest(pause)

    monkeypatch.setattr(client._connection, "_rest", noted)
    call = asyncio.create_task(client.queue.clear())
    await asyncio.wait_for(rests.wait(), 10.0)
    await client.close()
    with pytest.raises(ServiceUnavailable, match="closed"):
        await asyncio.wait_for(call, 10.0)


@pytest.mark.parametrize(("verb", "doubt"), [("clear", "may or may not have been made"), ("get", "before the answer")])
async def test_closing_the_client_ends_a_call_with_an_error_and_not_with_a_cancellation(
    manager: ScriptedManager, verb: str, doubt: str
) -> None:
    never = Silence()
    manager.answers["ClearQueue"] = manager.answers["GetItem"] = never
    client = AsyncClient(manager.address)
    call = asyncio.create_task(client.queue.clear() if verb == "clear" else client.queue.get("uid"))
    await asyncio.wait_for(never.asked.wait(), 10.0)
    await client.close()
    if sys.version_info < (3, 11):
        # There a task can't tell whether it is being cancelled itself, so its cancellation comes first.
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(call, 10.0)
        return
    with pytest.raises(ServiceUnavailable, match=f"closed.*{doubt}"):
        await asyncio.wait_for(call, 10.0)


async def test_who_is_cancelled_is_cancelled_also_when_the_client_is_closed(manager: ScriptedManager) -> None:
    never = Silence()
    manager.answers["ClearQueue"] = never
    client = AsyncClient(manager.address)
    call = asyncio.create_task(client.queue.clear())
    await asyncio.wait_for(never.asked.wait(), 10.0)
    call.cancel()
    await client.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 10.0)


async def test_closing_the_client_while_it_connects_says_that_it_was_closed() -> None:
    client = AsyncClient("127.0.0.1:1", timeout=20.0)
    client._connection.was_ready = True
    call = asyncio.create_task(client.queue.clear())
    await next_turn()
    await client.close()
    with pytest.raises((ServiceUnavailable, RuntimeError), match="closed"):
        await asyncio.wait_for(call, 10.0)
