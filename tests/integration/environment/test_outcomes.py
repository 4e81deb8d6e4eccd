"""How a plan ended is known from its own end and from the stop documents of its runs."""

import pytest
from queueserver.common.v1 import item_pb2 as pb
from queueserver.worker.v1 import worker_service_pb2 as actions

from tests.integration.environment.environment_child import EnvironmentChild

STARTUP = """
import asyncio, threading
import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
from bluesky import Msg, RunEngine
from bluesky.utils import FailedPause, PlanHalt, RequestAbort, RequestStop, RunEngineInterrupted
from ophyd import Device
from ophyd.sim import SynAxis, det1, motor1

RE = RunEngine({}, context_managers=[])
RAISED = {
    kind.__name__: kind
    for kind in (RequestAbort, RequestStop, PlanHalt, FailedPause, RunEngineInterrupted, asyncio.CancelledError)
} | {"GeneratorExit": GeneratorExit}

def raises(kind, inside=True):
    def inner():
        yield from bps.null()
        raise RAISED[kind]("its own words")
    yield from (bpp.run_wrapper(inner()) if inside else inner())

class TimedOut(Device):
    def trigger(self):
        raise asyncio.CancelledError("no answer in 3 s")
    def read(self):
        return {}
    def describe(self):
        return {}

timed_out = TimedOut(name="timed_out")

def counts_what_times_out():
    yield from bp.count([timed_out])

ODD = {"GeneratorExit": GeneratorExit(), "SystemExit": SystemExit(1), "KeyError": KeyError("gain")}

class Odd(TimedOut):
    def trigger(self):
        raise ODD[self.raising]

odd = Odd(name="odd")

def counts_what_raises(kind):
    odd.raising = kind
    yield from bp.count([odd])

class Broken(TimedOut):
    def trigger(self):
        raise ValueError("out of range")

broken = Broken(name="broken")

def recovers():
    try:
        yield from bp.count([broken])
    except ValueError:
        yield from bps.null()

def closes_as(status):
    yield from bps.open_run()
    yield from bps.close_run(exit_status=status, reason="the beam was lost")

def nested(status):
    yield from bps.open_run()
    yield from bpp.set_run_key_wrapper(closes_as(status), "inner")
    yield from bps.close_run()

def leaves_open():
    yield from bps.open_run()

def returns_whatever_happens():
    try:
        yield from bps.clear_checkpoint()
        print("no checkpoint")
        yield from bps.sleep(1000)
    except Exception:
        pass

def never_closes():
    while True:
        try:
            yield from bps.sleep(0.01)
        except GeneratorExit:
            pass

def fails_when_closed():
    try:
        yield from bps.sleep(0)
        raise_in_loop.append(1)
        yield Msg("null")
    finally:
        raise ValueError("failed when it was closed")

raise_in_loop = []

def hook(message):
    if raise_in_loop:
        raise_in_loop.clear()
        raise RuntimeError("the message hook failed")

RE.msg_hook = hook

def swallowing(plan):
    try:
        yield from plan
    except Exception:
        pass

def lets_a_preprocessor_swallow_errors():
    yield from bps.null()
    RE.preprocessors.append(swallowing)

def failing():
    yield from bps.null()
    RE.preprocessors.clear()
    raise ValueError("a motor fell off")

def ended_by_code(method):
    yield from bps.checkpoint()
    threading.Thread(target=lambda: getattr(RE, method)()).start()
    yield from bpp.run_wrapper(bps.sleep(1000))

class Stage(SynAxis):
    error = FailedPause
    def pause(self):
        raise self.error("the gas system can't be interrupted now")

class NoReturn(SynAxis):
    def resume(self):
        raise RuntimeError("the shutter is locked")

stage = Stage(name="stage")
other_stage = Stage(name="other_stage")
other_stage.error = RuntimeError
no_return = NoReturn(name="no_return")

def refuse():
    raise FailedPause("the gas system can't be interrupted now")

class Unnamed(SynAxis):
    pause = staticmethod(refuse)

unnamed = Unnamed(name="unnamed")

def is_suspended(device):
    yield from bps.checkpoint()
    yield from bps.mv(device, 1)
    yield from bps.checkpoint()
    RE.request_suspend(asyncio.Event().wait, justification="the beam is low")
    yield from bps.sleep(1000)

def pauses_without_a_checkpoint():
    yield from bps.open_run()
    yield from bps.clear_checkpoint()
    yield from bps.pause()

def tidy_up():
    print("tidied up")
    yield from bps.null()

@bpp.finalize_decorator(tidy_up)
@bpp.stage_decorator([det1])
@bpp.run_decorator()
def moves(device):
    yield from bps.checkpoint()
    yield from bps.mv(device, 1)
    print("it waits")
    yield from bps.sleep(1000)

class Runaway(SynAxis):
    def stop(self, *, success=False):
        raise OSError("the controller does not answer")
    def unstage(self):
        raise OSError("the shutter is stuck")

runaway = Runaway(name="runaway")

def moves_what_cant_be_stopped():
    yield from bps.stage(runaway)
    yield from bps.mv(runaway, 1)

def nothing():
    yield from bps.null()
"""
FAILED, ABORTED, STOPPED = pb.EXIT_STATUS_FAILED, pb.EXIT_STATUS_ABORTED, pb.EXIT_STATUS_STOPPED
COMPLETED, HALTED = pb.EXIT_STATUS_COMPLETED, pb.EXIT_STATUS_HALTED


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("RequestAbort", ABORTED),
        ("RequestStop", STOPPED),
        ("PlanHalt", ABORTED),
        ("FailedPause", ABORTED),
        ("CancelledError", FAILED),
        ("RunEngineInterrupted", FAILED),
        ("GeneratorExit", FAILED),
    ],
)
def test_a_plan_that_raises_what_the_run_engine_swallows_did_not_complete_and_is_told_what_it_raised(
    hardy: EnvironmentChild, kind: str, status: pb.ExitStatus.ValueType, inside: bool
) -> None:
    result = hardy.run("raises", kind, inside)
    assert result.exit_status == status
    assert f"{kind} (its own words)" in result.message
    assert "checkpoint" not in result.message
    assert "its own words" in result.traceback
    assert hardy.run("nothing").exit_status == COMPLETED


def test_a_device_that_is_cancelled_fails_its_plan_and_is_named(hardy: EnvironmentChild) -> None:
    result = hardy.run("counts_what_times_out")
    assert (result.exit_status, result.failure_cause) == (FAILED, pb.FAILURE_CAUSE_PLAN_ERROR)
    assert result.message == (
        "Plan failed: it was cancelled while the RunEngine processed its message 'trigger' for 'timed_out': "
        "CancelledError (no answer in 3 s)"
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "GeneratorExit",
            "it raised GeneratorExit, which only the RunEngine should raise; to fail, raise another error.",
        ),
        ("SystemExit", "SystemExit (1)"),
        ("KeyError", "KeyError ('gain')"),
    ],
)
def test_a_failure_whose_text_tells_nothing_by_itself_is_named(hardy: EnvironmentChild, kind: str, text: str) -> None:
    result = hardy.run("counts_what_raises", kind)
    assert (result.exit_status, result.message) == (FAILED, f"Plan failed: {text}")
    assert kind in result.traceback
    assert hardy.run("nothing").exit_status == COMPLETED


@pytest.mark.parametrize(("status", "expected"), [("fail", FAILED), ("abort", ABORTED), ("success", COMPLETED)])
@pytest.mark.parametrize("plan", ["closes_as", "nested"])
def test_a_plan_that_returned_has_completed_only_if_all_its_runs_were_closed_as_a_success(
    hardy: EnvironmentChild, plan: str, status: str, expected: pb.ExitStatus.ValueType
) -> None:
    result = hardy.run(plan, status)
    assert result.exit_status == expected
    run = hardy.documents("start")[-1].uid[:8]
    told = f"it returned, but its run {run} was closed as '{status}': the beam was lost"
    assert (told in result.message) is (expected != COMPLETED)
    assert (result.message == "") is (expected == COMPLETED)


def test_a_run_that_a_plan_leaves_open_is_closed_by_the_run_engine_and_the_plan_has_completed(
    hardy: EnvironmentChild,
) -> None:
    assert hardy.run("leaves_open").exit_status == COMPLETED
    assert hardy.documents("stop")[-1].exit_status == "success"


def test_a_plan_that_recovers_from_a_failed_run_tells_which(hardy: EnvironmentChild) -> None:
    result = hardy.run("recovers")
    assert result.exit_status == FAILED
    assert result.message.endswith("was closed as 'fail': out of range")


def test_a_plan_that_is_told_to_end_and_returns_instead_did_not_complete(hardy: EnvironmentChild) -> None:
    since = len(hardy.frames)
    hardy.submit("x", "returns_whatever_happens")
    hardy.wait_for_output("no checkpoint")
    hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
    result = hardy.result(since=since)
    assert result.exit_status == ABORTED
    assert "it has no checkpoint" in result.message


def test_devices_that_could_not_be_stopped_or_unstaged_at_the_end_are_told(hardy: EnvironmentChild) -> None:
    result = hardy.run("moves_what_cant_be_stopped")
    assert result.exit_status == COMPLETED
    assert list(result.notices) == [
        "Device 'runaway' could not be stopped, it may still move: the controller does not answer",
        "Device 'runaway' could not be unstaged: the shutter is stuck",
    ]
    assert not hardy.run("nothing").notices


def test_a_plan_that_fails_when_it_is_closed_leaves_the_run_engine_usable(hardy: EnvironmentChild) -> None:
    result = hardy.run("fails_when_closed")
    assert (result.exit_status, result.message) == (FAILED, "Plan failed: the message hook failed")
    assert hardy.run("nothing").exit_status == COMPLETED


def test_an_error_that_a_preprocessor_swallows_fails_the_plan(hardy: EnvironmentChild) -> None:
    hardy.run("lets_a_preprocessor_swallow_errors")
    result = hardy.run("failing")
    assert (result.exit_status, result.message) == (FAILED, "Plan failed: a motor fell off")


@pytest.mark.parametrize(
    ("method", "status", "told"),
    [("abort", ABORTED, "RE.abort()"), ("stop", STOPPED, "RE.stop()"), ("halt", HALTED, "RE.halt()")],
)
def test_a_plan_that_other_code_ends_tells_so(
    hardy: EnvironmentChild, method: str, status: pb.ExitStatus.ValueType, told: str
) -> None:
    result = hardy.run("ended_by_code", method)
    assert result.exit_status == status
    assert f"code in the environment called {told}" in result.message


@pytest.mark.parametrize(("device", "expected"), [("stage", ABORTED), ("other_stage", FAILED)])
def test_a_device_that_refuses_a_pause_is_named_with_its_words(
    hardy: EnvironmentChild, device: str, expected: pb.ExitStatus.ValueType
) -> None:
    since, printed = len(hardy.frames), hardy.stdout.count("it waits")
    hardy.submit("x", "moves", device)
    hardy.wait_for_output("it waits", times=printed + 1)
    hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
    result = hardy.result(since=since)
    assert result.exit_status == expected
    assert f"device '{device}' refused to pause: the gas system can't be interrupted now" in result.message
    assert hardy.run("nothing").exit_status == COMPLETED


def test_a_device_that_refuses_a_suspension_is_named(hardy: EnvironmentChild) -> None:
    result = hardy.run("is_suspended", "stage")
    assert result.exit_status == ABORTED
    assert "device 'stage' refused to pause: the gas system can't be interrupted now" in result.message


def test_a_refusal_without_a_trace_of_the_device_is_told_as_far_as_it_is_known(hardy: EnvironmentChild) -> None:
    since, printed = len(hardy.frames), hardy.stdout.count("it waits")
    hardy.submit("x", "moves", "unnamed")
    hardy.wait_for_output("it waits", times=printed + 1)
    hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
    result = hardy.result(since=since)
    assert result.exit_status == ABORTED
    assert result.message == "Plan aborted: it could not be paused: the gas system can't be interrupted now"


def test_a_plan_that_pauses_itself_without_a_checkpoint_is_told_that(hardy: EnvironmentChild) -> None:
    result = hardy.run("pauses_without_a_checkpoint")
    assert result.exit_status == ABORTED
    assert "it has no checkpoint" in result.message


@pytest.mark.parametrize("device", ["stage", "other_stage"])
def test_a_device_that_would_refuse_a_pause_does_not_keep_an_aborted_plan_from_its_clean_up(
    hardy: EnvironmentChild, device: str
) -> None:
    since, waits, tidied = len(hardy.frames), hardy.stdout.count("it waits"), hardy.stdout.count("tidied up")
    hardy.submit("x", "moves", device)
    hardy.wait_for_output("it waits", times=waits + 1)
    hardy.control(actions.RUN_ENGINE_ACTION_ABORT_NOW)
    result = hardy.result(since=since)
    assert (result.exit_status, result.message) == (ABORTED, "Plan aborted.")
    hardy.wait_for_output("tidied up", times=tidied + 1)


def test_a_device_that_refuses_to_resume_is_named_with_its_words(hardy: EnvironmentChild) -> None:
    since, printed = len(hardy.frames), hardy.stdout.count("it waits")
    hardy.submit("x", "moves", "no_return")
    hardy.wait_for_output("it waits", times=printed + 1)
    hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
    hardy.wait_for(lambda frame: frame.run_engine.state == 4, since=since)
    hardy.control(actions.RUN_ENGINE_ACTION_RESUME)
    result = hardy.result(since=since)
    assert result.exit_status == FAILED
    assert result.message == "Plan failed: device 'no_return' refused to resume: the shutter is locked"
