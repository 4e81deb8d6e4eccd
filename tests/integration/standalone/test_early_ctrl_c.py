"""Ctrl-C and SIGTERM before anything runs: exit code 0, and nothing but the log on the terminal."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

#: Sends itself a signal when a module is imported, and runs the command.
PROGRAM = """
import os, sys
module, number, *words = sys.argv[1:]
def look(event, arguments):
    if event == "import" and arguments[0] == module:
        os.kill(os.getpid(), int(number))
sys.addaudithook(look)
from queueserver_standalone.__main__ import main
sys.exit(main(words))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "module",
    [
        "queueserver_standalone.command",
        "asyncio",
        "queueserver_standalone.configuration.settings",
        "queueserver_standalone.supervisor",
    ],
)
def test_a_server_that_is_still_being_loaded_ends_in_good_order(
    module: str, number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PROGRAM, module, str(int(number))]
    command += ["--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not (tmp_path / "data").exists()
