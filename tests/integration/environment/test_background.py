"""Background tasks in a real environment: beside plans and each other, with the text of each kept apart."""

from pathlib import Path

from queueserver.common.v1.console_pb2 import CONSOLE_STREAM_STDERR, CONSOLE_STREAM_STDOUT
from queueserver.common.v1.item_pb2 import EXIT_STATUS_COMPLETED

from tests.harness.gate import gate_in
from tests.integration.environment.environment_child import EnvironmentChild
from tests.unit.environment.value_decoder import decode

TASKS = 20
STARTUP = """
import asyncio, os, sys
import bluesky.plan_stubs as bps
from bluesky import RunEngine
RE = RunEngine({})

def talk(name, path):
    for number in range(3):
        with open(path, "rb", buffering=0) as gate:
            gate.read(1)
        print(name, number)
    sys.stderr.write(f"{name} is done, ")
    print("and", name, "ends", file=sys.stderr)
    return name

def wait(path):
    with open(path, "rb", buffering=0) as gate:
        gate.read(1)

def flushes():
    print("half ", end="", flush=True)
    # In one piece: where colorama is installed, bluesky has it flush each of the two writes of print.
    sys.stdout.write("a line\\n")

def floods():
    sys.stdout.write("x" * 20_000)

def goes_round():
    os.write(1, b"round the stream\\n")

def loop_is_set():
    return asyncio.get_event_loop() is RE.loop

def slow(path):
    wait(path)
    print("of the plan")
    yield from bps.null()
"""


def printed(child: EnvironmentChild, task_uid: str, stream: int) -> str:
    told = [frame.task_printed for frame in child.frames if frame.task_printed.task_uid == task_uid]
    return "".join(text.text for text in told if text.stream == stream)


def test_twenty_tasks_at_once_each_have_their_own_text_and_their_own_result(
    hardy: EnvironmentChild, tmp_path: Path
) -> None:
    with gate_in(tmp_path) as gate:
        for number in range(TASKS):
            function = {"name": "talk", "args": [f"n{number}", gate.path]}
            hardy.submit_task(f"talk {number}", function=function, in_background=True)
        gate.open(times=3 * TASKS)
        for number in range(TASKS):
            uid, name = f"talk {number}", f"n{number}"
            assert decode(hardy.task_result(uid).return_value) == name
            assert printed(hardy, uid, CONSOLE_STREAM_STDOUT) == f"{name} 0\n{name} 1\n{name} 2\n"
            assert printed(hardy, uid, CONSOLE_STREAM_STDERR) == f"{name} is done, and {name} ends\n"
    assert "n0 0" not in hardy.stdout + hardy.stderr


def test_a_task_runs_beside_a_plan_and_a_foreground_task(hardy: EnvironmentChild, tmp_path: Path) -> None:
    with gate_in(tmp_path) as gate, gate_in(tmp_path, "of the plan") as gate_of_plan:
        since = len(hardy.frames)
        hardy.submit_task("waits", function={"name": "wait", "args": [gate.path]}, in_background=True)
        hardy.submit("execution", "slow", gate_of_plan.path)
        hardy.submit_task("beside", function={"name": "loop_is_set"}, in_background=True)
        assert decode(hardy.task_result("beside").return_value) is True
        gate_of_plan.open()
        assert hardy.result(since=since).exit_status == EXIT_STATUS_COMPLETED
        assert hardy.task("foreground", function={"name": "flushes"}).success
        assert not [frame for frame in hardy.frames if frame.task_finished.task_uid == "waits"]
        gate.open()
        assert hardy.task_result("waits").success
    hardy.wait_for_output("of the plan\n")
    hardy.wait_for_output("half a line\n")


def test_text_is_told_by_lines_when_it_is_flushed_and_when_it_gets_long(hardy: EnvironmentChild) -> None:
    hardy.task("flushes", function={"name": "flushes"}, in_background=True)
    hardy.task("floods", function={"name": "floods"}, in_background=True)
    told = [frame.task_printed.text for frame in hardy.frames if frame.task_printed.task_uid == "flushes"]
    assert told == ["half ", "a line\n"]
    assert printed(hardy, "floods", CONSOLE_STREAM_STDOUT) == "x" * 20_000


def test_text_that_goes_round_python_is_the_environments(hardy: EnvironmentChild) -> None:
    hardy.task("round", function={"name": "goes_round"}, in_background=True)
    hardy.wait_for_output("round the stream\n")
    assert printed(hardy, "round", CONSOLE_STREAM_STDOUT) == ""


def test_a_script_in_the_background_tells_its_plans_and_its_failure_is_its_own(hardy: EnvironmentChild) -> None:
    since = len(hardy.frames)
    text = "def from_behind():\n    yield from []\nprint('before')\n1 / 0\n"
    result = hardy.task("behind", script={"text": text}, in_background=True)
    assert "ZeroDivisionError in line 4" in result.message
    kinds = [frame.WhichOneof("frame") for frame in hardy.frames[since:]]
    assert kinds.index("updated") < kinds.index("task_finished")
    assert printed(hardy, "behind", CONSOLE_STREAM_STDOUT) == "before\n"
    assert result.message in printed(hardy, "behind", CONSOLE_STREAM_STDERR)


def test_the_environment_ends_although_tasks_go_on(hardy: EnvironmentChild, tmp_path: Path) -> None:
    with gate_in(tmp_path) as gate:
        for number in range(3):
            hardy.submit_task(f"n{number}", function={"name": "wait", "args": [gate.path]}, in_background=True)
        text = "import itertools\nfor number in itertools.count(): print(number)\n"
        hardy.submit_task("prints", script={"text": text}, in_background=True)
        hardy.wait_for(lambda frame: frame.task_printed.task_uid == "prints")
        assert hardy.exit() == 0
