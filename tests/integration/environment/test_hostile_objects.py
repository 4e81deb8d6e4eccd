"""Objects of the startup code that raise what ends a process: each costs itself, not the environment."""

from collections.abc import Iterator

import pytest
from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import EnvironmentChild

STARTUP = """
import sys
import bluesky.plan_stubs as bps
from bluesky import RunEngine
from ophyd import Signal
from ophyd.sim import det1, motor1

RE = RunEngine({})

class Hostile:
    def __repr__(self):
        raise SystemExit("not to be printed")
    __str__ = __repr__
    def __eq__(self, other):
        raise KeyboardInterrupt
    __hash__ = None

hostile = Hostile()

class HostileError(Exception):
    def __str__(self):
        raise SystemExit("no text")
    __repr__ = __str__

class HostileSyntaxError(SyntaxError):
    filename = Hostile()
    lineno = Hostile()

class Reader(Signal):
    def describe(self):
        raise SystemExit("nothing is described")

class Untold(type(motor1)):
    @property
    def position(self):
        raise KeyboardInterrupt

RE.md["hostile"] = hostile
described_badly = Reader(name="described_badly", value=1)
untold = Untold(name="untold")
named_badly = Signal(name="named_badly", value=1)
named_badly._name = 17

def default_plan(value=hostile):
    yield from bps.null()

def raising_plan(kind):
    yield from bps.null()
    raise kinds[kind]

def raising_function(kind):
    raise kinds[kind]

def returning_function():
    return hostile

def reading_plan(device):
    yield from bps.open_run()
    yield from bps.trigger_and_read([device])
    yield from bps.close_run()

kinds = {
    "no text": HostileError(),
    "no syntax": HostileSyntaxError(hostile),
    "an exit": SystemExit(hostile),
    "an interrupt": KeyboardInterrupt(hostile),
    "a cause": None,
}
try:
    try:
        raise HostileError
    except HostileError as cause:
        raise ValueError("with a hostile cause") from cause
except ValueError as error:
    kinds["a cause"] = error
"""
KINDS = ("no text", "no syntax", "an exit", "an interrupt", "a cause")


@pytest.fixture(autouse=True)
def _environment_goes_on(hardy: EnvironmentChild) -> Iterator[None]:
    yield
    assert hardy.run("reading_plan", "det1").exit_status == pb.EXIT_STATUS_COMPLETED


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_that_raises_a_hostile_error_has_failed(hardy: EnvironmentChild, kind: str) -> None:
    result = hardy.run("raising_plan", kind)
    assert (result.exit_status, result.failure_cause) == (pb.EXIT_STATUS_FAILED, pb.FAILURE_CAUSE_PLAN_ERROR)
    assert result.message.startswith("Plan failed: ")


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_raises_a_hostile_error_has_failed(hardy: EnvironmentChild, kind: str, in_background: bool) -> None:
    call = {"name": "raising_function", "args": [kind]}
    result = hardy.task(f"task {kind} {in_background}", function=call, in_background=in_background)
    assert not result.success
    assert result.message


def test_a_function_that_returns_a_hostile_object_has_failed(hardy: EnvironmentChild) -> None:
    result = hardy.task("returning", function={"name": "returning_function"})
    assert not result.success
    assert "an object of type Hostile" in result.message


def test_a_plan_with_a_hostile_default_is_offered_and_runs(hardy: EnvironmentChild) -> None:
    assert "default_plan" in [plan.name for plan in hardy.ready().inventory.plans]
    assert hardy.run("default_plan").exit_status == pb.EXIT_STATUS_COMPLETED


def test_hostile_metadata_is_told_as_such(hardy: EnvironmentChild) -> None:
    assert "can't be read" in hardy.metadata()["hostile"]
    hardy.run("reading_plan", "det1")
    assert hardy.documents("start")[-1].extra["hostile"].text == "<Hostile that can't be printed>"


@pytest.mark.parametrize("device", ["described_badly", "untold", "named_badly"])
def test_a_hostile_device_costs_the_plan_that_uses_it_and_a_simulation_says_so(
    hardy: EnvironmentChild, device: str
) -> None:
    simulation = hardy.simulate("reading_plan", device)
    assert simulation.message_count or simulation.problems
    result = hardy.run("reading_plan", device)
    assert result.exit_status in (pb.EXIT_STATUS_FAILED, pb.EXIT_STATUS_COMPLETED)
