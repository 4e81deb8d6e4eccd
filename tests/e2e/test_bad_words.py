"""Wrong input on the command line: exit code, a sentence, and nothing changes."""

from __future__ import annotations

import json

import pytest
from queueserver_client import AsyncClient

from tests.e2e.conftest import Shell

WRONG_COMMAND, REFUSED = 1, 2


@pytest.mark.parametrize(
    ("plan", "phrase"),
    [
        (b'{"name": "one_run", "args": ["\xff\xfe"]}', "UTF-8"),
        ('{"name": "one_run"', "neither JSON nor a Python literal"),
        ("one_run(5)", "neither JSON nor a Python literal"),
        ("[1, 2]", "must be a dictionary"),
        ('{"name": "one_run", "argz": []}', "unknown key 'argz'"),
        ('{"args": []}', "needs a name"),
        ('{"name": "one_run", "args": {}}', "must be a list"),
        ('{"name": "tell_types", "args": [NaN]}', "args[0]"),
        ('{"name": "tell_types", "args": [Infinity]}', "args[0]"),
        ('{"name": "tell_types", "args": [9007199254740992]}', "2^53"),
        ('{"name": "tell_types", "args": [-9223372036854775808]}', "2^53"),
        ('{"name": "tell_types", "args": [1' + "0" * 5000 + "]}", "PLAN"),
        ("[" * 100_000, "nested"),
        ('{"name": "tell_types", "args": [' + "[" * 50 + "]" * 50 + "]}", "nested"),
    ],
)
async def test_a_plan_that_makes_no_sense_is_not_sent(
    qserver: Shell, shared_client: AsyncClient, plan: str | bytes, phrase: str
) -> None:
    before = (await shared_client.status()).revision
    done = qserver("queue", "add", "plan", plan)
    assert done.returncode == WRONG_COMMAND
    assert phrase in (done.stdout + done.stderr).decode()
    assert b"Traceback" not in done.stdout + done.stderr
    assert (await shared_client.status()).revision == before


@pytest.mark.parametrize(
    ("words", "reason", "phrase"),
    [
        (["queue", "add", "plan", '{"name": "one_rum"}'], "PLAN_NOT_FOUND", "did you mean 'one_run'"),
        (["queue", "add", "plan", '{"name": "one_run", "args": [1]}'], "ITEM_INVALID", "must be text, not 1"),
        (["queue", "add", "plan", '{"name": "read_once"}'], "ITEM_INVALID", "item.kwargs.detectors"),
        (["queue", "add", "plan", "before", "nobody", '{"name": "one_run"}'], "ITEM_NOT_FOUND", "list the queue"),
        (["queue", "item", "remove", "7"], "POSITION_OUT_OF_RANGE", "empty"),
        (["queue", "stop"], "INVALID_STATE", "IDLE"),
        (["environment", "open"], "ENVIRONMENT_EXISTS", "RE Worker environment already exists."),
    ],
)
async def test_a_refusal_is_printed_with_its_reason_and_the_exit_code_tells(
    qserver: Shell, shared_client: AsyncClient, words: list[str], reason: str, phrase: str
) -> None:
    before = (await shared_client.status()).revision
    done = qserver("--json", *words)
    assert done.returncode == REFUSED
    answer = json.loads(done.stdout)
    assert (answer["success"], answer["reason"]) == (False, reason)
    assert phrase in answer["msg"] + json.dumps(answer["violations"])
    assert (await shared_client.status()).revision == before
