"""Clients in forked processes: they say so at once, never hang, and leave the parent's alone."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from queueserver.manager.v1 import event_service_pb2, queue_items_pb2, status_service_pb2

from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled

PROGRAM = Path(__file__).with_name("forking_program.py")
REFUSED = 'refused: This process was forked from one that already used a client.*"spawn".*'


async def snapshot(_request: object) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
    yield event_service_pb2.WatchEventsResponse(
        snapshot=event_service_pb2.WatchSnapshot(complete=True), resume_token="t"
    )
    await until_cancelled()


async def output(manager: ScriptedManager, what: str) -> list[str]:
    """Lines that the program prints. AssertionError if it fails."""
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    manager.answers["ListItems"] = queue_items_pb2.ListItemsResponse()
    manager.answers["WatchEvents"] = snapshot
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", PROGRAM, what, manager.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert (process.returncode, err) == (0, b"")
    return out.decode().splitlines()


def assert_lines(lines: list[str], *patterns: str) -> None:
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


CHILD_ENDED = "the child ended with 0"


@pytest.mark.parametrize(
    ("what", "patterns"),
    [
        ("blocking", [REFUSED, REFUSED, REFUSED, "answered", CHILD_ENDED, r"in the parent: answered \[\]"]),
        ("asynchronous", [REFUSED, REFUSED, CHILD_ENDED]),
        ("new", [REFUSED, CHILD_ENDED]),
        ("left", [CHILD_ENDED, "in the parent: answered"]),
        ("unused", ["answered", CHILD_ENDED, "in the parent: answered"]),
        ("pool", [REFUSED, REFUSED]),
    ],
)
async def test_a_forked_process_is_refused_at_once_and_leaves_the_connection_to_its_parent(
    manager: ScriptedManager, what: str, patterns: list[str]
) -> None:
    assert_lines(await output(manager, what), *patterns)
