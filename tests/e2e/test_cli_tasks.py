"""The words of `qserver` for functions, scripts, tasks, permissions, reports and simulations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from queueserver_client import AsyncClient

from tests.e2e.conftest import Shell, shell
from tests.harness.gate import Gate
from tests.harness.stack import running_stack

#: Idle, open and empty when each test begins.
pytestmark = pytest.mark.usefixtures("shared_client")
ADD = json.dumps({"name": "add", "args": [2], "kwargs": {"second": 40}})
FAIL = json.dumps({"name": "fail", "args": ["no beam"]})


def test_a_function_is_executed_and_its_result_is_read(qserver: Shell) -> None:
    done = qserver("--json", "function", "execute", ADD)
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout)
    assert sorted(answer) == ["item", "msg", "success", "task_uid"]
    assert (answer["item"]["item_uid"], answer["item"]["args"]) == (answer["task_uid"], [2])
    ended = json.loads(qserver("--json", "task", "wait", answer["task_uid"]).stdout)
    assert (ended["status"], ended["result"]["return_value"]) == ("completed", 42)
    assert json.loads(qserver("--json", "task", "result", answer["task_uid"]).stdout) == ended
    assert json.loads(qserver("--json", "task", "status", answer["task_uid"]).stdout)["status"] == "completed"
    listed = json.loads(qserver("--json", "task", "list").stdout)["tasks"]
    assert answer["task_uid"] in [task["task_uid"] for task in listed]


def test_an_unknown_task_is_not_found_but_no_error(qserver: Shell) -> None:
    done = qserver("task", "result", "unknown")
    assert done.returncode == 0
    assert b"'result': {}" in done.stdout
    assert b"'status': 'not_found'" in done.stdout


def test_waiting_shows_what_came_out_and_a_failure_has_exit_code_2(qserver: Shell) -> None:
    done = qserver("--wait", "function", "execute", ADD)
    assert (done.returncode, b"'return_value': 42" in done.stdout) == (0, True)
    done = qserver("--wait", "function", "execute", FAIL)
    assert done.returncode == 2
    assert b"ValueError: no beam" in done.stdout


def test_a_running_background_task_is_counted_in_the_status(qserver: Shell, gate: Gate) -> None:
    call = json.dumps({"name": "pass_gate", "args": [gate.path]})
    uid = json.loads(qserver("--json", "function", "execute", call, "background").stdout)["task_uid"]
    assert json.loads(qserver("--json", "task", "status", uid).stdout)["status"] == "running"
    gate.open()
    assert json.loads(qserver("--json", "task", "wait", uid).stdout)["result"]["return_value"] == "passed"


def test_a_script_file_is_uploaded(qserver: Shell, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import bluesky.plan_stubs as bps\ndef from_file():\n    yield from bps.null()\n")
    assert qserver("--wait", "script", "upload", str(script), "keep-lists").returncode == 0
    assert b"from_file" not in qserver("existing", "plans").stdout
    assert qserver("--wait", "environment", "update").returncode == 0
    assert b"'from_file': '{...}'" in qserver("existing", "plans").stdout
    script.write_text("del from_file\n1 / 0\n")
    done = qserver("--wait", "script", "upload", str(script))
    assert done.returncode == 2
    assert b"line 2" in done.stdout


def test_permissions_are_shown_set_checked_and_refused_with_the_place(qserver: Shell, tmp_path: Path) -> None:
    shown = json.loads(qserver("--json", "permissions", "get").stdout)
    file = tmp_path / "permissions.yaml"
    file.write_text(json.dumps({"user_groups": shown["user_group_permissions"]["user_groups"]}))
    assert qserver("permissions", "set", str(file)).returncode == 0
    file.write_text("user_groups:\n  root: {allowed_plans: [':[a-']}\n")
    for words in (("permissions", "set"), ("--validate-only", "permissions", "set")):
        done = qserver(*words, str(file))
        assert done.returncode == 2
        assert b"allowed_plans[0]" in done.stdout
    assert (
        json.loads(qserver("--json", "permissions", "get").stdout)["user_group_permissions"]
        == (shown["user_group_permissions"])
    )


def test_the_report_on_an_environment_that_failed_to_open_says_so_and_not_that_nothing_was_left_out(
    tmp_path: Path,
) -> None:
    (tmp_path / "10-plans.py").write_text("def plan():\n    yield from ()\n\n\n1 / 0\n")
    with running_stack(startup=tmp_path) as stack:
        qserver = shell(stack.address)
        assert b"No environment was opened yet" in qserver("environment", "report").stdout
        assert qserver("environment", "open", "--wait").returncode == 2
        told = qserver("environment", "report").stdout.decode()
        answer = json.loads(qserver("--json", "environment", "report").stdout)
    assert "There is no environment." in told
    assert "ZeroDivisionError" in told
    assert "line 5" in told
    assert "Nothing was left out" not in told
    assert (answer["environment_state"], answer["issues"]) == ("closed", [])
    assert answer["failure"]["exception_type"] == "ZeroDivisionError"


def test_the_report_says_when_nothing_was_left_out(qserver: Shell) -> None:
    told = qserver("environment", "report").stdout
    assert b"Nothing was left out" in told
    assert b"The environment runs on CPython 3." in told
    answer = json.loads(qserver("--json", "environment", "report").stdout)
    assert answer["issues"] == []
    assert answer["python"].startswith("CPython 3.")
    assert answer["bluesky_version"]


def test_a_plan_is_checked_and_simulated_without_being_added(qserver: Shell) -> None:
    good, bad = json.dumps({"name": "one_run"}), json.dumps({"name": "one_run", "args": [1, 2, 3]})
    assert qserver("queue", "validate", "plan", good).returncode == 0
    done = qserver("queue", "validate", "plan", bad)
    assert (done.returncode, b"args[1]" in done.stdout) == (2, True)
    done = qserver("queue", "simulate", "plan", good)
    assert done.returncode == 0, done.stdout
    assert b"1 run, " in done.stdout
    found = json.loads(qserver("--json", "queue", "simulate", "plan", good).stdout)["simulation"]
    assert (found["runs"], found["problems"], found["truncated"]) == (1, [], False)


async def test_a_queued_item_is_simulated_by_its_uid_and_a_flagged_one_is_shown(
    qserver: Shell, shared_client: AsyncClient
) -> None:
    text = "import bluesky.plan_stubs as bps\ndef passing():\n    yield from bps.sleep(5)\n"
    await (await shared_client.tasks.upload_script(text)).result()
    uid = json.loads(qserver("--json", "queue", "add", "plan", '{"name": "passing"}').stdout)["item"]["item_uid"]
    found = json.loads(qserver("--json", "queue", "simulate", "item", uid).stdout)["simulation"]
    assert found["duration"] >= 5
    assert qserver("queue", "simulate", "item", "unknown").returncode == 2
    async with shared_client.watch(["queue"]) as watch:
        await anext(watch)
        await (await shared_client.tasks.upload_script("del passing")).result()
        async for event in watch:
            if type(event).__name__ == "ItemsChecked":
                break
    assert b"'problems': [" in qserver("queue", "get").stdout
