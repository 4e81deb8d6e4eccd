from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.manager.v1 import status_service_pb2
from queueserver_cli.display.terminal_text import console_line, visible, visible_lines

from tests.integration.cli.conftest import Qserver
from tests.integration.client.scripted_manager import ScriptedManager

#: What a terminal acts on: controls, and what turns the direction of writing.
ACTS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
EVIL = "\x1b]0;owned\x07\x1b[2J\x9b1m\u202e"


@given(st.text(st.characters()))
def test_nothing_is_left_on_which_a_terminal_acts(text: str) -> None:
    for shown in (visible(text), visible_lines(text).replace("\n", "").replace("\t", ""), console_line(text)):
        assert not ACTS.search(shown)
        shown.encode()


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == visible_lines(text) == console_line(text) == text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m and \x1b]8;;http://a\x1b\\link\x1b]8;;\x07", "red and link"),
        (" 10%\r 50%\r100%\r", "100%"),
        ("a\tb", "a       b"),
        ("bell \x07 half \x1b[", "bell \\x07 half \\x1b["),
        ("名前 e\u0301 👩\u200d🔬", "名前 e\u0301 👩\u200d🔬"),
    ],
)
def test_a_line_of_the_console_looks_as_in_a_terminal_in_the_end(written: str, shown: str) -> None:
    assert console_line(written) == shown


async def test_names_and_messages_of_others_do_not_act_on_the_terminal(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    blocker = status_service_pb2.Blocker(message=f"It waits for {EVIL}.", remedy_command=f"qserver {EVIL}")
    manager.answers["ExplainIdle"] = status_service_pb2.ExplainIdleResponse(blockers=[blocker], warnings=[EVIL])
    shown = (await qserver("why")).out
    assert "\\x1b[2J" in shown
    assert not ACTS.search(shown.replace("\n", ""))
    document = (await qserver("--json", "why")).out
    assert not ACTS.search(document.replace("\n", "").replace("\u202e", ""))
    assert json.loads(document)["warnings"] == [EVIL]
