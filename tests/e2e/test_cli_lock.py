"""The lock at the command line: what the tutorial about locking shows, line by line."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from queueserver_client import Client, LockChange, LockChanged

from tests.e2e.conftest import STARTUP, Shell, shell
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack, running_stack

KEY = "userlockkey"
NOTE = "Locked for maintenance, please call 1234"
HELD = (
    "Error: Invalid lock key: \n"
    r"RE Manager is locked by qserver-cli at \d\d/\d\d/\d\d\d\d \d\d:\d\d:\d\d" "\n"
    "Environment is locked: {environment}\n"
    "Queue is locked:       {queue}\n"
    "Emergency lock key:    {emergency}\n"
    "Note: {note}"
)  # fmt: skip
UNLOCKED = {
    "emergency_lock_key_is_set": False,
    "environment": False,
    "note": None,
    "queue": False,
    "time": None,
    "time_str": "",
    "user": None,
}


@pytest.fixture(autouse=True)
def unlocked(shared_stack: Stack) -> Iterator[None]:
    """Nothing is locked when a test ends."""
    yield
    with Client(shared_stack.address) as client:
        for key in (KEY, "another"):
            if client.lock.get(key=key).key_fits:
                client.lock.release(key=key)
        client.queue.clear()


def told(answer: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """The dictionary that was printed."""
    body = answer.stdout.decode().split(" - MESSAGE: \n", 1)[1]
    found: dict[str, Any] = ast.literal_eval(body)
    assert list(found) == sorted(found)
    return found


def assert_held(message: str, *, environment: bool, queue: bool, note: str = "---", emergency: str = "not set") -> None:
    pattern = HELD.format(environment=environment, queue=queue, note=re.escape(note), emergency=emergency)
    assert re.fullmatch(pattern, message), message


def test_the_status_and_lock_info_of_an_unlocked_server(qserver: Shell) -> None:
    status = told(qserver("status"))
    assert status["lock"] == {"environment": False, "queue": False}
    answer = qserver("lock", "info")
    info = told(answer)
    assert info.pop("lock_info_uid") == status["lock_info_uid"]
    assert info == {"lock_info": UNLOCKED, "msg": "", "success": True}
    assert answer.returncode == 0


def test_locking_the_environment_shows_who_locked_it_and_when_and_hides_the_key(qserver: Shell) -> None:
    before = told(qserver("lock", "info"))
    answer = qserver("--lock-key", KEY, "lock", "environment", NOTE)
    assert answer.stdout.decode().splitlines()[0] == f"Arguments: ['lock', 'environment', '{NOTE}']"
    assert KEY not in answer.stdout.decode() + answer.stderr.decode()
    body = told(answer)
    lock = body["lock_info"]
    assert (lock["environment"], lock["queue"], lock["note"], lock["user"]) == (True, False, NOTE, "qserver-cli")
    assert time.strftime("%m/%d/%Y %H:%M:%S", time.localtime(lock["time"])) == lock["time_str"]
    assert set(lock) == set(UNLOCKED)
    assert body["lock_info_uid"] != before["lock_info_uid"]
    assert told(qserver("status"))["lock"] == {"environment": True, "queue": False}


def test_lock_info_says_whether_a_key_fits(qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "environment", NOTE)
    without = told(qserver("lock", "info"))
    assert (without["success"], without["msg"]) == (True, "")
    wrong = qserver("--lock-key", "someinvalidkey", "lock", "info")
    body = told(wrong)
    assert (wrong.returncode, body["success"], body["lock_info"]) == (2, False, without["lock_info"])
    assert_held(body["msg"], environment=True, queue=False, note=NOTE)
    right = told(qserver("lock", "info", QSERVER_LOCK_KEY=KEY))
    assert (right["success"], right["msg"]) == (True, "")


def test_the_environment_is_opened_and_closed_with_the_key_only(qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "environment", NOTE)
    refused = qserver("environment", "close")
    body = told(refused)
    assert (refused.returncode, body["success"]) == (2, False)
    assert_held(body["msg"], environment=True, queue=False, note=NOTE)
    assert "qserver --lock-key KEY lock request all" in body["remedy"]
    assert told(qserver("-k", KEY, "environment", "close", "--wait")) == {"msg": "", "success": True}
    assert told(qserver("-k", KEY, "environment", "open", "--wait")) == {"msg": "", "success": True}


PLAN = '{"name": "one_run"}'


def test_the_same_key_changes_what_is_locked_and_another_one_is_refused(qserver: Shell) -> None:
    first = told(qserver("-k", KEY, "lock", "environment", NOTE))
    second = told(qserver("-k", KEY, "lock", "queue"))
    lock = second["lock_info"]
    assert (lock["environment"], lock["queue"], lock["note"]) == (False, True, None)
    assert lock["time"] >= first["lock_info"]["time"]
    assert second["lock_info_uid"] != first["lock_info_uid"]
    assert_held(told(qserver("queue", "add", "plan", PLAN))["msg"], environment=False, queue=True)
    assert told(qserver("-k", KEY, "queue", "add", "plan", PLAN))["success"]
    every = told(qserver("-k", KEY, "lock", "all"))["lock_info"]
    assert (every["environment"], every["queue"]) == (True, True)
    refused = told(qserver("-k", "another", "lock", "queue"))
    assert (refused["success"], refused["lock_info"]["environment"]) == (False, True)
    assert_held(refused["msg"], environment=True, queue=True)


def test_unlocking_needs_the_key_and_resets_everything(qserver: Shell) -> None:
    locked = told(qserver("-k", KEY, "lock", "all", NOTE))
    refused = qserver("-k", "another", "unlock")
    assert refused.returncode == 2
    assert_held(told(refused)["msg"], environment=True, queue=True, note=NOTE)
    assert told(refused)["lock_info_uid"] == locked["lock_info_uid"]
    assert "qserver-clear-lock" in told(refused)["remedy"]
    assert told(qserver("lock", "info"))["lock_info_uid"] == locked["lock_info_uid"]
    unlocked = told(qserver("-k", KEY, "unlock"))
    assert (unlocked["lock_info"], unlocked["success"]) == (UNLOCKED, True)
    assert unlocked["lock_info_uid"] != locked["lock_info_uid"]


@pytest.mark.parametrize("words", [["status"], ["queue", "get"], ["history", "get"], ["allowed", "plans"], ["why"]])
def test_reading_needs_no_key(qserver: Shell, words: list[str]) -> None:
    qserver("-k", KEY, "lock", "all", NOTE)
    assert qserver(*words).returncode == 0


@pytest.mark.parametrize("words", [["lock", "queue"], ["unlock"], ["lock", "grant"], ["lock", "request", "all"]])
def test_without_a_key_it_is_said_how_to_give_one(qserver: Shell, words: list[str]) -> None:
    answer = qserver(*words)
    assert answer.returncode == 1
    assert "--lock-key KEY" in answer.stderr.decode()


def test_a_note_of_several_words_without_quotes_is_refused_with_a_hint(qserver: Shell) -> None:
    answer = qserver("-k", KEY, "lock", "queue", "work", "in", "the", "hutch")
    assert answer.returncode == 1
    assert "put a note of several words in quotes" in answer.stderr.decode()


def test_why_names_the_lock_its_holder_and_note_and_what_to_type(qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "environment", NOTE)
    said = qserver("why").stdout.decode()
    assert "qserver-cli" in said
    assert NOTE in said
    assert "qserver --lock-key KEY lock request environment" in said


def test_a_lease_and_json(qserver: Shell) -> None:
    answer = json.loads(qserver("--json", "-k", KEY, "lock", "queue", "--lease", "60").stdout)
    assert answer["lock_info"]["lease"] == 60
    refused = json.loads(qserver("--json", "queue", "clear").stdout)
    assert refused["reason"] == "LOCKED"
    assert refused["lock_info"]["user"] == "qserver-cli"
    assert refused["msg"].startswith("Invalid lock key: ")


def test_a_request_waits_is_refused_and_granted(qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "queue", NOTE)
    asked = told(qserver("--user", "jim", "-k", "another", "lock", "request", "queue", "please"))
    assert (asked["granted"], asked["lock_info"]["request"]["user"]) == (False, "jim")
    assert told(qserver("-k", KEY, "lock", "refuse", "not now"))["success"]
    assert "request" not in told(qserver("lock", "info"))["lock_info"]
    qserver("--user", "jim", "-k", "another", "lock", "request", "queue", "please")
    granted = told(qserver("-k", KEY, "lock", "grant"))["lock_info"]
    assert (granted["user"], granted["note"]) == ("jim", "please")


def test_the_lock_survives_a_restart_and_the_emergency_key_only_unlocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER", "emlockkey")
    with running_stack(startup=STARTUP) as stack:
        run = shell(stack.address)
        locked = told(run("-k", KEY, "lock", "all", NOTE))["lock_info"]
        assert locked["emergency_lock_key_is_set"]
        stack.stop()
        stack.start()
        assert told(run("lock", "info"))["lock_info"] == locked
        refused = told(run("-k", "emlockkey", "environment", "open"))
        assert_held(refused["msg"], environment=True, queue=True, note=NOTE, emergency="set")
        assert told(run("-k", "emlockkey", "unlock"))["lock_info"] == UNLOCKED | {"emergency_lock_key_is_set": True}


def waiting_for_the_lock(stack: Stack) -> subprocess.Popen[str]:
    """A running `lock request queue --wait`, behind the line that says that the holder is asked."""
    command = [COMMANDS / "qserver", "--user", "jim", "-k", "another", "lock", "request", "queue", "please", "--wait"]
    environment = {**os.environ, "QSERVER_ADDRESS": stack.address}
    asking = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert asking.stderr is not None
    assert "qserver-cli is asked for the lock" in asking.stderr.readline()
    return asking


def end_of(asking: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and answer."""
    out, _ = asking.communicate(timeout=60)
    return asking.returncode, ast.literal_eval(out.split(" - MESSAGE: \n", 1)[1])


def test_who_waits_for_the_lock_has_it_when_it_is_granted(shared_stack: Stack, qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "queue")
    asking = waiting_for_the_lock(shared_stack)
    assert qserver("-k", KEY, "lock", "grant").returncode == 0
    code, body = end_of(asking)
    assert (code, body["granted"], body["lock_info"]["user"]) == (0, True, "jim")


def test_who_waits_for_the_lock_is_told_that_and_why_it_is_refused(shared_stack: Stack, qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "queue")
    asking = waiting_for_the_lock(shared_stack)
    assert qserver("-k", KEY, "lock", "refuse", "in five minutes").returncode == 0
    code, body = end_of(asking)
    assert (code, body["success"]) == (2, False)
    assert body["msg"] == "qserver-cli refused to give the lock: in five minutes"


def test_ctrl_c_takes_the_request_for_the_lock_back(shared_stack: Stack, qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "queue")
    asking = waiting_for_the_lock(shared_stack)
    asking.send_signal(signal.SIGINT)
    _, err = asking.communicate(timeout=60)
    assert asking.returncode == 130
    assert "The request was withdrawn." in err
    assert "request" not in told(qserver("lock", "info"))["lock_info"]


def test_a_lock_ends_with_its_lease_and_others_are_told(shared_stack: Stack, qserver: Shell) -> None:
    qserver("-k", KEY, "lock", "queue", "--lease", "5")
    with Client(shared_stack.address) as client, client.watch(["lock"]) as watch:
        ended = next(event for event in watch if not event.lock.is_locked)  # type: ignore[union-attr] # the lock is watched
    assert isinstance(ended, LockChanged)
    assert ended.change is LockChange.EXPIRED
    assert qserver("queue", "clear").returncode == 0
