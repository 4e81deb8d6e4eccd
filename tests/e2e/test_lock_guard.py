"""Every method of the contract beside a lock: what it says of itself is what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from queueserver.common.v1 import item_pb2, method_pb2
from queueserver.common.v1.permissions_pb2 import GroupPermissions, UserGroupPermissions
from queueserver.manager.v1 import environment_service_pb2 as env
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver.manager.v1 import permission_service_pb2 as perm
from queueserver.manager.v1 import queue_execution_pb2 as execution
from queueserver.manager.v1 import queue_items_pb2 as q
from queueserver.manager.v1 import queue_pb2, status_service_pb2
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver_client import AsyncClient, ManagerState, Plan, RunEngineState

from tests.e2e.test_ownership import CALLS as SHORT
from tests.e2e.test_ownership import SERVICES
from tests.harness.gate import Gate
from tests.harness.progress import until, until_state
from tests.harness.raw import Stubs, read_refusal, refused
from tests.harness.wait import bounded

KEY = "annas key"
ITEM = item_pb2.ItemSpec(name="one_run")
EVERYTHING = GroupPermissions(all_plans=True, all_devices=True, all_functions=True)
GROUPS = dict.fromkeys(("root", "admin", "primary"), EVERYTHING)
#: Requests that are in order by themselves, where the shortest one is not.
WHOLE = {
    "MoveItems": q.MoveItemsRequest(item_uids=[], destination=queue_pb2.QueuePosition(front=True)),
    "SetPermissions": perm.SetPermissionsRequest(permissions=UserGroupPermissions(user_groups=GROUPS)),
    "ReloadPermissions": perm.ReloadPermissionsRequest(restore_permissions=True),
}
CALLS = {
    (service, name): WHOLE.get(name, request) for service, calls in SHORT.items() for name, request in calls.items()
}
#: What the key does not help against: an idle server with an open environment has nothing to pause, for example.
REFUSED_WITH_KEY = {
    "StopQueue": "INVALID_STATE",
    "UpdateItem": "ITEM_NOT_FOUND",
    "OpenEnvironment": "ENVIRONMENT_EXISTS",
    "PausePlan": "INVALID_STATE",
    "ResumePlan": "INVALID_STATE",
    "StopPlan": "INVALID_STATE",
    "AbortPlan": "INVALID_STATE",
    "HaltPlan": "INVALID_STATE",
    "AnswerQuestion": "QUESTION_NOT_FOUND",
    "ReloadPermissions": "RELOAD_DISABLED",
}


def lock_of(service: str, name: str) -> int:
    """Which lock the contract says beside a method."""
    full = f"queueserver.manager.v1.{SERVICES.get(service, service.title().replace('_', ''))}Service.{name}"
    method: Any = descriptor_pool.Default().FindMethodByName(full)
    lock: int = method.GetOptions().Extensions[method_pb2.rules].lock
    return lock


GUARDED = [call for call in CALLS if lock_of(*call)]
#: What changes something and needs no key.
EMERGENCIES = ["AbortPlanNow", "StopServer"]
FREE = [call for call in CALLS if not lock_of(*call) and call[0] != "lock"]


@pytest.fixture
async def two_items(raw: Stubs, shared_client: AsyncClient) -> AsyncIterator[Stubs]:
    """An idle server with an open environment and two items; whatever was begun has ended afterwards."""
    await raw.queue.AddItems(q.AddItemsRequest(items=[ITEM, ITEM]))
    yield raw
    await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=KEY))
    await raw.queue.SetAutostart(execution.SetAutostartRequest(enabled=False))
    await until_state(shared_client, ManagerState.IDLE)
    async for _ in raw.environment.WaitEnvironment(env.WaitEnvironmentRequest()):
        pass


async def acquire(raw: Stubs, *, environment: bool = False, queue: bool = False) -> None:
    await raw.lock.AcquireLock(pb.AcquireLockRequest(environment=environment, queue=queue, lock_key=KEY))


async def seen(raw: Stubs) -> Any:
    """Everything that a refused request leaves as it is."""
    status = (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status
    status.ClearField("time")
    return status


def call_of(raw: Stubs, service: str, name: str, key: str = "") -> Any:
    request = type(CALLS[service, name])()
    request.CopyFrom(CALLS[service, name])
    if key:
        request.lock_key = key
    return getattr(getattr(raw, service), name)(request)


@pytest.mark.parametrize(("service", "name"), GUARDED)
async def test_a_guarded_method_changes_nothing_without_the_key(two_items: Stubs, service: str, name: str) -> None:
    is_of_environment = lock_of(service, name) == method_pb2.METHOD_LOCK_ENVIRONMENT
    await acquire(two_items, environment=is_of_environment, queue=not is_of_environment)
    before = await seen(two_items)
    for key in ("", "another key"):
        refusal = await refused(call_of(two_items, service, name, key))
        assert (refusal.reason, KEY in refusal.message) == ("LOCKED", False)
    assert await seen(two_items) == before


@pytest.mark.parametrize(("service", "name"), GUARDED)
async def test_with_the_key_a_guarded_method_does_what_it_always_does(
    two_items: Stubs, service: str, name: str
) -> None:
    await acquire(two_items, environment=True, queue=True)
    await assert_done(two_items, service, name, KEY)


@pytest.mark.parametrize(
    ("service", "name"), [call for call in GUARDED if lock_of(*call) != method_pb2.METHOD_LOCK_BOTH]
)
async def test_a_lock_of_the_other_part_keeps_nobody_from_anything(two_items: Stubs, service: str, name: str) -> None:
    is_of_environment = lock_of(service, name) == method_pb2.METHOD_LOCK_ENVIRONMENT
    await acquire(two_items, environment=not is_of_environment, queue=is_of_environment)
    await assert_done(two_items, service, name)


async def assert_done(raw: Stubs, service: str, name: str, key: str = "") -> None:
    """A call is accepted, or refused for another reason than the lock."""
    call = call_of(raw, service, name, key)
    if name in REFUSED_WITH_KEY:
        assert (await refused(call)).reason == REFUSED_WITH_KEY[name]
    else:
        await bounded(call)


@pytest.mark.parametrize(("service", "name"), [call for call in FREE if call[1] not in {"GetTask", *EMERGENCIES}])
async def test_what_only_reads_needs_no_key(two_items: Stubs, service: str, name: str) -> None:
    await acquire(two_items, environment=True, queue=True)
    await bounded(call_of(two_items, service, name))


def test_what_is_free_only_reads_but_for_emergencies() -> None:
    changing = [name for service, name in FREE if "request_id" in CALLS[service, name].DESCRIPTOR.fields_by_name]
    assert changing == EMERGENCIES
    assert len(GUARDED) == 30


async def test_a_running_plan_is_aborted_at_once_whatever_is_locked(
    raw: Stubs, shared_client: AsyncClient, gate: Gate
) -> None:
    await shared_client.queue.execute(Plan("gated_run", gate.path))
    await until(shared_client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    await acquire(raw, environment=True, queue=True)
    assert (await refused(raw.run_engine.PausePlan(re.PausePlanRequest()))).reason == "LOCKED"
    await raw.run_engine.AbortPlanNow(re.AbortPlanNowRequest())
    await until_state(shared_client, ManagerState.IDLE)
    await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=KEY))


async def test_a_running_queue_goes_on_while_everything_is_locked(
    raw: Stubs, shared_client: AsyncClient, gate: Gate
) -> None:
    await shared_client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run"), Plan("one_run")])
    await shared_client.queue.start()
    await until(shared_client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    await acquire(raw, environment=True, queue=True)
    gate.open()
    await until(shared_client, lambda status: status.items_in_history == 3)
    await until_state(shared_client, ManagerState.IDLE)
    await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=KEY))


async def test_what_starts_by_itself_needs_no_key(raw: Stubs, shared_client: AsyncClient) -> None:
    await shared_client.queue.set_autostart(enabled=True)
    await acquire(raw, environment=True)
    await raw.queue.AddItem(q.AddItemRequest(item=ITEM))
    await until(shared_client, lambda status: status.items_in_history == 1)
    await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=KEY))


async def test_whatever_is_decided_beside_a_lock_was_decided_before_it(raw: Stubs, shared_client: AsyncClient) -> None:
    del shared_client
    adding = [asyncio.ensure_future(raw.queue.AddItem(q.AddItemRequest(item=ITEM))) for _ in range(100)]
    locked = await raw.lock.AcquireLock(pb.AcquireLockRequest(queue=True, lock_key=KEY))
    adding += [asyncio.ensure_future(raw.queue.AddItem(q.AddItemRequest(item=ITEM))) for _ in range(20)]
    answers = await bounded(asyncio.gather(*adding, return_exceptions=True))
    added = [answer for answer in answers if not isinstance(answer, grpc.aio.AioRpcError)]
    assert all(answer.revision < locked.revision for answer in added)
    assert not set(map(id, answers[100:])) & set(map(id, added))
    assert {read_refusal(one).reason for one in answers if isinstance(one, grpc.aio.AioRpcError)} == {"LOCKED"}
    status = await seen(raw)
    assert (status.items_in_queue, status.revision) == (len(added), locked.revision)
    await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=KEY))
