"""`qserver-console-monitor`: started before the server, over a restart, several at once, and its end."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from queueserver_client import Client, ConsoleStream, ConsoleWritten, EventKind, Item, Plan

from tests.e2e.conftest import STARTUP
from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack, running_stack

SHOWING = "Showing the output of"
ACTIVITY = "queueserver_manager.activity]"
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


def activities(process: TestProcess) -> list[str]:
    """Lines of the log about what people did; what is printed may stand in front of one."""
    return re.findall(r"\[\w \S+ \S+ queueserver_manager\.activity\] .*", "\n".join(process.output.lines()))


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


def test_it_shows_what_people_do_as_the_terminal_of_the_server_does(stack: Stack) -> None:
    with monitor(stack) as process, Client(stack.address, user="alice") as client:
        process.output.wait_for(SHOWING)
        client.environment.open()
        handle = client.queue.add(Plan("one_run"))
        client.queue.start()
        handle.result()
        process.output.wait_for(lambda line: "The queue stopped: it is empty" in line)
        shown = activities(process)
        for words in ("alice opens the environment", "alice started the queue", f"completed after .*{handle.uid}"):
            assert [line for line in shown if re.search(words, line)], shown
        stack.supervisor.output.wait_for(lambda line: shown[-1] in line)
        there = activities(stack.supervisor)
        begin = there.index(shown[0])
        assert shown == there[begin : begin + len(shown)]


def test_it_shows_what_people_do_also_where_the_log_is_quiet() -> None:
    with running_stack("--quiet", startup=STARTUP) as quiet, monitor(quiet) as process:
        process.output.wait_for(SHOWING)
        with Client(quiet.address, user="alice") as client:
            client.queue.add(Item.queue_stop())
            client.queue.set_mode(loop=True)
        process.output.wait_for(lambda line: "alice set the queue mode: loop on" in line)
        assert not [line for line in quiet.supervisor.output.lines() if ACTIVITY in line]
        # Details are for the log alone.
        assert not [line for line in process.output.lines() if "added 1 item" in line]


def test_what_people_do_is_no_output_of_the_environment_for_those_who_watch(shared_stack: Stack) -> None:
    with Client(shared_stack.address) as client, client.watch([EventKind.CONSOLE]) as watch:
        next(watch)
        client.queue.set_mode(loop=True)
        client.queue.set_mode(loop=False)
        text = next(event for event in watch if isinstance(event, ConsoleWritten)).console
    assert (text.stream, text.item_uid, text.task_uid) == (ConsoleStream.MANAGER, "", "")
    assert text.text.endswith("\n")
