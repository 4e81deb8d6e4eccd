"""`qserver` with a server of the next version: it shows what it knows, and says where there is more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from queueserver_client import AsyncClient

from tests.harness.next_version import NEW, TEXT
from tests.integration.cli.conftest import Qserver
from tests.integration.cli.test_watch import watched
from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled
from tests.integration.client.test_newer_server import METHODS, NEWER, PACKAGE, answer, event
from tests.unit.cli.dashboard.shown import Shown

LAST = "the end of it"
COMMANDS = (
    "status",
    "why",
    "queue get",
    "queue item get",
    "history get",
    "existing plans",
    "allowed devices",
    "task result t",
    "re runs",
    "permissions get",
)


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_shows_what_it_knows(
    manager: ScriptedManager, qserver: Qserver, command: str, options: tuple[str, ...]
) -> None:
    for name, method in METHODS.items():
        if not method.server_streaming:
            manager.answers[name] = answer(name, oneofs=False)
    ended = await qserver(*options, *command.split())
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    assert "newer" in ended.out  # a word of the text that is in every field


def play(manager: ScriptedManager) -> None:
    """A watch in which a status, an event and the end of the queue are of the next version."""
    unknown = event(revision=3)
    unknown.newer_event = TEXT
    told = [
        event(status={"manager_state": NEW}),
        unknown,
        event(revision=4, item_finished={"item_uid": "u", "exit_status": NEW}),
        event(revision=5, queue_stopped={"reason": NEW}),
        event(console={"text": f"\n{LAST}\n"}),
    ]

    async def stream(_: Any) -> AsyncIterator[bytes]:
        for message in (answer("WatchEvents", oneofs=False), answer("WatchEvents", oneofs=True)):
            yield message
        response = NEWER.new(PACKAGE + "WatchEventsResponse")
        response.batch.events.extend(told)
        yield response.SerializeToString()
        await until_cancelled()

    manager.answers["WatchEvents"] = stream


async def test_a_watch_says_what_it_does_not_know(manager: ScriptedManager) -> None:
    play(manager)
    lines, code, err = await watched(manager, until=LAST)
    assert (code, err) == (0, "")
    assert [line.partition(" - ")[2] for line in lines[-7:]] == [
        "manager unknown, environment unknown",
        "something happened that only a newer qserver can show",
        "unknown: u",
        "queue stopped: unknown",
        "| ",
        f"| {LAST}",
        f"| {TEXT}",
    ]


async def test_for_programs_such_an_event_has_a_name_and_its_revision(manager: ScriptedManager) -> None:
    play(manager)
    lines, code, err = await watched(manager, "--json", until=LAST)
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in lines]
    (unknown,) = [told for told in found if told["event"] == "unknown"]
    assert unknown["revision"] == 3
    assert [told["reason"] for told in found if told["event"] == "queue_stopped"] == ["unspecified"]


async def test_the_live_display_goes_on(manager: ScriptedManager) -> None:
    play(manager)
    shown = Shown()
    async with AsyncClient(manager.address) as client, client.watch() as watch:
        async for change in watch:
            shown.show(change)
            if LAST in repr(change):
                break
    assert LAST in shown.text()
    assert "manager unknown" in shown.text()
