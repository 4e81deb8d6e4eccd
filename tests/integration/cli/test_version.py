"""`--version` of each tool."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.harness.services import COMMANDS


@pytest.mark.parametrize(
    "tool",
    [
        "qserver",
        "qserver-console-monitor",
        "qserver-console",
        "qserver-qtconsole",
        "qserver-certs",
        "qserver-clear-lock",
        "qserver-list-plans-devices",
        "start-re-manager",
    ],
)
def test_each_tool_shows_its_version_and_nothing_else(tool: str) -> None:
    command = [str(COMMANDS / tool), "--version"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+(\.\w+)*\n", done.stdout)


@pytest.mark.parametrize("words", [["status", "--version"], ["--version", "queue", "clear"]])
def test_qserver_carries_no_command_out_beside_it(words: list[str]) -> None:
    command = [str(COMMANDS / "qserver"), "--address", "127.0.0.1:1", *words]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, text=True)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
