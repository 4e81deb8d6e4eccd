"""Functions, scripts and updates: accepted once, executed once, with one result that is kept."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from queueserver.common.v1 import task_pb2
from queueserver.manager.v1 import (
    event_pb2,
    event_service_pb2,
    status_pb2,
    status_service_pb2,
    task_service_pb2,
    task_status_pb2,
)
from queueserver.manager.v1 import inventory_service_pb2 as inventory_pb
from queueserver_client import AsyncClient, ItemState, ManagerState, Plan

from tests.harness.gate import Gate, gate_in
from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded

#: Idle, open and empty when each test begins.
pytestmark = pytest.mark.usefixtures("shared_client")


def call(name: str, *args: Any, **kwargs: Any) -> task_pb2.FunctionCall:
    function = task_pb2.FunctionCall(name=name)
    json_format.ParseDict(list(args), function.args)
    json_format.ParseDict(kwargs, function.kwargs)
    return function


async def execute(raw: Stubs, name: str, *args: Any, background: bool = False, **kwargs: Any) -> str:
    request = task_service_pb2.ExecuteFunctionRequest(
        function=call(name, *args, **kwargs), run_in_background=background
    )
    return str((await raw.tasks.ExecuteFunction(request)).task.task_uid)


async def upload(raw: Stubs, text: str, *, background: bool = False, **options: bool) -> str:
    request = task_service_pb2.UploadScriptRequest(
        script=task_pb2.Script(text=text, **options), run_in_background=background
    )
    return str((await raw.tasks.UploadScript(request)).task.task_uid)


async def ended(raw: Stubs, uid: str) -> task_status_pb2.TaskStatus:
    """The task with its result, as soon as it has one."""

    async def wait() -> task_status_pb2.TaskStatus:
        answers = [answer.status async for answer in raw.tasks.WaitTask(task_service_pb2.WaitTaskRequest(task_uid=uid))]
        assert answers[-1].state == task_status_pb2.TASK_STATE_FINISHED
        return answers[-1]

    return await bounded(wait())


async def result(raw: Stubs, uid: str) -> task_pb2.TaskResult:
    return (await ended(raw, uid)).result


async def state(raw: Stubs) -> int:
    return int((await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status.manager_state)


@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
async def test_a_function_gets_its_arguments_and_its_value_comes_back(raw: Stubs, background: bool) -> None:
    uid = await execute(raw, "add", 2, second=40, background=background)
    status = await ended(raw, uid)
    assert (status.task.name, status.task.run_in_background, status.task.user_group) == ("add", background, "admin")
    assert status.result.success, status.result.message
    assert status.result.return_value.integer == 42
    assert status.result.start_time.ToNanoseconds() <= status.result.stop_time.ToNanoseconds()
    kept = (await raw.tasks.GetTask(task_service_pb2.GetTaskRequest(task_uid=uid))).status
    assert kept == status


@pytest.mark.parametrize(
    ("what", "field"), [("nan", "number"), ("bytes", "binary"), ("large", "big_integer"), ("list", "list")]
)
async def test_values_that_json_has_not_come_back_without_loss(raw: Stubs, what: str, field: str) -> None:
    found = await result(raw, await execute(raw, "give", what))
    assert found.success, found.message
    assert found.return_value.WhichOneof("kind") == field


async def test_a_value_that_nothing_expresses_is_a_failure_that_says_so(raw: Stubs) -> None:
    found = await result(raw, await execute(raw, "give", "object"))
    assert not found.success
    assert found.message.startswith("Error occurred while executing 'Execute function': ")
    assert "object" in found.message
    assert not found.HasField("return_value")


async def test_a_failing_function_tells_its_error_with_the_users_own_lines(raw: Stubs) -> None:
    found = await result(raw, await execute(raw, "fail", "no beam"))
    assert not found.success
    assert found.message.startswith("Error occurred while executing 'Execute function': ")
    assert "no beam" in found.message
    assert "functions.py" in found.traceback
    assert "queueserver_worker" not in found.traceback


@pytest.mark.parametrize("name", ["nothing_of_the_kind", "count", "det1"])
async def test_what_is_no_function_fails_as_a_task(raw: Stubs, name: str) -> None:
    found = await result(raw, await execute(raw, name))
    assert not found.success
    assert name in found.message


async def test_a_foreground_task_keeps_plans_and_other_tasks_out_and_the_console_is_its_own(
    shared_client: AsyncClient, raw: Stubs, gate: Gate
) -> None:
    await shared_client.queue.add(Plan("nothing"))
    uid = await execute(raw, "pass_gate", gate.path)
    assert await state(raw) == status_pb2.MANAGER_STATE_EXECUTING_TASK
    for refusal in (
        await refused(raw.tasks.ExecuteFunction(task_service_pb2.ExecuteFunctionRequest(function=call("add", 1)))),
        await refused(
            raw.tasks.UploadScript(task_service_pb2.UploadScriptRequest(script=task_pb2.Script(text="pass")))
        ),
        await refused(raw.tasks.UpdateEnvironment(task_service_pb2.UpdateEnvironmentRequest())),
    ):
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INVALID_STATE")
        assert "EXECUTING_TASK" in refusal.message
    blockers = (await raw.status.ExplainIdle(status_service_pb2.ExplainIdleRequest())).blockers
    assert status_service_pb2.BLOCKER_KIND_TASK_RUNNING in [blocker.kind for blocker in blockers]
    beside = await execute(raw, "add", 1, background=True)
    assert (await result(raw, beside)).success
    gate.open()
    found = await result(raw, uid)
    assert found.return_value.text == "passed"
    assert "waiting at the gate" in found.console_excerpt
    assert await state(raw) == status_pb2.MANAGER_STATE_IDLE


async def test_background_tasks_are_counted_and_run_beside_a_plan(
    shared_client: AsyncClient, raw: Stubs, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("wait_at", gate.path))
    await shared_client.queue.start()
    uids = [await execute(raw, "pass_gate", gate.path, background=True) for _ in range(3)]
    refusal = await refused(raw.tasks.ExecuteFunction(task_service_pb2.ExecuteFunctionRequest(function=call("add", 1))))
    assert refusal.reason == "INVALID_STATE"
    answer = await raw.tasks.ListTasks(task_service_pb2.ListTasksRequest(task_uids=[*uids, "unknown"]))
    assert [(task.task.task_uid, task.state) for task in answer.tasks] == [
        (uid, task_status_pb2.TASK_STATE_RUNNING) for uid in uids
    ]
    gate.open(4)
    assert [(await result(raw, uid)).success for uid in uids] == [True] * 3
    assert (await bounded(handle.result())).result.exit_status.value == "completed"


async def test_no_more_background_tasks_are_accepted_than_the_worker_takes(
    raw: Stubs, gate: Gate, tmp_path: Path
) -> None:
    with gate_in(tmp_path, "of the first") as gate_of_the_first:
        gates = [gate_of_the_first, *[gate] * 99]
        uids = [await execute(raw, "pass_gate", one.path, background=True) for one in gates]
        before = (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status
        request = task_service_pb2.ExecuteFunctionRequest(
            function=call("pass_gate", gate.path), run_in_background=True, request_id=str(uuid.uuid4())
        )
        refusal = await refused(raw.tasks.ExecuteFunction(request))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_TASKS")
        assert "wait until one of them has ended" in refusal.message
        after = (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status
        assert (after.revision, after.task_results_uid) == (before.revision, before.task_results_uid)
        gate_of_the_first.open()
        assert (await result(raw, uids[0])).return_value.text == "passed"
        uids.append((await raw.tasks.ExecuteFunction(request)).task.task_uid)
    gate.open(100)
    assert [(await result(raw, uid)).return_value.text for uid in uids] == ["passed"] * 101


async def test_a_script_makes_plans_that_can_be_queued_at_once(shared_client: AsyncClient, raw: Stubs) -> None:
    name = f"plan_{uuid.uuid4().hex[:8]}"
    text = f"import bluesky.plan_stubs as bps\ndef {name}(num: int = 1):\n    yield from bps.null()\n"
    found = await result(raw, await upload(raw, text))
    assert found.success, found.traceback
    handle = await shared_client.queue.add(Plan(name, num=2))
    await shared_client.queue.start()
    assert (await bounded(handle.result())).result.exit_status.value == "completed"
    await result(raw, await upload(raw, f"del {name}"))
    names = [plan.name for plan in (await shared_client.inventory.plans(existing=True)).plans]
    assert name not in names


async def test_a_queued_item_whose_plan_went_away_is_flagged_and_right_again_when_it_is_back(
    shared_client: AsyncClient, raw: Stubs
) -> None:
    define = "import bluesky.plan_stubs as bps\ndef fleeting():\n    yield from bps.null()\n"
    await result(raw, await upload(raw, define))
    uid = (await shared_client.queue.add(Plan("fleeting"))).uid
    watch = raw.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_QUEUE]))

    async def checked() -> list[str]:
        async for message in messages:
            for event in message.batch.events:
                if event.WhichOneof("event") == "items_checked":
                    (item,) = event.items_checked.items
                    assert item.item_uid == uid
                    return [problem.field for problem in item.problems]
        raise AssertionError("the watch ended")

    messages = aiter(watch)
    while not (await bounded(anext(messages))).snapshot.complete:
        pass
    await result(raw, await upload(raw, "del fleeting"))
    assert await bounded(checked()) == ["item.name"]
    assert (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status.invalid_item_count == 1
    assert {(await shared_client.queue.get(address)).state for address in (uid, 0, -1)} == {ItemState.INVALID}
    await result(raw, await upload(raw, define))
    assert await bounded(checked()) == []
    assert (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status.invalid_item_count == 0
    watch.cancel()
    await result(raw, await upload(raw, "del fleeting"))


async def test_a_failing_script_tells_its_own_line_and_what_it_did_before_stays(raw: Stubs) -> None:
    found = await result(raw, await upload(raw, "kept = 5\n\nraise KeyError('no such motor')\n"))
    assert not found.success
    assert found.message.startswith("Error occurred while executing 'Load script': ")
    assert "line 3" in found.traceback
    later = await result(raw, await upload(raw, "print('kept is', kept)"))
    assert later.success, later.traceback
    assert "kept is 5" in later.console_excerpt


async def test_a_script_keeps_the_name_of_its_file_and_may_begin_with_a_byte_order_mark(
    shared_client: AsyncClient,
) -> None:
    text = "\ufeffdef broken():\n    raise ValueError('no beam')\nbroken()\n"
    handle = await shared_client.tasks.upload_script(text, name="/home/žofie/new plans.py")
    ended = await bounded(handle.wait())
    assert handle.task.name == "new plans.py"
    assert ended.message.endswith("ValueError in line 2 of new plans.py: no beam")
    assert f'File "<script new plans.py {handle.uid[:8]}>", line 2, in broken' in ended.traceback
    assert "raise ValueError('no beam')" in ended.traceback


@pytest.mark.parametrize("name", ["a/b.py", "a\\b.py", "a\nb.py", "x" * 256])
async def test_what_is_no_name_of_a_file_is_no_name_of_a_script(
    shared_client: AsyncClient, raw: Stubs, name: str
) -> None:
    del shared_client
    script = task_pb2.Script(text="pass", name=name)
    refusal = await refused(raw.tasks.UploadScript(task_service_pb2.UploadScriptRequest(script=script)))
    assert (refusal.reason, list(refusal.violations)) == ("FIELD_INVALID", ["script.name"])


async def test_bad_syntax_and_an_exit_are_ordinary_failures(raw: Stubs) -> None:
    for text in ("a = = 1", "import sys\nsys.exit(3)"):
        assert not (await result(raw, await upload(raw, text))).success
    assert (await result(raw, await upload(raw, "pass"))).success


async def test_an_update_finds_what_changed_in_the_namespace(shared_client: AsyncClient, raw: Stubs) -> None:
    define = "import bluesky.plan_stubs as bps\ndef hidden():\n    yield from bps.null()\n"
    assert (await result(raw, await upload(raw, define, update_lists=False))).success
    assert "hidden" not in {plan.name for plan in (await shared_client.inventory.plans(existing=True)).plans}
    answer = await raw.tasks.UpdateEnvironment(task_service_pb2.UpdateEnvironmentRequest())
    assert (await result(raw, answer.task.task_uid)).success
    assert "hidden" in {plan.name for plan in (await shared_client.inventory.plans(existing=True)).plans}


async def test_the_same_request_id_is_one_task(raw: Stubs) -> None:
    request = task_service_pb2.ExecuteFunctionRequest(function=call("add", 1), request_id=str(uuid.uuid4()))
    first = await raw.tasks.ExecuteFunction(request)
    await result(raw, first.task.task_uid)
    assert await raw.tasks.ExecuteFunction(request) == first


async def test_watchers_of_tasks_hear_of_beginning_and_end(raw: Stubs) -> None:
    watch = raw.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_TASK]))
    messages = aiter(watch)
    while not (await bounded(anext(messages))).snapshot.complete:
        pass
    uid = await execute(raw, "add", 1)
    heard: list[tuple[str | None, str]] = []
    async for message in messages:
        for event in message.batch.events:
            kind = event.WhichOneof("event")
            heard.append((kind, getattr(event, kind).task.task.task_uid))
        if len(heard) >= 2:
            break
    assert heard == [("task_started", uid), ("task_finished", uid)]
    watch.cancel()


@pytest.mark.parametrize(
    ("script", "reason"), [("", "FIELD_INVALID"), ("#" * (1024 * 1024 + 1), "SCRIPT_TOO_LARGE")], ids=["none", "long"]
)
async def test_a_script_that_can_not_be_taken_is_refused(raw: Stubs, script: str, reason: str) -> None:
    request = task_service_pb2.UploadScriptRequest(script=task_pb2.Script(text=script))
    refusal = await refused(raw.tasks.UploadScript(request))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


async def test_an_unknown_task_is_not_found(raw: Stubs) -> None:
    refusal = await refused(raw.tasks.GetTask(task_service_pb2.GetTaskRequest(task_uid="nothing")))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "TASK_NOT_FOUND")


async def test_without_an_environment_tasks_are_refused(shared_client: AsyncClient, raw: Stubs) -> None:
    await shared_client.environment.close()
    for background in (False, True):
        request = task_service_pb2.ExecuteFunctionRequest(function=call("add", 1), run_in_background=background)
        refusal = await refused(raw.tasks.ExecuteFunction(request))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ENVIRONMENT_CLOSED")
    status = await shared_client.status()
    assert status.manager_state is ManagerState.IDLE


async def test_the_lists_of_issues_can_be_read(raw: Stubs) -> None:
    answer = await raw.inventory.ListIssues(inventory_pb.ListIssuesRequest())
    assert list(answer.issues) == []
