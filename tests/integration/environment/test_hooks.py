"""What user code does to the hooks and subscriptions of the RunEngine takes nothing from the server."""

import signal
from collections.abc import Callable

import pytest
from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import item_pb2 as pb
from queueserver.worker.v1 import worker_service_pb2 as actions

from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child

STARTUP = """
import os, signal, sys, threading
import bluesky.plan_stubs as bps
import bluesky.plans as bp
from bluesky import RunEngine
from ophyd.sim import det1

RE = RunEngine({}, context_managers=[])
heard = []

def unsubscribe_everybody():
    for token in range(100):
        RE.unsubscribe(token)

def chain_state_hook():
    inherited = RE.state_hook
    def chained(new, old):
        heard.append(str(new))
        inherited(new, old)
    RE.state_hook = chained

def record_interruptions_to_one_that_fails():
    RE.record_interruptions = True
    RE.subscribe(fail_at_interruptions)

def fail_at_interruptions(name, document):
    if document.get("data", {}).get("interruption") == "pause":
        raise RuntimeError("no interruptions, please")

def close_standard_output():
    print("it waits", flush=True)
    sys.stdout = open(os.devnull, "w")
    sys.stdout.close()

async def nothing(*arguments):
    pass

def chain_emit():
    inherited = RE.emit
    async def chained(kind, document):
        heard.append(str(kind))
        await inherited(kind, document)
    RE.emit = chained

def new_dispatcher():
    from bluesky.run_engine import Dispatcher
    RE.dispatcher = Dispatcher()

SPOILING = {
    "unsubscribe": unsubscribe_everybody,
    "unsubscribe_all": RE.dispatcher.unsubscribe_all,
    "dispatcher": new_dispatcher,
    "state_hook": lambda: setattr(RE, "state_hook", lambda new, old: heard.append(str(new))),
    "no_state_hook": lambda: setattr(RE, "state_hook", None),
    "chained_state_hook": chain_state_hook,
    "msg_hook": lambda: setattr(RE, "msg_hook", lambda message: None),
    "waiting_hook": lambda: setattr(RE, "waiting_hook", lambda statuses: None),
    "record_interruptions": lambda: setattr(RE, "record_interruptions", True),
    "failing_receiver": record_interruptions_to_one_that_fails,
    "stdout": close_standard_output,
    "emit": lambda: setattr(RE, "emit", nothing),
    "chained_emit": chain_emit,
    "emit_sync": lambda: setattr(RE, "emit_sync", lambda kind, document: None),
    "pause_msg": lambda: delattr(RE, "pause_msg"),
    "pause_command": lambda: RE.register_command("pause", nothing),
}

def spoiling(how):
    yield from bps.null()
    SPOILING[how]()
    yield from bps.open_run()
    yield from bps.checkpoint()
    if how != "stdout":
        print("it waits")
    yield from bps.sleep(1000)

class Store:
    def take(self, name, document):
        if document.get("exit_status") and failing:
            failing.clear()
            raise OSError("the disk is full")

failing = []
store = Store()
subscribed = [RE.subscribe(store.take)]

def takes_away():
    yield from bps.open_run()
    RE.unsubscribe(subscribed.pop())
    RE.msg_hook = print_nothing
    yield from bps.close_run()

def print_nothing(message):
    pass

def takes_commands_away():
    yield from bps.null()
    RE.unregister_command("pause")
    RE.unregister_command("subscribe")

def takes_and_puts_back():
    hooks = {name: getattr(RE, name) for name in ("emit", "emit_sync", "state_hook", "waiting_hook", "msg_hook")}
    for name in hooks:
        setattr(RE, name, nothing)
    yield from bps.null()
    for name, hook in hooks.items():
        setattr(RE, name, hook)

def puts_back():
    subscribed.append(RE.subscribe(store.take))
    RE.msg_hook = None
    yield from bps.null()

def leaves_a_run_open_for_a_failing_store():
    yield from bps.open_run()
    failing.append(True)

def stops_the_loop(how):
    yield from bps.open_run()
    if how == "stop":
        RE.loop.stop()
    else:
        RE.loop.call_soon_threadsafe(RE.loop.stop)
    yield from bps.checkpoint()
    print("it waits")
    yield from bps.sleep(1000)

def closes_the_loop():
    yield from bps.open_run()
    RE.loop.call_soon(close_loop)
    yield from bps.sleep(1000)

def close_loop():
    RE.loop.stop()
    # Another thread could close it only in the very moment in which it stands still.
    RE.loop._thread_id = None
    RE.loop.close()

def take_interrupts_again():
    signal.signal(signal.SIGINT, signal.default_int_handler)

def stop_inside():
    yield from bps.null()
    RE.stop()

def shows_what_was_heard():
    yield from bps.null()
    print("heard:", *heard)
    RE.state_hook = RE.emit = RE.emit_sync = None
    heard.clear()
"""
SPOILED = [
    *("unsubscribe", "unsubscribe_all", "dispatcher", "state_hook", "no_state_hook", "chained_state_hook"),
    *("msg_hook", "waiting_hook", "record_interruptions", "pause_msg", "pause_command", "failing_receiver", "stdout"),
    *("emit", "chained_emit", "emit_sync"),
]
RUNNING, PAUSED, IDLE = env.RUN_ENGINE_STATE_RUNNING, env.RUN_ENGINE_STATE_PAUSED, env.RUN_ENGINE_STATE_IDLE


@pytest.fixture
def begun(hardy: EnvironmentChild) -> Callable[..., int]:
    """Start a plan and wait until it waits; answers how many frames there were before."""

    def begin(plan: str, *args: str) -> int:
        since, printed = len(hardy.frames), hardy.stdout.count("it waits")
        hardy.submit(plan, plan, *args)
        hardy.wait_for_output("it waits", times=printed + 1)
        return since

    return begin


def states(child: EnvironmentChild, since: int) -> list[env.RunEngineState.ValueType]:
    return [frame.run_engine.state for frame in child.frames[since:] if frame.HasField("run_engine")]


@pytest.mark.parametrize("how", SPOILED)
def test_states_and_documents_are_told_and_pause_and_abort_work_after_a_plan_has_spoiled_hooks(
    hardy: EnvironmentChild, begun: Callable[..., int], how: str
) -> None:
    for interrupted_by in ("pause", "abort"):
        since = begun("spoiling", how)
        if interrupted_by == "pause":
            hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
            hardy.wait_for_state(PAUSED, since=since)
            hardy.control(actions.RUN_ENGINE_ACTION_RESUME)
            hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
        hardy.control(actions.RUN_ENGINE_ACTION_ABORT_NOW, "enough")
        result = hardy.result(since=since)
        assert (result.exit_status, states(hardy, since)[-1]) == (pb.EXIT_STATUS_ABORTED, IDLE)
        documents = [frame.document.document for frame in hardy.frames[since:] if frame.HasField("document")]
        kinds = [document.WhichOneof("kind") for document in documents]
        assert (kinds.count("start"), kinds.count("stop")) == (1, 1)
        assert states(hardy, since).count(PAUSED) <= 2
    assert hardy.run("shows_what_was_heard").exit_status == pb.EXIT_STATUS_COMPLETED


def test_a_plan_that_would_wait_for_itself_fails_and_is_told_the_way(hardy: EnvironmentChild) -> None:
    result = hardy.run("stop_inside")
    assert result.exit_status == pb.EXIT_STATUS_FAILED
    assert "RE.stop() can't be called in the RunEngine's own thread" in result.message


def test_what_a_plan_takes_away_from_those_after_it_is_told(hardy: EnvironmentChild) -> None:
    hardy.run("puts_back")
    result = hardy.run("takes_away")
    assert (result.exit_status, result.message) == (pb.EXIT_STATUS_COMPLETED, "")
    taken, changed = result.notices
    assert "removed subscriptions of RE (Store.take)" in taken
    assert changed == "The plan changed RE.msg_hook and did not restore it for the plans that follow."
    hardy.wait_for_output(taken)
    hardy.run("puts_back")
    assert not hardy.run("stop_inside").notices


def test_a_subscription_that_fails_when_the_run_engine_closes_a_run_is_told(hardy: EnvironmentChild) -> None:
    hardy.run("puts_back")
    result = hardy.run("leaves_a_run_open_for_a_failing_store")
    assert result.exit_status == pb.EXIT_STATUS_COMPLETED
    run = hardy.documents("start")[-1].uid[:8]
    assert f"A subscription of RE failed at the stop document of run {run}: the disk is full" in result.notices


def test_a_plan_that_puts_hooks_back_as_they_were_has_changed_nothing(hardy: EnvironmentChild) -> None:
    hardy.run("shows_what_was_heard")
    result = hardy.run("takes_and_puts_back")
    assert (result.exit_status, result.message, list(result.notices)) == (pb.EXIT_STATUS_COMPLETED, "", [])


@pytest.mark.parametrize("how", ["stop", "soon"])
def test_a_plan_whose_event_loop_is_stopped_goes_on_and_can_be_paused_and_aborted(
    hardy: EnvironmentChild, begun: Callable[..., int], how: str
) -> None:
    since = begun("stops_the_loop", how)
    hardy.control(actions.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
    hardy.wait_for_state(PAUSED, since=since)
    hardy.control(actions.RUN_ENGINE_ACTION_ABORT_NOW)
    result = hardy.result(since=since)
    assert result.exit_status == pb.EXIT_STATUS_ABORTED
    assert any("stopped the event loop of RE" in notice for notice in result.notices)
    assert hardy.run("puts_back").exit_status == pb.EXIT_STATUS_COMPLETED


def test_an_interrupt_ends_no_plan_although_other_code_has_given_it_its_meaning_back(
    hardy: EnvironmentChild, begun: Callable[..., int]
) -> None:
    assert hardy.task("interrupts", function={"name": "take_interrupts_again"}).success
    since = begun("spoiling", "no_state_hook")
    hardy.process.send_signal(signal.SIGINT)
    hardy.wait_for_output("Ignored an interrupt")
    hardy.control(actions.RUN_ENGINE_ACTION_ABORT_NOW)
    assert hardy.result(since=since).exit_status == pb.EXIT_STATUS_ABORTED


def test_commands_that_a_plan_takes_away_from_those_after_it_are_told(startup: MakeFolder) -> None:
    with environment_child("--startup-dir", startup(a=STARTUP)) as child:
        child.ready()
        (taken,) = child.run("takes_commands_away").notices
        assert taken.startswith("The plan removed commands of RE (pause, subscribe): every plan that needs one of")


def test_a_plan_whose_event_loop_is_closed_fails_and_no_other_begins(startup: MakeFolder) -> None:
    with environment_child("--startup-dir", startup(a=STARTUP)) as child:
        child.ready()
        result = child.run("closes_the_loop")
        assert result.exit_status == pb.EXIT_STATUS_FAILED
        assert "code closed the event loop of RE; destroy the environment" in result.message
        assert child.run("puts_back").failure_cause == pb.FAILURE_CAUSE_NOT_STARTED
