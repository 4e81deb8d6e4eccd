"""Lists for people: history, plans, devices, functions as tables in a terminal, as lines or documents elsewhere."""

from __future__ import annotations

import ast
import json
from typing import Any

from queueserver_client import AsyncClient, ManagerState, Plan

from tests.e2e.conftest import Shell
from tests.harness.progress import run_to_its_end, until_state
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack
from tests.harness.terminal_window import terminal_window


def screen(stack: Stack, *words: str, columns: int = 80) -> str:
    """What stands on the screen of a terminal when the command has ended well."""
    command = (str(COMMANDS / "qserver"), *words)
    # The size of the window counts, not what the terminal of the tests says.
    places = {"QSERVER_ADDRESS": stack.address, "COLUMNS": "", "LINES": ""}
    with terminal_window(*command, columns=columns, lines=200, **places) as window:
        assert window.wait() == 0, window.text()
        return window.text()


def dictionary(out: bytes) -> Any:
    """What users of a pipe parse."""
    return ast.literal_eval(out.decode().partition("MESSAGE: \n")[2])


async def executed(client: AsyncClient, *names: str) -> None:
    await client.queue.set_mode(ignore_failures=True)
    await client.queue.add_batch([Plan(name) for name in names])
    await run_to_its_end(client)
    await until_state(client, ManagerState.IDLE)


async def test_the_history_is_a_table_in_a_terminal_and_the_known_dictionary_elsewhere(
    shared_client: AsyncClient, shared_stack: Stack, qserver: Shell
) -> None:
    await executed(shared_client, "one_run", "broken", "nothing")
    entries = [entry async for entry in shared_client.history.list()]
    shown = screen(shared_stack, "history", "get")
    lines = [line.split() for line in shown.splitlines()]
    heading = lines.index(["ended", "plan", "how", "seconds", "user", "scans", "uid"])
    rows = lines[heading + 1 : heading + 4]
    assert [row[1:3] for row in rows] == [["one_run", "completed"], ["broken", "failed"], ["nothing", "completed"]]
    assert [row[-1] for row in rows] == [entry.item.uid[:8] for entry in entries]
    assert max(map(len, shown.splitlines())) <= 80
    wide = screen(shared_stack, "history", "get", columns=160)
    assert all(entry.item.uid in wide for entry in entries)
    assert "item_uid" not in shown + wide
    for out in (qserver("history", "get").stdout, qserver("history", "get", "--long").stdout):
        items = dictionary(out)["items"]
        assert [item["item_uid"] for item in items] == [entry.item.uid for entry in entries]
        assert "the shutter is stuck" in items[1]["result"]["traceback"]
        assert "console_excerpt" not in out.decode()
    assert "'item_uid'" in screen(shared_stack, "history", "get", "--long")
    assert (
        "Plan failed" in json.loads(qserver("--json", "history", "get").stdout)["items"][1]["result"]["console_excerpt"]
    )


async def test_only_the_newest_items_are_listed_unless_more_are_asked_for(
    shared_client: AsyncClient, shared_stack: Stack, qserver: Shell
) -> None:
    assert "The history is empty." in screen(shared_stack, "history", "get")
    await executed(shared_client, *["nothing"] * 54, "one_run")
    shown = screen(shared_stack, "history", "get")
    assert "The newest 50 of 55 items; more: qserver history get 55" in shown
    assert shown.count("nothing ") == 49
    assert screen(shared_stack, "history", "get", "2").count("nothing ") == 1
    assert [item["name"] for item in dictionary(qserver("history", "get", "2").stdout)["items"]] == [
        "nothing",
        "one_run",
    ]
    assert qserver("history", "get", "0").returncode == qserver("history", "get", "x").returncode == 1


async def test_plans_are_listed_with_their_parameters_and_one_is_explained(
    shared_client: AsyncClient, shared_stack: Stack, qserver: Shell
) -> None:
    del shared_client
    shown = screen(shared_stack, "plans", columns=100)
    assert "detectors, *, times=1, scale=1.0" in shown
    assert "Read detectors: a plan with types." in shown
    one = screen(shared_stack, "plans", "read_once", columns=100)
    for words in ("read_once(detectors, *, times=1, scale=1.0)", "Sequence[Readable]", "(required)", "int"):
        assert words in one
    told = [line.split()[-3:] for line in one.splitlines()]
    assert told.index(["that", "is", "read."]) + 2 == told.index(["the", "same", "time."])
    rows = [line.split("\t") for line in qserver("plans").stdout.decode().splitlines() if "\t" in line]
    assert ["nothing", "", "Do nothing."] in rows
    assert json.loads(qserver("--json", "plans", "read_once").stdout)["plan"]["parameters"][1]["default_text"] == "1"
    done = qserver("plans", "read_onc")
    assert (done.returncode, "did you mean 'read_once'?" in dictionary(done.stdout)["msg"]) == (2, True)


async def test_devices_and_functions_are_listed(
    shared_client: AsyncClient, shared_stack: Stack, qserver: Shell
) -> None:
    del shared_client
    assert "det1" in screen(shared_stack, "devices")
    assert "Reader" in screen(shared_stack, "devices", "det1")
    assert "add(first" in screen(shared_stack, "functions")
    assert "Add two things." in qserver("functions").stdout.decode()
    assert "det1" in json.loads(qserver("--json", "devices").stdout)["devices"]
    assert "add" in json.loads(qserver("--json", "functions").stdout)["functions"]
    done = qserver("devices", "det")
    assert (done.returncode, "did you mean 'det1'" in dictionary(done.stdout)["msg"]) == (2, True)
