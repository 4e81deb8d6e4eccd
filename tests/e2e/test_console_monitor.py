"""`qserver-console-monitor`: started before the server, over a restart, several at once, and its end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from queueserver_client import Client

from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack

SHOWING = "Showing the output of"
AWAY = "No Queue Server answers at"


@contextmanager
def monitor(stack: Stack) -> Iterator[TestProcess]:
    """A monitor of a stack, also of one that is not there."""
    command = [COMMANDS / "qserver-console-monitor", "--address", stack.address]
    process = TestProcess("qserver-console-monitor", command, announces=False)
    try:
        yield process
    finally:
        process.close()


def printed(stack: Stack, text: str) -> None:
    """Have a script of the environment print a text."""
    with Client(stack.address) as client:
        client.environment.open(exist_ok=True)
        client.tasks.upload_script(f"print({text!r})").wait()


def lines_of(process: TestProcess) -> list[str]:
    """What it showed of what scripts printed."""
    return [line for line in process.output.lines() if line.startswith("script")]


def test_it_may_be_started_before_the_server_and_goes_on_after_its_restart(stack: Stack) -> None:
    assert stack.stop() == 0
    with monitor(stack) as process:
        process.output.wait_for(lambda line: line.startswith(AWAY))
        stack.start()
        printed(stack, "script one")
        process.output.wait_for("script one")
        assert stack.stop() == 0
        stack.start()
        printed(stack, "script two")
        process.output.wait_for("script two")
        assert lines_of(process) == ["script one", "script two"]
        process.send(signal.SIGINT)
        assert process.wait() == 0


def test_the_output_of_the_startup_code_comes_to_one_that_waited(stack: Stack) -> None:
    with monitor(stack) as process, Client(stack.address) as client:
        process.output.wait_for(SHOWING)
        client.environment.open()
        process.output.wait_for(lambda line: line.startswith("ready:"))


def test_several_show_the_same_and_one_that_comes_later_only_what_comes_after_it(shared_stack: Stack) -> None:
    with monitor(shared_stack) as first, monitor(shared_stack) as second:
        for process in (first, second):
            process.output.wait_for(SHOWING)
        printed(shared_stack, "script\tthree \x07 é")
        for process in (first, second):
            # Unchanged, with what a terminal acts on.
            process.output.wait_for("script\tthree \x07 é")
        with monitor(shared_stack) as later:
            later.output.wait_for(SHOWING)
            printed(shared_stack, "script four")
            for process in (first, second, later):
                process.output.wait_for("script four")
            assert lines_of(later) == ["script four"]
        for process in (first, second):
            process.send(signal.SIGINT)
            assert process.wait() == 0
            assert "Traceback" not in str(process.output)
