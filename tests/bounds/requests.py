"""The longest legal requests of every method: an RPC that is not here has not been thought about.

What is said here of a request is its length. Whether the server can do what it asks for is another matter: many are
refused for what goes on at that moment, which is an answer as well.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.protobuf.struct_pb2 import Value
from queueserver.common.v1 import item_pb2, permissions_pb2, task_pb2
from queueserver.manager.v1 import environment_service_pb2 as env
from queueserver.manager.v1 import event_pb2, event_service_pb2, queue_execution_pb2, queue_items_pb2, queue_pb2
from queueserver.manager.v1 import history_service_pb2 as hist
from queueserver.manager.v1 import import_state_pb2 as imp
from queueserver.manager.v1 import inventory_service_pb2 as inv
from queueserver.manager.v1 import permission_service_pb2 as perm
from queueserver.manager.v1 import planning_service_pb2 as pl
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver.manager.v1 import server_service_pb2 as srv
from queueserver.manager.v1 import status_service_pb2 as st
from queueserver.manager.v1 import task_service_pb2 as t

from tests.bounds.locks import lock_requests
from tests.harness.raw import Stubs

MIB = 1024 * 1024
_BATCH, _NAMED = 50_000, 10_000
Make = Callable[[Stubs], Awaitable[Any]]


@dataclass(frozen=True)
class Long:
    """A long request: how it is made, and what there has to be before."""

    make: Make
    label: str = ""
    #: The queue has so many items.
    queue: int | None = None
    #: Nobody can ask for AbortPlanNow beside it: it ends the environment, or waits for its beginning.
    alone: bool = False
    #: It keeps the Manager busy for so long that many calls of others are answered meanwhile.
    is_heavy: bool = False


def new_id() -> str:
    """As long as a request_id may be."""
    return uuid.uuid4().hex * 4


def fixed(make: Callable[[], Any], label: str = "", **more: Any) -> Long:
    """A request that depends on nothing."""

    async def made(_: Stubs) -> Any:
        return make()

    return Long(made, label, **more)


def typical() -> item_pb2.ItemSpec:
    """A plan as people queue it."""
    item = item_pb2.ItemSpec(name="count")
    item.args.values.add().list_value.extend(["det1", "det2"])
    item.kwargs.update({"num": 5, "delay": 0.5, "md": {"sample": "Fe2O3", "proposal": 4711}})
    return item


def wrong() -> item_pb2.ItemSpec:
    """A plan that there is not."""
    return item_pb2.ItemSpec(name="cuont")


def with_numbers(count: int = 14_990) -> item_pb2.ItemSpec:
    """As many values as an item may have."""
    item = item_pb2.ItemSpec(name="tell_types")
    item.kwargs.fields["positions"].list_value.values.extend(Value(number_value=n + 0.1) for n in range(count))
    return item


def with_lists(count: int = 14_990) -> item_pb2.ItemSpec:
    """As many lists in lists."""
    item = item_pb2.ItemSpec(name="tell_types")
    for _ in range(count):
        item.kwargs.fields["positions"].list_value.values.add().list_value.SetInParent()
    return item


def with_text() -> item_pb2.ItemSpec:
    """As many bytes as an item may have."""
    item = item_pb2.ItemSpec(name="tell_types")
    item.kwargs["text"] = "x" * (MIB - 200)
    return item


ITEMS: dict[str, Callable[[], item_pb2.ItemSpec]] = {"numbers": with_numbers, "lists": with_lists, "text": with_text}
BATCHES: dict[str, Callable[[], Sequence[item_pb2.ItemSpec]]] = {
    "typical": lambda: [typical()] * _BATCH,
    "numbers": lambda: [with_numbers()] * 70,
    "text": lambda: [with_text()] * 11,
}


def one(kind: Any, label: str, **more: Any) -> Long:
    """A request with one long item."""
    return fixed(lambda: kind(item=ITEMS[label](), request_id=new_id()), label, queue=100, **more)


def batch(kind: Any, label: str, **more: Any) -> Long:
    """A request with many items."""
    return fixed(lambda: kind(items=BATCHES[label](), **more), label, queue=100, is_heavy=label != "text")


def missed(label: str) -> Long:
    """A watch that goes on in front of a change that is as long as it may be."""

    async def make(stubs: Stubs) -> Any:
        token = ""
        watch = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_QUEUE]))
        async for message in watch:
            token = message.resume_token
            if token:
                break
        watch.cancel()
        await stubs.queue.AddItems(queue_items_pb2.AddItemsRequest(items=BATCHES[label]()))
        return event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_QUEUE], resume_token=token)

    return Long(make, f"missed {label}", queue=100)


async def uids(stubs: Stubs, count: int = _NAMED) -> list[str]:
    """Items of the queue, the last one first."""
    listed = await stubs.queue.ListItems(queue_items_pb2.ListItemsRequest(page_size=10_000))
    found = [item.item_uid for item in listed.items]
    while listed.next_page_token and len(found) < count:
        listed = await stubs.queue.ListItems(
            queue_items_pb2.ListItemsRequest(page_size=10_000, page_token=listed.next_page_token)
        )
        found += [item.item_uid for item in listed.items]
    return found[:count][::-1]


async def remove(stubs: Stubs) -> Any:
    return queue_items_pb2.RemoveItemsRequest(item_uids=await uids(stubs), strict=True, request_id=new_id())


async def move(stubs: Stubs) -> Any:
    destination = queue_pb2.QueuePosition(back=True)
    return queue_items_pb2.MoveItemsRequest(item_uids=await uids(stubs), destination=destination, request_id=new_id())


async def update(stubs: Stubs) -> Any:
    item = with_numbers()
    (uid,) = await uids(stubs, 1)
    return queue_items_pb2.UpdateItemRequest(item_uid=uid, item=item, request_id=new_id())


def unknown_uids() -> list[str]:
    """Uids that are nowhere, as many and as long as they may be."""
    return [f"{n:0100d}" for n in range(_NAMED)]


def many_names() -> list[str]:
    """As many names as a filter may have, most of which are nowhere."""
    return ["count", "det1", *(f"{n:060d}" for n in range(998))]


def permissions(*, right: bool = True) -> permissions_pb2.UserGroupPermissions:
    """As many entries as there may be, each a pattern."""
    everything = permissions_pb2.GroupPermissions(all_plans=True, all_devices=True, all_functions=True)
    groups = {"root": everything, "admin": everything, "primary": everything}
    for group in range(20):
        patterns = [f":^{'plan' if right else '('}_{group}_{n}$" for n in range(1000)]
        groups[f"group{group}"] = permissions_pb2.GroupPermissions(allowed_plans=patterns)
    return permissions_pb2.UserGroupPermissions(user_groups=groups)


def many_groups() -> permissions_pb2.UserGroupPermissions:
    """Very many groups, far too many."""
    return permissions_pb2.UserGroupPermissions(
        user_groups={f"{n:x}": permissions_pb2.GroupPermissions() for n in range(150_000)}
    )


def call(label: str) -> task_pb2.FunctionCall:
    """A call with as much as it may have."""
    item = ITEMS[label]()
    return task_pb2.FunctionCall(name="add", kwargs=item.kwargs)


def script() -> task_pb2.Script:
    """As long as a script may be."""
    return task_pb2.Script(text="# nothing\n" * (MIB // 10))


def short(kind: Any, **more: Any) -> list[Long]:
    """A request in which only an identity or a note can be long; an item that is named does not run."""
    names: Any = kind.DESCRIPTOR.fields_by_name

    def make() -> Any:
        texts = {"request_id": new_id(), "note": "n" * 1000, "item_uid": "u" * 1000}
        return kind(**{name: text for name, text in texts.items() if name in names})

    return [fixed(make, **more)]


def imported(spec: Callable[[], item_pb2.ItemSpec], count: int, *, as_history: bool) -> imp.ImportStateRequest:
    """A part of an import of its own, with items or entries that no server has."""
    request = imp.ImportStateRequest(import_id=new_id()[:120], into_existing=True, request_id=new_id())
    made = item_pb2.Item.FromString(spec().SerializeToString()) if count else item_pb2.Item()
    made.user, made.user_group = "Anna", "primary"
    for _ in range(count):
        made.item_uid = str(uuid.uuid4())
        if as_history:
            result = item_pb2.ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED, traceback="t" * 1000)
            request.history.add(item=made, result=result)
        else:
            request.items.append(made)
    request.item_count, request.history_count = len(request.items), len(request.history)
    if not count:
        request.settings.permissions.CopyFrom(permissions())
        request.validate_only = True
    return request


#: What is imported, how often, and whether into the history.
IMPORTS = {
    "typical": (partial(imported, typical, 2000, as_history=False)),
    "numbers": (partial(imported, with_numbers, 45, as_history=False)),
    "text": (partial(imported, with_text, 7, as_history=False)),
    "history": (partial(imported, typical, 2000, as_history=True)),
    "permissions": (partial(imported, typical, 0, as_history=False)),
}


LONGEST: dict[str, list[Long]] = {
    "StatusService.GetStatus": short(st.GetStatusRequest),
    "StatusService.ExplainIdle": short(st.ExplainIdleRequest),
    "QueueService.ListItems": [fixed(lambda: queue_items_pb2.ListItemsRequest(page_size=10_000), queue=None)],
    "EventService.WatchEvents": [
        fixed(
            lambda: event_service_pb2.WatchEventsRequest(kinds=event_pb2.EventKind.values()[1:], history_limit=10_000),
            "snapshot",
        ),
        fixed(lambda: event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_QUEUE] * 1000), "kinds"),
        *(missed(label) for label in BATCHES),
    ],
    "HistoryService.ListHistory": [
        fixed(lambda: hist.ListHistoryRequest(page_size=1000, newest_first=True), "newest"),
        fixed(lambda: hist.ListHistoryRequest(page_size=1000), "oldest"),
    ],
    "QueueService.GetItem": [
        fixed(lambda: queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(uid="u" * 1000)), "unknown"),
        fixed(lambda: queue_items_pb2.GetItemRequest(address=queue_pb2.ItemAddress(index=-1)), "last"),
    ],
    "QueueService.WaitItem": [fixed(lambda: queue_items_pb2.WaitItemRequest(item_uid="u" * 1000))],
    "QueueService.RemoveItem": [
        fixed(
            lambda: queue_items_pb2.RemoveItemRequest(
                address=queue_pb2.ItemAddress(uid="u" * 1000), request_id=new_id()
            )
        )
    ],
    "QueueService.MoveItem": [
        fixed(
            lambda: queue_items_pb2.MoveItemRequest(
                source=queue_pb2.ItemAddress(uid="u" * 1000),
                destination=queue_pb2.QueuePosition(after_uid="v" * 1000),
                request_id=new_id(),
            )
        )
    ],
    "QueueService.MoveItems": [
        Long(move, "known", queue=100_000),
        fixed(
            lambda: queue_items_pb2.MoveItemsRequest(
                item_uids=unknown_uids(), destination=queue_pb2.QueuePosition(front=True)
            ),
            "unknown",
        ),
    ],
    "QueueService.RemoveItems": [
        Long(remove, "known", queue=100_000),
        fixed(lambda: queue_items_pb2.RemoveItemsRequest(item_uids=unknown_uids(), strict=True), "unknown"),
        fixed(lambda: queue_items_pb2.RemoveItemsRequest(item_uids=unknown_uids(), request_id=new_id()), "lenient"),
    ],
    "QueueService.ClearQueue": [
        fixed(lambda: queue_items_pb2.ClearQueueRequest(all=True, request_id=new_id()), queue=100_000)
    ],
    "QueueService.AddItem": [one(queue_items_pb2.AddItemRequest, label) for label in ITEMS],
    "QueueService.AddItems": [
        *(batch(queue_items_pb2.AddItemsRequest, label, request_id=new_id()) for label in BATCHES),
        fixed(lambda: queue_items_pb2.AddItemsRequest(items=[wrong()] * _BATCH), "wrong", queue=100, is_heavy=True),
        fixed(
            lambda: queue_items_pb2.AddItemsRequest(
                items=[typical()] * _BATCH, position=queue_pb2.QueuePosition(index=1)
            ),
            "in front",
            queue=100,
            is_heavy=True,
        ),
    ],
    "QueueService.UpdateItem": [Long(update, queue=100)],
    "QueueService.StartQueue": short(queue_execution_pb2.StartQueueRequest),
    "QueueService.StopQueue": short(queue_execution_pb2.StopQueueRequest),
    "QueueService.CancelStopQueue": short(queue_execution_pb2.CancelStopQueueRequest),
    "QueueService.SetQueueMode": short(queue_execution_pb2.SetQueueModeRequest),
    "QueueService.SetAutostart": short(queue_execution_pb2.SetAutostartRequest),
    "QueueService.ExecuteItem": [one(queue_execution_pb2.ExecuteItemRequest, label) for label in ITEMS],
    "HistoryService.ClearHistory": [fixed(lambda: hist.ClearHistoryRequest(all=True, request_id=new_id()))],
    "EnvironmentService.GetEnvironment": short(env.GetEnvironmentRequest),
    "EnvironmentService.WaitEnvironment": [
        fixed(lambda: env.WaitEnvironmentRequest(environment_id="e" * 1000)),
    ],
    "EnvironmentService.OpenEnvironment": short(env.OpenEnvironmentRequest),
    "EnvironmentService.CloseEnvironment": short(env.CloseEnvironmentRequest),
    "EnvironmentService.DestroyEnvironment": short(env.DestroyEnvironmentRequest, alone=True),
    "RunEngineService.PausePlan": short(re.PausePlanRequest),
    "RunEngineService.ResumePlan": short(re.ResumePlanRequest),
    "RunEngineService.StopPlan": short(re.StopPlanRequest),
    "RunEngineService.AbortPlan": short(re.AbortPlanRequest),
    "RunEngineService.HaltPlan": short(re.HaltPlanRequest),
    "RunEngineService.AbortPlanNow": short(re.AbortPlanNowRequest),
    "RunEngineService.AnswerQuestion": [
        fixed(lambda: re.AnswerQuestionRequest(question_id="q" * 1000, text="ü" * 10_000, request_id=new_id()))
    ],
    "RunEngineService.ListRuns": short(re.ListRunsRequest),
    "RunEngineService.GetMetadata": short(re.GetMetadataRequest),
    "InventoryService.ListPlans": [
        fixed(lambda: inv.ListPlansRequest(page_size=1000, existing=True), "existing"),
        fixed(lambda: inv.ListPlansRequest(page_size=1000), "allowed"),
        fixed(lambda: inv.ListPlansRequest(names=many_names()), "named"),
    ],
    "InventoryService.ListDevices": [
        fixed(lambda: inv.ListDevicesRequest(page_size=1000, existing=True), "existing"),
        fixed(lambda: inv.ListDevicesRequest(page_size=1000), "allowed"),
        fixed(lambda: inv.ListDevicesRequest(names=many_names()), "named"),
    ],
    "InventoryService.GetPlan": [
        fixed(lambda: inv.GetPlanRequest(name="read_once", existing=True), "existing"),
        fixed(lambda: inv.GetPlanRequest(name="p" * 1000), "unknown"),
    ],
    "InventoryService.GetDevice": [
        fixed(lambda: inv.GetDeviceRequest(name="det1", existing=True), "existing"),
        fixed(lambda: inv.GetDeviceRequest(name="d" * 1000), "unknown"),
        fixed(lambda: inv.GetDeviceRequest(name="." * 1000, existing=True), "dots"),
    ],
    "InventoryService.ListIssues": short(inv.ListIssuesRequest),
    "InventoryService.ListFunctions": [
        fixed(lambda: inv.ListFunctionsRequest(existing=True), "existing"),
        fixed(inv.ListFunctionsRequest, "allowed"),
    ],
    "TaskService.ExecuteFunction": [
        fixed(partial(t.ExecuteFunctionRequest, function=call(label), run_in_background=True), label) for label in ITEMS
    ],
    "TaskService.UploadScript": [
        fixed(lambda: t.UploadScriptRequest(script=script(), run_in_background=True, request_id=new_id()))
    ],
    "TaskService.UpdateEnvironment": [
        fixed(lambda: t.UpdateEnvironmentRequest(run_in_background=True, request_id=new_id()))
    ],
    "TaskService.GetTask": [fixed(lambda: t.GetTaskRequest(task_uid="t" * 1000))],
    "TaskService.ListTasks": [fixed(lambda: t.ListTasksRequest(task_uids=["t" * 50] * 1000, page_size=1000))],
    "TaskService.WaitTask": [fixed(lambda: t.WaitTaskRequest(task_uid="t" * 1000))],
    "ServerService.ImportState": [
        fixed(make, label, queue=100, is_heavy=label not in {"text", "permissions"}) for label, make in IMPORTS.items()
    ],
    # Without a mode: with one, the server would end.
    "ServerService.StopServer": [fixed(lambda: srv.StopServerRequest(request_id=new_id()))],
    "ServerService.GetServerInfo": short(srv.GetServerInfoRequest),
    "PermissionService.GetPermissions": short(perm.GetPermissionsRequest),
    "PermissionService.SetPermissions": [
        fixed(lambda: perm.SetPermissionsRequest(permissions=permissions(), validate_only=True), "right"),
        fixed(lambda: perm.SetPermissionsRequest(permissions=permissions(right=False)), "wrong"),
        fixed(lambda: perm.SetPermissionsRequest(permissions=many_groups()), "groups"),
    ],
    "PermissionService.ReloadPermissions": short(perm.ReloadPermissionsRequest),
    **{f"LockService.{name}": [Long(make)] for name, make in lock_requests(new_id).items()},
    "PlanningService.ValidateItems": [
        *(batch(pl.ValidateItemsRequest, label) for label in BATCHES),
        fixed(lambda: pl.ValidateItemsRequest(items=[wrong()] * _BATCH), "wrong", is_heavy=True),
    ],
    "PlanningService.SimulateItem": [
        fixed(partial(pl.SimulateItemRequest, item=make()), label) for label, make in ITEMS.items()
    ],
}
