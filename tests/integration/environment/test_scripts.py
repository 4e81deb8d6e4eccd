"""Scripts in a real environment: what stays, what is restored, what is told, and how they fail."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from queueserver.common.v1.item_pb2 import EXIT_STATUS_COMPLETED
from queueserver.common.v1.task_pb2 import TaskResult

from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child
from tests.unit.environment.value_decoder import decode

FAILED = "Error occurred while executing 'Load script': "
STARTUP = """
from ophyd.sim import det1, motor1
from bluesky import RunEngine
from bluesky.plans import count

RE = RunEngine({})
kept = []

def look(name):
    return repr(globals().get(name))
"""


def script(child: EnvironmentChild, text: str, **options: Any) -> TaskResult:
    return child.task(str(uuid.uuid4()), script={"text": text, **options})


def look(child: EnvironmentChild, name: str) -> str:
    result = child.task(str(uuid.uuid4()), function={"name": "look", "args": [name]})
    return str(decode(result.return_value))


def plans_after(child: EnvironmentChild, since: int) -> list[str]:
    """Plans of the update that came after so many frames, and before the end of a task."""
    kinds = [frame.WhichOneof("frame") for frame in child.frames[since:]]
    assert kinds.index("updated") < kinds.index("task_finished")
    update = next(frame.updated for frame in child.frames[since:] if frame.HasField("updated"))
    return [plan.name for plan in update.inventory.plans]


def test_what_a_script_defines_changes_and_deletes_stays(hardy: EnvironmentChild) -> None:
    assert script(hardy, "x = 1\ny = 2\n").success
    result = script(hardy, "x += 1\ndel y\n")
    assert result.success
    assert not result.HasField("return_value")
    assert (look(hardy, "x"), look(hardy, "y")) == ("2", "None")


def test_what_a_script_did_before_it_failed_stays(hardy: EnvironmentChild) -> None:
    since = len(hardy.frames)
    result = script(hardy, "z = 5\ndef unfinished():\n    yield from []\n1 / 0\n")
    assert result.message == f"{FAILED}ZeroDivisionError in line 4: division by zero"
    assert look(hardy, "z") == "5"
    assert "unfinished" in plans_after(hardy, since)


def test_new_plans_are_told_before_the_task_has_ended_and_can_be_run(hardy: EnvironmentChild) -> None:
    since = len(hardy.frames)
    assert script(hardy, "def fresh(num: int = 2):\n    return (yield from count([det1], num))\n").success
    assert "fresh" in plans_after(hardy, since)
    assert hardy.run("fresh").exit_status == EXIT_STATUS_COMPLETED


def test_lists_are_told_only_when_they_have_changed_and_are_wanted(hardy: EnvironmentChild) -> None:
    script(hardy, "def later():\n    yield from []\n", update_lists=False)
    since = len(hardy.frames)
    script(hardy, "pass", update_lists=False)
    assert not [frame for frame in hardy.frames[since:] if frame.HasField("updated")]
    since = len(hardy.frames)
    hardy.task("update", update={})
    assert "later" in plans_after(hardy, since)
    since = len(hardy.frames)
    hardy.task("another update", update={})
    assert not [frame for frame in hardy.frames[since:] if frame.HasField("updated")]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a = 1\ndef f(:\n", "SyntaxError in line 2: invalid syntax", "line 2"),
        ("import sys\n\nsys.exit('bye')\n", "it called exit (bye) in line 3; remove the call.", "line 3"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt in line 1", "line 1"),
        ("import nowhere\n", "ModuleNotFoundError in line 1: No module named 'nowhere'", "line 1"),
    ],
)
def test_a_script_that_fails_says_where(hardy: EnvironmentChild, text: str, message: str, place: str) -> None:
    result = script(hardy, text)
    assert not result.success
    assert result.message.startswith(FAILED + message)
    assert place in result.traceback
    assert "queueserver_worker" not in result.traceback
    assert script(hardy, "pass").success


def test_zero_bytes_are_a_failure_like_any_other(hardy: EnvironmentChild) -> None:
    result = script(hardy, "x = '\0'\n")
    assert result.message.startswith(FAILED)
    assert "null bytes" in result.message
    assert "queueserver_worker" not in result.traceback


def test_a_traceback_shows_the_lines_of_the_script_that_defined_the_function(hardy: EnvironmentChild) -> None:
    hardy.task("11111111-one", script={"text": "def broken():\n    raise ValueError('first')  # of the first\n"})
    hardy.task("22222222-two", script={"text": "\n\nbefore = 0\n"})
    result = hardy.task("33333333-three", script={"text": "x = 0\nbroken()\n"})
    assert result.message == f"{FAILED}ValueError in line 2: first"
    assert 'File "<script 33333333>", line 2' in result.traceback
    assert 'File "<script 11111111>", line 2' in result.traceback
    assert "raise ValueError('first')  # of the first" in result.traceback


def test_modules_beside_the_startup_code_can_be_imported_and_are_read_anew_when_edited(startup: MakeFolder) -> None:
    folder: Path = startup(a="def look(name):\n    return repr(globals().get(name))\n")
    (folder / "local").mkdir()
    module = folder / "local" / "shared.py"
    module.write_text("value = 1\n")
    with environment_child("--startup-dir", folder) as child:
        child.ready()
        assert script(child, "from local.shared import value\nplace = __file__\n").success
        assert (look(child, "value"), look(child, "place")) == ("1", repr(str(folder / "script")))
        module.write_text("value = 'edited'\n")
        assert script(child, "from local.shared import value\n").success
        assert (look(child, "value"), look(child, "__file__")) == ("'edited'", repr(str(folder / "a.py")))
