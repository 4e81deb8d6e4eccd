"""RunEngines that scripts bring: restored, adopted, or adopted when the plan has ended."""

import uuid
from pathlib import Path
from typing import Any

from queueserver.common.v1.environment_pb2 import RUN_ENGINE_STATE_IDLE, RUN_ENGINE_STATE_PAUSED
from queueserver.common.v1.item_pb2 import EXIT_STATUS_COMPLETED, EXIT_STATUS_STOPPED
from queueserver.common.v1.task_pb2 import TaskResult
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.harness.gate import gate_in
from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child
from tests.unit.environment.value_decoder import decode

STARTUP = """
import bluesky.plan_stubs as bps
from bluesky import RunEngine
from bluesky.plans import count
from ophyd.sim import det1

RE = RunEngine({"who": "the first"})
first = RE

def look(name):
    return repr(globals().get(name))
def is_first():
    return RE is first
def waits(path):
    with open(path, "rb", buffering=0) as gate:
        gate.read(1)
    yield from count([det1])
def pauses():
    yield from bps.checkpoint()
    yield from bps.pause()
"""
SECOND = "RE = RunEngine({'who': 'the second'})\n"
BACK = "RE = first\n"


def script(child: EnvironmentChild, text: str, *, in_background: bool = False, **options: Any) -> TaskResult:
    options["text"] = text
    return child.task(str(uuid.uuid4()), script=options, in_background=in_background)


def ask(child: EnvironmentChild, name: str, *args: str) -> Any:
    return decode(child.task(str(uuid.uuid4()), function={"name": name, "args": list(args)}).return_value)


def runs(child: EnvironmentChild, since: int) -> list[str]:
    """Whose runs were reported since then."""
    documents = [frame.document.document for frame in child.frames[since:] if frame.HasField("document")]
    return [document.start.extra["who"].text for document in documents if document.HasField("start")]


def test_reserved_names_are_restored_unless_they_are_to_be_replaced(hardy: EnvironmentChild) -> None:
    assert script(hardy, "RE = 5\ndb = 6\n").success
    assert not script(hardy, "del RE\nraise ValueError\n").success
    assert ask(hardy, "is_first") is True
    assert ask(hardy, "look", "db") == "None"
    assert script(hardy, "db = 7\n", update_re=True).success
    assert ask(hardy, "look", "db") == "7"
    assert script(hardy, "db = 8\n").success
    assert ask(hardy, "look", "db") == "7"


def test_a_run_engine_that_replaces_another_is_reported_from_then_on_and_the_other_is_not(
    hardy: EnvironmentChild,
) -> None:
    since = len(hardy.frames)
    assert script(hardy, SECOND, update_re=True).success
    hardy.wait_for_state(RUN_ENGINE_STATE_IDLE, since=since)
    assert hardy.metadata()["who"] == "the second"
    since = len(hardy.frames)
    assert hardy.run("count", ["det1"]).exit_status == EXIT_STATUS_COMPLETED
    assert script(hardy, "first(count([det1]))\nRE(count([det1]))\n").success
    assert runs(hardy, since) == ["the second", "the second"]
    script(hardy, BACK, update_re=True)


def test_a_plan_that_was_paused_by_the_new_run_engine_is_controlled(hardy: EnvironmentChild) -> None:
    script(hardy, SECOND, update_re=True)
    since = len(hardy.frames)
    hardy.submit("execution", "pauses")
    hardy.wait_for_state(RUN_ENGINE_STATE_PAUSED, since=since)
    hardy.control(pb.RUN_ENGINE_ACTION_STOP)
    assert hardy.result(since=since).exit_status == EXIT_STATUS_STOPPED
    script(hardy, BACK, update_re=True)


def test_a_plan_keeps_the_run_engine_on_which_it_began(hardy: EnvironmentChild, tmp_path: Path) -> None:
    since = len(hardy.frames)
    with gate_in(tmp_path) as gate:
        hardy.submit("execution", "waits", gate.path)
        assert script(hardy, SECOND, in_background=True, update_re=True).success
        assert hardy.metadata()["who"] == "the first"
        gate.open()
        assert hardy.result(since=since).exit_status == EXIT_STATUS_COMPLETED
    assert hardy.metadata()["who"] == "the second"
    hardy.run("count", ["det1"])
    assert runs(hardy, since) == ["the first", "the second"]
    script(hardy, BACK, update_re=True)


def test_removing_the_run_engine_from_the_namespace_leaves_it_in_its_place(hardy: EnvironmentChild) -> None:
    assert script(hardy, "del RE\n", update_re=True).success
    assert hardy.run("count", ["det1"]).exit_status == EXIT_STATUS_COMPLETED
    script(hardy, BACK, update_re=True)


def test_a_script_does_not_undo_what_another_one_has_replaced_meanwhile(
    hardy: EnvironmentChild, tmp_path: Path
) -> None:
    with gate_in(tmp_path) as gate:
        waiting = f"print('here')\nwith open({gate.path!r}, 'rb', buffering=0) as gate:\n    gate.read(1)\n"
        hardy.submit_task("long", script={"text": waiting, "update_lists": False}, in_background=True)
        hardy.wait_for(lambda frame: frame.task_printed.task_uid == "long")
        script(hardy, SECOND, update_re=True)
        gate.open()
        assert hardy.task_result("long").success
    assert ask(hardy, "is_first") is False
    script(hardy, BACK, update_re=True)


def test_the_first_run_engine_may_come_by_a_script(startup: MakeFolder) -> None:
    folder = startup(a="from ophyd.sim import det1\nfrom bluesky.plans import count\n")
    with environment_child("--startup-dir", folder, "--keep-re") as child:
        assert child.ready().run_engine_state == 0
        script(child, "from bluesky import RunEngine\nRE = RunEngine({})\n", update_re=True, update_lists=False)
        child.wait_for(lambda frame: frame.run_engine.state == RUN_ENGINE_STATE_IDLE)
        assert child.run("count", ["det1"]).exit_status == EXIT_STATUS_COMPLETED
