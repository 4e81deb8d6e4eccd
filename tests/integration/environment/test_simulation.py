"""Simulations in a real environment: what a plan would do, as text and as data."""

from datetime import timedelta

from queueserver.common.v1.simulation_pb2 import Simulation

from tests.integration.environment.environment_child import EnvironmentChild

STARTUP = """
import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import Msg
from bluesky.plans import *
from ophyd import Component, Device, Signal
from ophyd.sim import SynAxis, det1, motor1, motor2
from ophyd_async.core import StandardReadable, StandardReadableFormat, init_devices, soft_signal_rw

class Slow(SynAxis):
    def check_value(self, value):
        if not -10 <= value <= 10:
            raise ValueError(f"{value} is out of (-10, 10)")
class Timed:
    name, parent = "timed", None
    def est_time(self, command, *args):
        return {"set": 2.5, "trigger": 0.5}[command]
slow = Slow(name="slow")
del slow.delay
slow.velocity.put(2)
timed = Timed()
class Modern(StandardReadable):
    def __init__(self, name=""):
        with self.add_children_as_readables(StandardReadableFormat.HINTED_SIGNAL):
            self.where = soft_signal_rw(float, 1.0)
        self.velocity = soft_signal_rw(float, 0.5)
        super().__init__(name)
    async def locate(self):
        where = await self.where.get_value()
        return {"setpoint": where, "readback": where}
    def set(self, value):
        return self.where.set(value)
    async def check_value(self, value):
        if value > 4:
            raise ValueError(f"{value} is too far")
with init_devices():
    modern = Modern()

def move_and_measure():
    yield from bps.mv(slow, 4)
    yield from bps.mvr(slow, 1)
    where = yield from bps.rd(slow)
    found = yield from bps.trigger_and_read([det1, slow])
    print("read", where, found["slow"]["value"], sorted(found))
def with_answers():
    uid = yield from bps.open_run(md={"plan_name": "inside"})
    status = yield from bps.abs_set(motor1, 3)
    yield from bps.wait_for([lambda: 1 / 0])
    answer = yield from bps.input_plan("how far? ")
    closed = yield from bps.close_run()
    print("answers", status.done, status.success, repr(answer), len(uid), uid == closed)
def wrapped():
    @bpp.stage_decorator([det1])
    @bpp.relative_set_decorator([motor1])
    @bpp.reset_positions_decorator([motor1])
    @bpp.run_decorator(md={"plan_name": "the inner one"})
    def inner():
        for step in (1, 2, 3):
            yield from bps.mv(motor1, step)
            yield from bps.trigger_and_read([det1])
    yield from bpp.finalize_wrapper(inner(), bps.mv(motor2, 0))
def out_of_limits():
    for target in (5, 11, 12, -11):
        yield from bps.mv(slow, target)
def slowly():
    yield from bps.mv(slow, 10)
    yield from bps.mv(slow, 0, timed, 1)
    yield from bps.sleep(3)
    yield from bps.trigger(timed, wait=True)
def with_modern_devices():
    yield from bps.stage(modern, wait=True)
    yield from bps.mvr(modern, 2)
    yield from bps.mvr(modern, 2)
    where = yield from bps.rd(modern)
    found = yield from bps.read(modern)
    print("modern", where, found["modern-where"]["value"])
    yield from bps.unstage(modern, wait=True)
def fails():
    yield from bps.mv(motor1, 1)
    yield from bps.null()
    raise RuntimeError("out of cheese")
def forever():
    while True:
        yield from bps.mv(motor1, 1)
def nonsense():
    yield Msg("dance", motor1)
    yield Msg("set", motor1)
    yield Msg("save")
    yield Msg("close_run")
    yield "no message"
def without_end():
    yield from bps.open_run()
    yield from bps.open_run()
"""


def targets(simulation: Simulation) -> dict[str, tuple[int, float, float, str, str]]:
    return {m.device: (m.move_count, m.lowest, m.highest, m.first, m.last) for m in simulation.motions}


def test_a_scan_is_told_with_its_repetitions_counted(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("scan", ["det1"], "motor1", -5, 5, 11)
    assert found.text.splitlines()[2:] == [
        "run: scan",
        "11 times:",
        "  move motor1 to -5 … 5",
        "  trigger det1",
        "  trigger motor1",
        "  point: read det1, motor1",
        "end of the run",
        "unstage motor1",
        "unstage det1",
    ]
    assert (found.run_count, found.point_count, found.truncated) == (1, 11, False)
    assert targets(found) == {"motor1": (11, -5.0, 5.0, "-5", "5")}
    assert sorted(found.devices_read) == ["det1", "motor1"]
    assert not found.problems


def test_a_grid_of_many_points_has_few_lines(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("grid_scan", ["det1"], "motor1", 0, 1, 30, "motor2", 0, 2, 10, True)
    assert found.point_count == 300
    assert len(found.text.splitlines()) < 30
    assert targets(found)["motor2"][1:3] == (0.0, 2.0)


def test_moves_are_relative_to_where_devices_would_be(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("move_and_measure")
    assert targets(found)["slow"] == (2, 4.0, 5.0, "4", "5")
    hardy.wait_for_told("read 5 5 ['det1', 'slow', 'slow_setpoint']")
    found = hardy.simulate("rel_scan", ["det1"], "motor1", -1, 1, 3)
    assert targets(found)["motor1"] == (4, -1.0, 1.0, "-1", "0")


def test_answers_look_like_those_of_a_run_engine(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("with_answers")
    hardy.wait_for_told("answers True True '' 36 True")
    assert found.run_count == 1
    assert "ask 'how far? ' and wait for an answer" in found.text
    assert not found.problems


def test_wrapped_plans_are_gone_through_to_their_cleaning_up(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("wrapped")
    assert "run: the inner one" in found.text
    assert targets(found) == {"motor1": (4, 0.0, 3.0, "1", "0"), "motor2": (1, 0.0, 0.0, "0", "0")}
    assert not found.problems


def test_positions_out_of_limits_are_problems_with_their_device_and_message(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("out_of_limits")
    assert [(problem.device, problem.message) for problem in found.problems] == [
        ("slow", f"slow can't be set to {target}: {target} is out of (-10, 10)") for target in (11, 12, -11)
    ]
    assert found.problems[0].at_message > 1
    assert targets(found)["slow"][0] == 4


def test_the_duration_is_made_of_pauses_and_what_devices_tell(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("slowly")
    # 10 at 2 per second, then the slower of 5 s and 2.5 s, a pause, and an exposure.
    assert found.duration.ToTimedelta() == timedelta(seconds=5 + 5 + 3 + 0.5)
    assert not hardy.simulate("nonsense").HasField("duration")


def test_devices_of_ophyd_async_are_asked_in_their_own_loop(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("with_modern_devices")
    hardy.wait_for_told("modern 5.0 5.0")
    assert targets(found) == {"modern": (2, 3.0, 5.0, "3", "5")}
    assert [problem.message for problem in found.problems] == ["modern can't be set to 5: 5.0 is too far"]
    assert found.duration.ToTimedelta() == timedelta(seconds=8)


def test_plans_that_decide_by_what_they_read_come_to_an_end(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("adaptive_scan", ["det1"], "det1", "motor1", -1, 1, 0.1, 0.5, 0.1, True)
    assert found.point_count > 1
    assert not found.problems
    assert not hardy.simulate("tune_centroid", ["det1"], "det1", "motor1", -5, 5, 0.5, num=10).problems


def test_a_plan_that_fails_is_a_finding_with_its_place(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("fails")
    line = STARTUP[: STARTUP.index("raise RuntimeError")].count("\n") + 1
    assert [(p.message, p.at_message) for p in found.problems] == [
        (f"The plan raises RuntimeError in startup.py, line {line}: out of cheese", 3)
    ]
    assert targets(found)["motor1"][0] == 1
    assert not found.truncated


def test_messages_that_make_no_sense_are_findings(hardy: EnvironmentChild) -> None:
    *problems, last = [problem.message for problem in hardy.simulate("nonsense").problems]
    assert problems == [
        "The RunEngine has no command 'dance'.",
        "motor1 is set to nothing.",
        "A point is saved that was not begun.",
        "A run is closed, and none is open.",
    ]
    assert last.startswith("The plan fails: startup.py, line ")
    assert "yields an object of type str and no message" in last
    assert "A run is opened while the one before is open." in hardy.simulate("without_end").problems[0].message


def test_a_plan_without_end_is_cut_at_the_limit_of_messages(hardy: EnvironmentChild) -> None:
    found = hardy.simulate("forever", limit=1_000)
    assert (found.message_count, found.truncated) == (1_000, True)
    assert found.text == "500 times:\n  move motor1 to 1"


def test_what_can_not_be_called_is_a_problem(hardy: EnvironmentChild) -> None:
    unknown = hardy.simulate("scann")
    assert unknown.problems[0].message.startswith("Plan 'scann' would not be started: the environment has no such plan")
    assert "would not be started: The arguments do not fit" in hardy.simulate("scan").problems[0].message
