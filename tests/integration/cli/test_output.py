from __future__ import annotations

import ast
import json
import re
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2, timestamp_pb2
from queueserver.common.v1 import environment_pb2, inventory_pb2, item_pb2
from queueserver.manager.v1 import (
    environment_service_pb2,
    history_service_pb2,
    inventory_service_pb2,
    queue_items_pb2,
    queue_pb2,
    run_engine_service_pb2,
    status_pb2,
    status_service_pb2,
)
from queueserver_rpc.status import Refusal, Violation

from tests.integration.cli.conftest import Qserver
from tests.integration.client.scripted_manager import ScriptedManager


def item(**fields: Any) -> item_pb2.Item:
    kwargs = struct_pb2.Struct()
    kwargs.update({"num": 10, "delay": 1})
    args = struct_pb2.ListValue()
    args.add_list().extend(["det1", "det2"])
    given = {"user": "qserver-cli", "user_group": "admin", "args": args, "kwargs": kwargs, **fields}
    return item_pb2.Item(name="count", item_type=item_pb2.ITEM_TYPE_PLAN, item_uid="u-1", **given)


ITEM = {
    "args": [["det1", "det2"]],
    "item_type": "plan",
    "item_uid": "u-1",
    "kwargs": {"delay": 1, "num": 10},
    "name": "count",
    "user": "qserver-cli",
    "user_group": "admin",
}


async def test_an_accepted_command_prints_the_form_of_the_tutorials(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["AddItem"] = queue_items_pb2.AddItemResponse(item=item(), queue_size=1)
    plan = '{"name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 10, "delay": 1}}'
    ended = await qserver("queue", "add", "plan", "-2", plan)
    assert (ended.code, ended.err) == (0, "")
    first, second, rest = ended.out.split("\n", 2)
    assert first == f"Arguments: ['queue', 'add', 'plan', '-2', '{plan}']"
    assert re.fullmatch(r"\d\d:\d\d:\d\d - MESSAGE: ", second)
    assert rest == (
        "{'item': {'args': [['det1', 'det2']],\n"
        "          'item_type': 'plan',\n"
        "          'item_uid': 'u-1',\n"
        "          'kwargs': {'delay': 1, 'num': 10},\n"
        "          'name': 'count',\n"
        "          'user': 'qserver-cli',\n"
        "          'user_group': 'admin'},\n"
        " 'msg': '',\n"
        " 'qsize': 1,\n"
        " 'success': True}\n"
    )


async def test_a_refusal_prints_its_reason_and_every_violation_and_exits_with_2(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    manager.answers["AddItem"] = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "ITEM_INVALID",
        "The plan can't take this.",
        violations=[Violation("item.kwargs.num", "must be a number"), Violation("item.args[0]", "no such device")],
    )
    ended = await qserver("queue", "add", "plan", '{"name": "count"}')
    assert ended.code == 2
    assert ended.body == (
        "{'msg': \"The plan can't take this.\\n\"\n"
        "        '  item.kwargs.num: must be a number\\n'\n"
        "        '  item.args[0]: no such device',\n"
        " 'reason': 'ITEM_INVALID',\n"
        " 'success': False}\n"
    )
    ended = await qserver("--json", "queue", "add", "plan", '{"name": "count"}')
    assert ended.code == 2
    assert json.loads(ended.out) == {
        "success": False,
        "code": "INVALID_ARGUMENT",
        "reason": "ITEM_INVALID",
        "msg": "The plan can't take this.",
        "violations": [
            {"field": "item.kwargs.num", "description": "must be a number"},
            {"field": "item.args[0]", "description": "no such device"},
        ],
    }


async def test_queue_get_puts_all_pages_together(manager: ScriptedManager, qserver: Qserver) -> None:
    page = queue_items_pb2.ListItemsResponse(items=[item()], next_page_token="t", plan_queue_uid="p")
    manager.answers["ListItems"] = [page, queue_items_pb2.ListItemsResponse(items=[item(), item()], plan_queue_uid="p")]
    ended = await qserver("--json", "queue", "get")
    expected = {"success": True, "msg": "", "items": [ITEM] * 3, "running_item": {}, "plan_queue_uid": "p"}
    assert json.loads(ended.out) == expected
    assert ended.out.count("\n") == 1


async def test_history_get_has_the_results(manager: ScriptedManager, qserver: Qserver) -> None:
    result = item_pb2.ItemResult(
        exit_status=item_pb2.EXIT_STATUS_FAILED,
        failure_cause=item_pb2.FAILURE_CAUSE_PLAN_ERROR,
        message="Plan failed",
        traceback="line 1\nline 2",
        runs=[item_pb2.RunSummary(run_uid="r1", scan_id=4), item_pb2.RunSummary(run_uid="r2")],
        start_time=timestamp_pb2.Timestamp(seconds=10, nanos=500_000_000),
    )
    entry = item_pb2.HistoryEntry(item=item(), result=result, requeued_as_uid="u-2")
    manager.answers["ListHistory"] = history_service_pb2.ListHistoryResponse(entries=[entry], plan_history_uid="h")
    ended = await qserver("--json", "history", "get")
    (found,) = json.loads(ended.out)["items"]
    assert found["result"] == {
        "exit_status": "failed",
        "failure_cause": "plan_error",
        "msg": "Plan failed",
        "traceback": "line 1\nline 2",
        "run_uids": ["r1", "r2"],
        "scan_ids": [4, None],
        "time_start": 10.5,
        "time_stop": None,
    }
    assert found["requeued_as_uid"] == "u-2"


async def test_status_has_the_words_of_the_reference(manager: ScriptedManager, qserver: Qserver) -> None:
    environment = environment_pb2.EnvironmentStatus(state=environment_pb2.ENVIRONMENT_STATE_CLOSED)
    status = status_pb2.ManagerStatus(
        product="RE Manager",
        version="0.1.0",
        manager_state=status_pb2.MANAGER_STATE_IDLE,
        environment=environment,
        queue_mode=queue_pb2.QueueMode(loop=True, interrupted=queue_pb2.INTERRUPTED_POLICY_DROP),
        queue_autostart_enabled=True,
        pause_pending=True,
    )
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse(status=status)
    found = json.loads((await qserver("--json", "status")).out)
    expected = {
        "msg": "RE Manager v0.1.0",
        "manager_state": "idle",
        "re_state": None,
        "running_item_uid": None,
        "worker_environment_exists": False,
        "worker_environment_state": "closed",
        "queue_stop_pending": False,
        "pause_pending": True,
        "plan_queue_mode": {"loop": True, "ignore_failures": False, "interrupted": "drop"},
        "queue_autostart_enabled": True,
    }
    assert {key: found[key] for key in expected} == expected
    assert "success" not in found
    assert (found["worker_background_tasks"], found["task_results_uid"], found["invalid_items"]) == (0, "", 0)


async def test_people_see_names_of_plans_and_programs_the_descriptions(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    plan = inventory_pb2.PlanDescription(name="count", parameters=[inventory_pb2.ParameterDescription(name="num")])
    manager.answers["ListPlans"] = inventory_service_pb2.ListPlansResponse(plans=[plan], plans_uid="p")
    assert "{'msg': '',\n 'plans_allowed': {'count': '{...}'},\n" in (await qserver("allowed", "plans")).body
    found = json.loads((await qserver("--json", "allowed", "plans")).out)
    assert found["plans_allowed"]["count"]["parameters"][0]["name"] == "num"


async def test_of_one_plan_people_see_what_it_takes_and_programs_the_description(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    kind = inventory_pb2.PARAMETER_KIND_VAR_POSITIONAL
    parameter = inventory_pb2.ParameterDescription
    parameters = [
        parameter(name="detectors", annotation="list[__READABLE__]", description="what to read"),
        parameter(name="num", annotation="int", default_text="1", minimum=1, maximum=100),
        parameter(name="delay", default_text="0", minimum=0, unit="s"),
        parameter(name="speed", annotation="float", maximum=2.5),
        parameter(name="rest", kind=kind),
    ]
    plan = inventory_pb2.PlanDescription(name="count", description="Read.", parameters=parameters)
    manager.answers["GetPlan"] = inventory_service_pb2.GetPlanResponse(plan=plan, plans_uid="p")
    told = ast.literal_eval((await qserver("allowed", "plans", "count")).body)
    assert told["plans_allowed"]["count"] == {
        "description": "Read.",
        "parameters": {
            "detectors": "list[__READABLE__]: what to read",
            "num": "int = 1 (1 to 100)",
            "delay": "any value = 0 (0 or more s)",
            "speed": "float (2.5 or less)",
            "*rest": "any value",
        },
    }
    found = json.loads((await qserver("--json", "existing", "plans", "count")).out)
    assert found["plans_existing"]["count"]["parameters"][1]["maximum"] == 100


async def test_of_one_device_people_see_what_it_is_and_what_is_below_it(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    below = [inventory_pb2.DeviceDescription(name="x", class_name="Motor")]
    device = inventory_pb2.DeviceDescription(
        name="stage", class_name="Stage", readable=True, movable=True, components=below, excluded=True
    )
    manager.answers["GetDevice"] = inventory_service_pb2.GetDeviceResponse(device=device)
    told = ast.literal_eval((await qserver("allowed", "devices", "bundle.stage")).body)
    assert told["devices_allowed"]["bundle.stage"] == {
        "classname": "Stage",
        "can": ["read", "move"],
        "excluded": "only what is below it may be used",
        "components": {"x": "Motor"},
    }


async def test_options_and_variables_say_who_calls(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["ClearQueue"] = queue_items_pb2.ClearQueueResponse()
    await qserver("queue", "clear")
    await qserver("queue", "clear", "--user", "jane", "--user-group", "primary")
    await qserver("queue", "clear", QSERVER_USER="ann", QSERVER_USER_GROUP="test_user")
    callers = [(metadata["qserver-user"], metadata.get("qserver-user-group")) for _, _, metadata in manager.calls]
    assert callers == [("qserver-cli", None), ("jane", "primary"), ("ann", "test_user")]


async def test_the_key_of_the_lock_goes_with_every_command_and_is_never_shown(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    manager.answers["ClearQueue"] = queue_items_pb2.ClearQueueResponse()
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    ended = [
        await qserver("--lock-key", "secret", "queue", "clear"),
        await qserver("status", "-k", "secret"),
        await qserver("status", QSERVER_LOCK_KEY="secret"),
        await qserver("status", QUEUESERVER_LOCK_KEY="schlüssel"),
        await qserver("status"),
    ]
    keys = [metadata.get("x-lock-key", metadata.get("x-lock-key-bin")) for _, _, metadata in manager.calls]
    assert keys == ["secret", "secret", "secret", "schlüssel".encode(), None]
    assert [one.code for one in ended] == [0] * 5
    assert "secret" not in "".join(one.out + one.err for one in ended)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--bogus", "status"), "There is no option '--bogus'. It takes those of every command: --address"),
        (("environment", "open", "--wiat"), "There is no option '--wiat': did you mean --wait? It takes --wait"),
        (("status", "--wait"), "qserver status takes no --wait. It takes those of every command"),
        (("environment", "open", "--resume", "x"), "qserver environment open takes no --resume. It takes --wait, "),
        (("--jsn", "queue"), "did you mean --json? All options: qserver -h"),
        (("re", "answer", "-yes"), "A word that begins with a dash is put behind --."),
    ],
)
async def test_a_wrong_option_is_named_with_the_nearest_right_one(
    manager: ScriptedManager, qserver: Qserver, words: tuple[str, ...], sentence: str
) -> None:
    ended = await qserver(*words)
    assert (ended.code, sentence in ended.err, manager.calls) == (1, True, []), ended


async def test_a_word_behind_two_dashes_is_never_taken_for_an_option(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    manager.answers["AnswerQuestion"] = run_engine_service_pb2.AnswerQuestionResponse()
    ended = await qserver("re", "answer", "--", "--yes", "0f20785b-04a1-4ae1-b1c2-de487d4d0f4c")
    assert ended.code == 0
    assert [request.text for _, request, _ in manager.calls] == ["--yes"]


async def test_without_a_server_the_exit_code_is_3(qserver: Qserver) -> None:
    ended = await qserver("-a", "127.0.0.1:1", "status")
    assert ended.code == 3
    assert re.search(r"\d\d:\d\d:\d\d - ERROR: No Queue Server answers at 127\.0\.0\.1:1: is it running", ended.out)
    ended = await qserver("--json", "-a", "127.0.0.1:1", "status")
    assert ended.code == 3
    assert json.loads(ended.out)["reason"] == "UNREACHABLE"


@pytest.mark.parametrize("word", [b'{"name": "c\xff"}', b"\xff"])
async def test_bytes_that_are_not_utf_8_are_refused_and_nothing_is_sent(
    manager: ScriptedManager, qserver: Qserver, word: bytes
) -> None:
    ended = await qserver("queue", "add", "plan", word)
    assert ended.code == 1
    assert "not valid UTF-8: byte 0xff" in ended.err
    assert manager.calls == []
    ended = await qserver("--json", "queue", "add", "plan", word)
    assert (ended.code, json.loads(ended.out)["reason"], ended.err) == (1, "WRONG_COMMAND", "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("bogus",), 1),
        (("--timeout", "x", "status"), 1),
        (("status", "--wait"), 1),
        (("queue", "clear", "--validate-only"), 1),
        (("queue", "--validate-only"), 1),
        (("--user", "", "status"), 1),
    ],
)
async def test_a_command_that_makes_no_sense_is_told_on_standard_error(
    manager: ScriptedManager, qserver: Qserver, words: tuple[str, ...], code: int
) -> None:
    ended = await qserver(*words)
    assert ended.code == code
    assert ended.err
    assert "MESSAGE" not in ended.out
    assert "Traceback" not in ended.err
    assert manager.calls == []


async def test_help_names_every_command_without_a_server(qserver: Qserver) -> None:
    ended = await qserver("-h")
    assert ended.code == 0
    for text in (
        "queue add instruction",
        "history clear",
        "existing devices",
        "environment destroy",
        "re abort",
        "Examples:",
        "First steps:",
        "--validate-only",
        "130  ended with Ctrl-C",
    ):
        assert text in ended.out


@pytest.mark.parametrize(
    ("words", "shown", "hidden"),
    [
        (("queue", "add"), ("queue add instruction", "PLAN  ", "qserver queue add plan front"), ("queue get", "SRC  ")),
        (("queue", "item", "move", "0"), ("queue item move SRC DEST", "SRC  "), ("queue item get", "PLAN  ")),
        (("lock", "queue"), ("lock queue [NOTE] [--lease SECONDS]",), ("lock all",)),
        (("status",), ("status  what the Manager is doing",), ("Where:", "Examples:")),
        (("bogus",), ("status ", "queue get", "Exit codes:", "--validate-only"), ("All options and commands",)),
    ],
)
async def test_help_after_words_is_about_the_commands_that_begin_with_them(
    qserver: Qserver, words: tuple[str, ...], shown: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    ended = await qserver(*words, "--help")
    assert ended.code == 0
    assert [text for text in shown if text not in ended.out] == []
    assert [text for text in hidden if text in ended.out] == []


async def test_waiting_for_an_environment_shows_progress_and_where_it_failed(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    async def follow(_: Any) -> Any:
        loading = environment_pb2.EnvironmentStatus(
            state=environment_pb2.ENVIRONMENT_STATE_INITIALIZING, progress="loading 10.py"
        )
        yield environment_service_pb2.WaitEnvironmentResponse(environment=loading)
        failure = environment_pb2.EnvironmentFailure(message="It raised.", file="/s/10.py", line=7, traceback="TRACE")
        closed = environment_pb2.EnvironmentStatus(state=environment_pb2.ENVIRONMENT_STATE_CLOSED, failure=failure)
        yield environment_service_pb2.WaitEnvironmentResponse(environment=closed)

    manager.answers |= {
        "OpenEnvironment": environment_service_pb2.OpenEnvironmentResponse(environment_id="e"),
        "WaitEnvironment": follow,
    }
    ended = await qserver("environment", "open", "--wait")
    assert ended.code == 2
    assert ended.out.startswith("Arguments: ['environment', 'open']\n")
    assert " - loading 10.py\n" in ended.err
    assert "'file': '/s/10.py',\n 'line': 7," in ended.body
    assert ended.err.endswith("TRACE\n")
    assert ast.literal_eval(ended.body)["msg"] == "It raised."


@pytest.mark.parametrize(
    "words", [("--timeout", "x", "status"), ("--timeout", "nan", "status"), ("--timeout", "0", "status")]
)
async def test_a_wrong_number_of_seconds_is_refused_with_the_bounds(qserver: Qserver, words: tuple[str, ...]) -> None:
    told = (await qserver(*words)).err
    assert f"'--timeout': must be a number of seconds from 0.1 to 3600, not '{words[1]}'." in told
