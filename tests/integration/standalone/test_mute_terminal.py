"""A terminal that takes nothing, as after Ctrl-S: start-re-manager starts, serves and stops all the same."""

from __future__ import annotations

import signal
import sys

from queueserver_client import Client

from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS
from tests.harness.stack import short_directory

#: Becomes the command that follows, with a full pipe, which nobody reads, in place of its terminal.
MUTE = """
import contextlib, os, sys
reader, writer = os.pipe()
os.set_inheritable(reader, True)
os.set_blocking(writer, False)
for size in (65536, 1):
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * size)
os.set_blocking(writer, True)
os.dup2(writer, 1)
os.dup2(writer, 2)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_it_starts_serves_and_stops_though_its_terminal_takes_nothing() -> None:
    with short_directory() as directory:
        command = [sys.executable, "-c", MUTE, COMMANDS / "start-re-manager"]
        command += ["--listen", "127.0.0.1:0", "--data-dir", directory / "data"]
        (directory / "run").mkdir(mode=0o700)
        process = TestProcess("start-re-manager", command, environment={"XDG_RUNTIME_DIR": str(directory / "run")})
        try:
            with Client(process.wait_ready()) as client:
                client.environment.open()
            process.send(signal.SIGINT)
            assert process.wait(45.0) == 0
        finally:
            process.close()
