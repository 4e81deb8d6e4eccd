import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import (
    DEADLINE,
    EnvironmentChild,
    MakeFolder,
    environment_child,
)

STARTUP = """
import os, sys, threading
import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from ophyd import Device
from ophyd.status import Status
from ophyd.sim import det1, motor1

never = threading.Event()

def raising(kind):
    @bpp.run_decorator()
    def inner():
        yield from bps.null()
        if kind == "exit":
            sys.exit(3)
        if kind == "interrupt":
            raise KeyboardInterrupt
        if kind == "unprintable":
            raise Unprintable()
    yield from inner()

class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")
    __repr__ = __str__

class Rude(Device):
    def trigger(self):
        raise SystemExit("the device gave up")
    def read(self):
        return {}
    def describe(self):
        return {}

rude = Rude(name="rude")

def trigger_rude():
    yield from bps.trigger(rude)

def waiting(clean_up=0):
    print("the plan waits")
    yield from bpp.finalize_wrapper(bps.sleep(1000), bps.mv(motor1, 7))

def unstoppable():
    yield from bps.clear_checkpoint()
    print("the plan waits without a checkpoint")
    yield from bps.sleep(1000)

def blocking():
    yield from bps.null()
    print("the plan blocks")
    never.wait()

def no_plan_at_all():
    raise TypeError("raised while the plan was made")
    yield

def shows_position():
    yield from bps.null()
    print("motor1 at", motor1.position)
"""


@pytest.mark.parametrize(
    ("kind", "text"),
    [("exit", "SystemExit"), ("interrupt", "KeyboardInterrupt"), ("unprintable", "no text")],
)
def test_whatever_a_plan_raises_is_its_outcome(hardy: EnvironmentChild, kind: str, text: str) -> None:
    result = hardy.run("raising", kind)
    assert (result.exit_status, result.failure_cause) == (pb.EXIT_STATUS_FAILED, pb.FAILURE_CAUSE_PLAN_ERROR)
    assert text in result.message
    assert hardy.documents("stop")[-1].exit_status in ("fail", "abort")
    assert hardy.run("shows_position").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_device_that_exits_fails_the_plan_and_the_run_engine_lives_on(hardy: EnvironmentChild) -> None:
    result = hardy.run("trigger_rude")
    assert result.failure_cause == pb.FAILURE_CAUSE_PLAN_ERROR
    assert "the device gave up" in result.message
    assert hardy.run("shows_position").exit_status == pb.EXIT_STATUS_COMPLETED


def test_an_exception_before_the_first_message_is_a_plan_error(hardy: EnvironmentChild) -> None:
    result = hardy.run("no_plan_at_all")
    assert result.message == "Plan failed: raised while the plan was made"


def test_an_abort_ends_the_plan_and_lets_it_clean_up(hardy: EnvironmentChild) -> None:
    since = len(hardy.frames)
    hardy.submit("to-abort", "waiting")
    hardy.wait_for_output("the plan waits\n")
    hardy.abort("the ring is down")
    finished = hardy.wait_for(lambda frame: frame.HasField("finished"), since=since).finished
    assert (finished.execution_id, finished.result.exit_status) == ("to-abort", pb.EXIT_STATUS_ABORTED)
    assert "the ring is down" in finished.result.message
    hardy.run("shows_position")
    hardy.wait_for_output("motor1 at 7")


def test_a_plan_without_a_checkpoint_is_aborted_too(hardy: EnvironmentChild) -> None:
    since = len(hardy.frames)
    hardy.submit("x", "unstoppable")
    hardy.wait_for_output("without a checkpoint")
    hardy.abort("enough")
    finished = hardy.wait_for(lambda frame: frame.HasField("finished"), since=since).finished
    assert finished.result.exit_status == pb.EXIT_STATUS_ABORTED


def test_an_abort_sent_right_behind_the_plan_is_not_lost(hardy: EnvironmentChild) -> None:
    for _ in range(5):
        since = len(hardy.frames)
        hardy.submit("x", "waiting")
        hardy.wait_for(lambda frame: frame.HasField("started"), since=since)
        hardy.abort("at once")
        finished = hardy.wait_for(lambda frame: frame.HasField("finished"), since=since).finished
        assert finished.result.exit_status == pb.EXIT_STATUS_ABORTED


def test_an_abort_without_a_plan_is_ignored(hardy: EnvironmentChild) -> None:
    hardy.abort("nothing runs")
    assert hardy.run("shows_position").exit_status == pb.EXIT_STATUS_COMPLETED


def test_an_interrupt_signal_does_not_end_the_process(hardy: EnvironmentChild) -> None:
    hardy.process.send_signal(signal.SIGINT)
    assert hardy.run("shows_position").exit_status == pb.EXIT_STATUS_COMPLETED
    hardy.wait_for_output("Ignored an interrupt")


def test_signs_of_life_come_while_a_plan_blocks_the_run_engine(startup: MakeFolder) -> None:
    with environment_child("--startup-dir", startup(a=STARTUP)) as child:
        child.ready()
        child.submit("x", "blocking")
        child.wait_for_output("the plan blocks")
        for _ in range(2):
            child.wait_for(lambda frame: frame.HasField("heartbeat"), since=len(child.frames))
        states = [frame.run_engine.state for frame in child.frames if frame.HasField("run_engine")]
    assert states == [env.RUN_ENGINE_STATE_RUNNING]


def test_the_end_of_the_channel_ends_the_process_even_while_a_plan_blocks(startup: MakeFolder) -> None:
    with environment_child("--startup-dir", startup(a=STARTUP)) as child:
        child.ready()
        child.submit("x", "blocking")
        child.wait_for_output("the plan blocks")
        child.connection.shutdown(2)
        assert child.wait() == 70


def test_exit_ends_the_process_in_good_order(startup: MakeFolder) -> None:
    text = "import atexit\natexit.register(print, 'closed the shutter')\n"
    with environment_child("--startup-dir", startup(a=text)) as child:
        child.ready()
        assert child.exit() == 0
        assert "closed the shutter" in child.stdout


def test_a_process_that_holds_the_interpreter_dies_with_its_parent(startup: MakeFolder) -> None:
    # The regular expression keeps the interpreter lock for hours, so no thread can notice the end of the channel.
    folder = startup(a="import os, re\nprint(os.getpid(), flush=True)\nre.match('(a+)+$', 'a' * 40 + 'b')\n")
    parent = f"""
import socket, subprocess, sys
ours, theirs = socket.socketpair()
subprocess.run([sys.executable, "-u", "-m", "queueserver_environment", "--channel-fd", str(theirs.fileno()),
    "--startup-dir", {str(folder)!r}], pass_fds=[theirs.fileno()], start_new_session=True)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = (line.strip() for line in process.stdout)
        watched = os.pidfd_open(next(int(line) for line in lines if line.isdigit()))
        process.kill()
        try:
            ended, _, _ = select.select([watched], [], [], DEADLINE)
            assert ended
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(watched, signal.SIGKILL)
            os.close(watched)
