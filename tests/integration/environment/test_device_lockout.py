"""Simulations in a real environment keep all hands off the devices, whatever a plan tries, and end in bounded time."""

import uuid
from pathlib import Path
from typing import Any

from queueserver.common.v1.item_pb2 import EXIT_STATUS_COMPLETED

from tests.harness.gate import gate_in
from tests.integration.environment.environment_child import EnvironmentChild
from tests.unit.environment.value_decoder import decode

STARTUP = """
import threading
import bluesky.plan_stubs as bps
from bluesky import RunEngine
from bluesky.plans import count
from ophyd.sim import SynAxis, det1

RE = RunEngine({})
moves = []
class Axis(SynAxis):
    def set(self, value):
        moves.append(value)
        return super().set(value)
    def trigger(self):
        moves.append("trigger")
        return super().trigger()
    def stage(self):
        moves.append("stage")
        return super().stage()
axis = Axis(name="axis")

def taken():
    found = list(moves)
    moves.clear()
    return found
def is_as_before():
    for thread in threading.enumerate():
        if thread.name == "simulated plan":
            thread.join(30)
    return not hasattr(Axis.set, "__wrapped__") and not hasattr(RunEngine.__call__, "__wrapped__")
def measure():
    yield from bps.stage(axis)
    yield from bps.mv(axis, 1)
    yield from bps.trigger(axis, wait=True)
    yield from bps.unstage(axis)
def calls_the_device():
    yield from bps.null()
    try:
        axis.set(2)
    finally:
        axis.set(3)
def calls_the_engine():
    yield from bps.null()
    RE(count([det1]))
def swallows():
    yield from bps.null()
    for _ in range(3):
        try:
            axis.set(4)
        except Exception:
            pass
    yield from bps.mv(axis, 5)
def spins():
    yield from bps.mv(axis, 6)
    while True:
        pass
def waits(path):
    yield from bps.mv(axis, 7)
    try:
        with open(path, "rb", buffering=0) as gate:
            gate.read(1)
    except BaseException as error:
        print("swallowed", type(error).__name__)
    try:
        axis.set(8)
    except RuntimeError as error:
        print("refused:", error)
"""


def ask(child: EnvironmentChild, name: str) -> Any:
    return decode(child.task(str(uuid.uuid4()), function={"name": name}).return_value)


def test_no_device_is_told_to_do_anything(hardy: EnvironmentChild) -> None:
    assert not hardy.simulate("measure").problems
    assert ask(hardy, "taken") == []
    assert ask(hardy, "is_as_before") is True
    assert hardy.run("measure").exit_status == EXIT_STATUS_COMPLETED
    assert ask(hardy, "taken") == ["stage", 1, "trigger"]


def test_a_plan_that_calls_a_device_itself_is_refused_also_in_its_cleaning_up(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("calls_the_device")
    assert [problem.message for problem in found.problems] == [
        "The plan calls axis.set itself instead of sending a message, which can't be simulated."
    ]
    assert ask(hardy, "taken") == []
    hardy.run("calls_the_device")
    assert ask(hardy, "taken") == [2, 3]


def test_a_plan_that_does_not_mind_is_gone_through_to_its_end(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("swallows")
    assert [motion.last for motion in found.motions] == ["5"]
    assert not found.problems
    assert ask(hardy, "taken") == []


def test_a_plan_that_calls_the_run_engine_runs_nothing(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("calls_the_engine")
    assert "RunEngine.__call__ itself" in found.problems[0].message
    assert not hardy.documents("start")


def test_a_plan_that_hangs_is_told_and_interrupted(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("spins")
    assert found.truncated
    assert [motion.last for motion in found.motions] == ["6"]
    assert "has sent no message for" in found.problems[0].message
    assert ask(hardy, "is_as_before") is True


def test_hands_stay_off_while_a_plan_that_can_not_be_interrupted_lives(hardy: EnvironmentChild, tmp_path: Path) -> None:
    with gate_in(tmp_path) as gate:
        assert hardy.simulate("waits", gate.path).truncated
        # In the thread of a real plan the same devices do what they are told.
        assert hardy.run("measure").exit_status == EXIT_STATUS_COMPLETED
        assert ask(hardy, "taken") == ["stage", 1, "trigger"]
        gate.open()
        assert ask(hardy, "is_as_before") is True
    hardy.wait_for_told("swallowed TimeIsOverError")
    hardy.wait_for_told("refused: the plan calls axis.set itself")
    assert ask(hardy, "taken") == []
