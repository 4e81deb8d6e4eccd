"""Every form of the commands that users of the Queue Server know, typed at the real tool, beside a real server."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_client import Client, Plan

from tests.e2e.conftest import Shell
from tests.harness.stack import Stack

PLAN = '{"name": "nothing"}'
PYTHON = "{'name': 'nothing', 'args': (), 'kwargs': {}}"
FUNC = '{"name": "add", "args": [1, 2]}'
STOP = "queue-stop"
#: Words, and the exit code. UID is that of the first of two plans that wait in the queue, OTHER that of the second.
FORMS: list[tuple[list[str], int]] = [
    (["status"], 0),
    (["environment", "open"], 2),
    (["environment", "update"], 0),
    (["environment", "update", "background"], 0),
    (["existing", "plans"], 0),
    (["existing", "devices"], 0),
    (["allowed", "plans"], 0),
    (["allowed", "devices"], 0),
    (["permissions", "reload"], 2),
    (["permissions", "reload", "lists"], 2),
    (["permissions", "get"], 0),
    (["queue", "add", "plan", PLAN], 0),
    (["queue", "add", "plan", PYTHON], 0),
    (["queue", "add", "plan", "front", PLAN], 0),
    (["queue", "add", "plan", "back", PLAN], 0),
    (["queue", "add", "plan", "1", PLAN], 0),
    (["queue", "add", "plan", "-2", PLAN], 0),
    (["queue", "add", "plan", "before", "UID", PLAN], 0),
    (["queue", "add", "plan", "after", "UID", PLAN], 0),
    (["queue", "add", "plan", "before_uid", "UID", PLAN], 0),
    (["queue", "add", "plan", "after_uid", "UID", PLAN], 0),
    (["queue", "add", "plan", "before", "no-such-item", PLAN], 2),
    (["queue", "add", "instruction", STOP], 0),
    (["queue", "add", "instruction", "-2", STOP], 0),
    (["queue", "add", "instruction", "before", "UID", STOP], 0),
    (["queue", "update", "plan", "UID", PLAN], 0),
    (["queue", "update", "instruction", "UID", STOP], 0),
    (["queue", "replace", "plan", "UID", PLAN], 0),
    (["queue", "replace", "instruction", "UID", STOP], 0),
    (["queue", "execute", "instruction", STOP], 0),
    (["queue", "get"], 0),
    (["queue", "clear"], 0),
    (["queue", "stop"], 2),
    (["queue", "stop", "cancel"], 0),
    (["queue", "item", "get"], 0),
    (["queue", "item", "get", "front"], 0),
    (["queue", "item", "get", "-1"], 0),
    (["queue", "item", "get", "UID"], 0),
    (["queue", "item", "remove"], 0),
    (["queue", "item", "remove", "0"], 0),
    (["queue", "item", "remove", "UID"], 0),
    (["queue", "item", "move", "0", "1"], 0),
    (["queue", "item", "move", "UID", "back"], 0),
    (["queue", "item", "move", "back", "before", "UID"], 0),
    (["queue", "item", "move", "UID", "after_uid", "OTHER"], 0),
    (["queue", "mode", "set"], 0),
    (["queue", "mode", "set", "loop", "True"], 0),
    (["queue", "mode", "set", "loop", "false", "ignore_failures", "false"], 0),
    (["queue", "autostart", "disable"], 0),
    (["re", "pause"], 2),
    (["re", "pause", "deferred"], 2),
    (["re", "pause", "immediate"], 2),
    (["re", "resume"], 2),
    (["re", "stop"], 2),
    (["re", "abort"], 2),
    (["re", "halt"], 2),
    (["re", "runs"], 0),
    (["re", "runs", "active"], 0),
    (["re", "runs", "open"], 0),
    (["re", "runs", "closed"], 0),
    (["re", "metadata"], 0),
    (["history", "get"], 0),
    (["history", "clear", "100"], 0),
    (["history", "clear"], 0),
    (["function", "execute", FUNC, "background"], 0),
    (["task", "status", "no-such-task"], 0),
    (["task", "result", "no-such-task"], 0),
]


@pytest.fixture
def items(shared_stack: Stack) -> Iterator[dict[str, str]]:
    """Two plans wait in the queue, and nothing executes."""
    with Client(shared_stack.address) as client:
        client.queue.clear()
        first, second = client.queue.add_batch([Plan("nothing"), Plan("nothing")])
        yield {"UID": first.uid, "OTHER": second.uid}
        client.queue.set_mode(reset=True)
        for task in client.tasks.list():
            client.tasks.wait(task.task.uid)


def body(done: subprocess.CompletedProcess[bytes], words: list[str]) -> dict[str, object]:
    """The dictionary behind the two lines that every command prints first."""
    first, second, printed = done.stdout.decode().split("\n", 2)
    assert first == f"Arguments: {words}"
    assert second.endswith(" - MESSAGE: ")
    found = ast.literal_eval(printed)
    assert isinstance(found, dict)
    assert list(found) == sorted(found)
    return found


@pytest.mark.parametrize(("form", "code"), FORMS, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_form_that_users_know_is_understood_and_answered_by_the_server(
    qserver: Shell, items: dict[str, str], form: list[str], code: int
) -> None:
    words = [items.get(word, word) for word in form]
    done = qserver(*words)
    assert done.returncode == code, (done.stdout, done.stderr)
    answer = body(done, words)
    if form != ["status"]:
        assert answer["success"] is (code == 0)
        assert bool(answer["msg"]) is (code != 0)


def test_files_are_sent(qserver: Shell, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("answer = 42\n")
    for words in ([], ["background"], ["update-re"], ["keep-lists"], ["background", "update-re", "keep-lists"]):
        assert qserver("script", "upload", str(script), *words, "--wait").returncode == 0, words
    permissions = tmp_path / "permissions.yaml"
    permissions.write_text("user_groups: {root: {allowed_plans: [null]}, admin: {allowed_plans: [':.*']}}\n")
    assert qserver("permissions", "set", str(permissions), "--validate-only").returncode == 0
    assert qserver("permissions", "set", str(tmp_path / "none.yaml")).returncode == 1
