"""Usual mistakes in calls and in plans: told by what was written, where it stands, and what would be right."""

from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import EnvironmentChild

STARTUP = """
import bluesky.plan_stubs as bps
import bluesky.plans as bp
from bluesky.plans import count, grid_scan, scan
from ophyd.sim import det1, motor1, motor2

def align(motor, by: str = ""):
    yield from bps.abs_set(by or motor, 1)
def forgets_from():
    yield from bps.mv(motor1, 1)
    yield bp.count([det1])
def forgets_yield_from():
    for _ in range(3):
        bps.mv(motor1, 1)
    unused = bps.null()
    yield from bps.mv(motor2, 1)
def fails_by_itself(sample):
    yield from bps.null()
    None.name
def knows_samples(sample):
    yield from bps.null()
    raise ValueError(f"there is no sample {sample!r}")
def no_plan():
    return count([det1])
class Hostile:
    def __getattribute__(self, name):
        raise SystemExit(name)
class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)
class OfHostileClass(metaclass=Meta):
    pass
hostile, of_hostile_class = Hostile(), OfHostileClass()
"""


def test_a_forgotten_from_is_told_with_its_line_and_what_to_write(hardy: EnvironmentChild) -> None:
    result = hardy.run("forgets_from")
    line = STARTUP[: STARTUP.index("    yield bp.count")].count("\n") + 1
    assert result.failure_cause == pb.FAILURE_CAUSE_PLAN_ERROR
    assert result.message == (
        f"Plan failed: startup.py, line {line}, yields a plan (count) and no message (`yield bp.count([det1])`); "
        "write `yield from bp.count([det1])`."
    )
    assert f'startup.py", line {line}' in result.traceback
    assert hardy.simulate("forgets_from").problems[0].message == f"The plan fails: {result.message[13:]}"


def test_a_plan_that_is_made_and_never_runs_is_a_problem_of_a_simulation(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("forgets_yield_from")
    line = STARTUP[: STARTUP.index("    bps.mv(motor1, 1)\n    unused")].count("\n") + 1
    assert [problem.message for problem in found.problems] == [
        (
            f"startup.py, line {line}, makes a plan (mv) that never runs; "
            "write `yield from bps.mv(motor1, 1)`, or leave it out."
        )
    ]
    assert [motion.device for motion in found.motions] == ["motor2"]


def test_a_misspelt_device_that_a_plan_takes_as_text_is_named_when_the_plan_fails(hardy: EnvironmentChild) -> None:
    by_attribute = hardy.run("scan", ["det1"], "motr1", -1, 1, 3)
    by_message = hardy.run("align", "motr1")
    in_a_list = hardy.run("grid_scan", ["det1"], "motr1", -1, 1, 3, "motor2", 0, 1, 3)
    for result in (by_attribute, by_message, in_a_list):
        assert result.message.startswith("Plan failed: 'motr1' is not a device; did you mean 'motor1'"), result.message
        assert result.failure_cause == pb.FAILURE_CAUSE_PLAN_ERROR
        assert result.traceback.count("Traceback") == 1
        assert "queueserver_worker/" not in result.traceback
    assert "no attribute 'name'" in by_attribute.message
    assert "does not implement all Movable methods" in by_message.message
    problems = [problem.message for problem in hardy.simulate("align", "motr1").problems]
    assert problems == ["The message 'set' is for 'motr1', which is a text and no device."]
    assert "did you mean 'motor1'" in hardy.simulate("scan", ["det1"], "motr1", -1, 1, 3).problems[0].message


def test_a_device_that_reached_the_plan_as_text_is_told_apart_from_a_misspelt_one(hardy: EnvironmentChild) -> None:
    result = hardy.run("align", "motor1", by="motor2")
    assert "'motor2' reached the plan as text" in result.message


def test_a_failure_that_is_about_something_else_stays_as_it_is(hardy: EnvironmentChild) -> None:
    result = hardy.run("fails_by_itself", "motr1")
    assert result.message == "Plan failed: 'NoneType' object has no attribute 'name'"
    assert hardy.run("knows_samples", "motr1").message == "Plan failed: there is no sample 'motr1'"


def test_a_function_that_is_no_plan_is_told_apart_from_one_that_does_not_exist(hardy: EnvironmentChild) -> None:
    assert "There is a function no_plan, but it is not a plan: it contains no `yield`" in hardy.run("no_plan").message
    assert "There is a function no_plan" in hardy.simulate("no_plan").problems[0].message


def test_objects_whose_attributes_raise_cost_themselves_and_nothing_else(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("scan", ["det1"], "motor1", -1, 1, 3)
    assert not found.problems
    assert (found.run_count, found.point_count, found.truncated) == (1, 3, False)
    assert hardy.run("scan", ["det1"], "motor1", -1, 1, 3).exit_status == pb.EXIT_STATUS_COMPLETED
    assert "did you mean 'motor1'" in hardy.run("scan", ["det1"], "motr1", -1, 1, 3).message
