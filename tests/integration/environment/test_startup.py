from pathlib import Path

import pytest
from queueserver.common.v1 import environment_pb2 as pb

from tests.integration.environment.environment_child import MakeFolder, environment_child


def test_files_run_in_alphabetical_order_in_one_namespace_and_each_is_announced(startup: MakeFolder) -> None:
    folder = startup(
        a_first="value = 1\nassert __name__ == '__main__' and __file__.endswith('a_first.py')",
        b_second="value += 1\nprint(f'value is {value}')\nassert __file__.endswith('b_second.py')",
    )
    (folder / "notes.txt").write_text("this is not a startup file")
    with environment_child("--startup-dir", folder) as child:
        ready = child.ready()
        child.wait_for_output("value is 2")
        progress = [frame.progress.text for frame in child.frames if frame.HasField("progress")]
    assert progress[:2] == ["loading a_first.py", "loading b_second.py"]
    assert ready.run_engine_state == pb.RUN_ENGINE_STATE_IDLE


def test_an_exception_is_reported_with_the_users_file_line_and_frames(startup: MakeFolder) -> None:
    folder = startup(a="def connect():\n    raise OSError('the motor does not answer')\n", b="\n\nconnect()\n")
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
        code = child.wait()
    assert code == 1
    assert (failure.exception_type, failure.file, failure.line) == ("OSError", str(folder / "a.py"), 2)
    assert "the motor does not answer" in failure.message
    assert f'File "{folder / "b.py"}", line 3' in failure.traceback
    assert "queueserver_worker" not in failure.traceback
    assert "the motor does not answer" in child.stderr


def test_the_place_of_a_failure_is_the_innermost_in_the_startup_files_not_in_a_library(startup: MakeFolder) -> None:
    folder = startup(a="import json\n\nsettings = json.loads('no json')\n")
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
    assert (Path(failure.file).name, failure.line) == ("a.py", 3)
    assert failure.exception_type == "JSONDecodeError"


def test_a_syntax_error_is_reported_at_its_own_place(startup: MakeFolder) -> None:
    folder = startup(a="x = 1\n", b="y = 2\nz = = 3\n")
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
    assert (failure.exception_type, failure.file, failure.line) == ("SyntaxError", str(folder / "b.py"), 2)


def test_exit_and_keyboard_interrupt_in_startup_code_are_failures(startup: MakeFolder) -> None:
    for text, kind in (("import sys\nsys.exit(0)\n", "SystemExit"), ("raise KeyboardInterrupt\n", "KeyboardInterrupt")):
        with environment_child("--startup-dir", startup(a=text)) as child:
            failure = child.failure()
            assert child.wait() == 1
        assert failure.exception_type == kind
        assert Path(failure.file).name == "a.py"


def test_a_failed_start_ends_the_process_although_startup_code_left_a_thread_running(startup: MakeFolder) -> None:
    text = "import threading\nthreading.Thread(target=threading.Event().wait).start()\nraise RuntimeError('no')\n"
    with environment_child("--startup-dir", startup(a=text)) as child:
        child.failure()
        assert child.wait() == 1


def test_an_empty_folder_a_missing_folder_and_a_missing_script_say_what_to_do(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    cases = (
        ("--startup-dir", empty, "put your startup code there"),
        ("--startup-dir", tmp_path / "missing", "create it"),
        ("--startup-script", tmp_path / "missing.py", "correct the path"),
    )
    for option, path, advice in cases:
        with environment_child(option, path) as child:
            failure = child.failure()
            assert child.wait() == 1
        assert advice in failure.message
        assert str(path) in failure.message


def test_a_script_finds_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mymodule.py").write_text("answer = 42\n")
    (tmp_path / "start.py").write_text("import mymodule\nprint(f'answer {mymodule.answer} in {__name__}')\n")
    with environment_child("--startup-script", tmp_path / "start.py") as child:
        child.ready()
        child.wait_for_output("answer 42 in __main__")


def test_ipython_style_startup_code_gets_a_stand_in(startup: MakeFolder) -> None:
    folder = startup(
        a="from IPython import get_ipython\nx = 5\nassert get_ipython().user_ns['x'] == 5\n",
        b="from IPython.core.getipython import get_ipython as g\nprint('x', (lambda: g().user_ns['x'])())\n",
        c="get_ipython().log.warning('written to the log')\n",
        d="get_ipython().run_line_magic('motors', '')\n",
    )
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
        child.wait()
    assert "x 5" in child.stdout
    assert (Path(failure.file).name, failure.line) == ("d.py", 1)
    assert "%motors is not a magic of this environment" in failure.message


def test_a_run_engine_of_the_startup_code_is_kept_and_its_state_hook_still_called(startup: MakeFolder) -> None:
    text = """
from bluesky import RunEngine
from bluesky.plan_stubs import null
RE = RunEngine({"facility": "ours"})
RE.state_hook = lambda new, old: print(f"hook: {old} to {new}")
def nothing():
    yield from null()
"""
    with environment_child("--startup-dir", startup(a=text)) as child:
        child.ready()
        child.run("nothing")
        child.wait_for_output("hook: running to idle")
        states = [frame.run_engine.state for frame in child.frames if frame.HasField("run_engine")]
    assert states == [pb.RUN_ENGINE_STATE_RUNNING, pb.RUN_ENGINE_STATE_IDLE]


def test_without_a_default_run_engine_none_is_made_and_plans_are_refused(startup: MakeFolder) -> None:
    text = "def nothing():\n    yield from ()\n"
    with environment_child("--startup-dir", startup(a=text), "--keep-re") as child:
        assert child.ready().run_engine_state == pb.RUN_ENGINE_STATE_UNSPECIFIED
        result = child.run("nothing")
    assert "no RunEngine" in result.message


def test_ophyd_async_devices_connect_in_startup_code_without_a_run_engine_of_its_own(startup: MakeFolder) -> None:
    text = """
from bluesky.plans import count
from ophyd_async.core import StandardReadable, init_devices, soft_signal_rw
class Sample(StandardReadable):
    def __init__(self, name=""):
        with self.add_children_as_readables():
            self.temperature = soft_signal_rw(float, 4.2)
        super().__init__(name=name)
with init_devices():
    sample = Sample()
"""
    with environment_child("--startup-dir", startup(a=text)) as child:
        names = [device.name for device in child.ready().inventory.devices]
        result = child.run("count", ["sample"])
        (event,) = child.documents("event")
    assert names == ["sample"]
    assert not result.message
    assert event.data["sample-temperature"].number == 4.2


def test_a_failure_is_reported_also_when_startup_code_has_closed_the_streams(startup: MakeFolder) -> None:
    folder = startup(a="import sys\nsys.stdout.close()\nsys.stderr.close()\nraise RuntimeError('no beam')\n")
    with environment_child("--startup-dir", folder, "--keep-re") as child:
        assert "no beam" in child.failure().message
        assert child.wait() == 1


@pytest.mark.parametrize(("then", "code"), [("pass", 0), ("sys.stderr.close(); raise RuntimeError", 1)])
def test_a_forked_child_that_has_closed_its_streams_ends_where_the_code_ends(
    startup: MakeFolder, then: str, code: int
) -> None:
    text = (
        f"import os, sys\npid = os.fork()\nif pid == 0:\n    sys.stdout.close()\n    {then}\n"
        "else:\n    print('ended', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    with environment_child("--startup-dir", startup(a=text), "--keep-re") as child:
        child.ready()
        child.wait_for_output(f"ended {code}")
    # What the code raised, and nothing that our own end would have raised.
    assert child.stderr.count("Traceback") == child.stderr.count("\nRuntimeError\n") == code


def test_startup_code_may_close_its_streams(startup: MakeFolder) -> None:
    folder = startup(a="import sys\nsys.stdout.close()\nsys.stderr.close()\n", b="x = 1\n")
    with environment_child("--startup-dir", folder, "--keep-re") as child:
        child.ready()
