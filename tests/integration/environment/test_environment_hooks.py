"""What user code does to the hooks and subscriptions of the RunEngine takes nothing from the server."""

import pytest
from queueserver.common.v1 import environment_pb2 as env
from queueserver.common.v1 import item_pb2 as pb
from queueserver.worker.v1 import worker_service_pb2 as actions

from tests.integration.environment.environment_child import EnvironmentChild

STARTUP = """
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
    "pause_msg": lambda: delattr(RE, "pause_msg"),
    "pause_command": lambda: RE.unregister_command("pause"),
}

def spoiling(how):
    yield from bps.null()
    SPOILING[how]()
    yield from bps.open_run()
    yield from bps.checkpoint()
    print("it waits")
    yield from bps.sleep(1000)

def stop_inside():
    yield from bps.null()
    RE.stop()

def shows_what_was_heard():
    yield from bps.null()
    print("heard:", *heard)
    RE.state_hook = None
    heard.clear()
"""
SPOILED = [
    *("unsubscribe", "unsubscribe_all", "dispatcher", "state_hook", "no_state_hook", "chained_state_hook"),
    *("msg_hook", "waiting_hook", "record_interruptions"),
]
RUNNING, PAUSED, IDLE = env.RUN_ENGINE_STATE_RUNNING, env.RUN_ENGINE_STATE_PAUSED, env.RUN_ENGINE_STATE_IDLE


def states(child: EnvironmentChild, since: int) -> list[env.RunEngineState.ValueType]:
    return [frame.run_engine.state for frame in child.frames[since:] if frame.HasField("run_engine")]


@pytest.mark.parametrize("how", SPOILED)
def test_states_and_documents_are_told_and_pause_and_abort_work_after_a_plan_has_spoiled_hooks(
    hardy: EnvironmentChild, how: str
) -> None:
    for interrupted_by in ("pause", "abort"):
        since, printed = len(hardy.frames), hardy.stdout.count("it waits")
        hardy.submit("spoiling", "spoiling", how)
        hardy.wait_for_output("it waits", times=printed + 1)
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
