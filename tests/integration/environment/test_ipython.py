"""Startup code that was written for IPython, with and without IPython installed."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child
from tests.unit.environment.value_decoder import decode

#: The parts of IPython that other code asks for its shell.
IPYTHON = {
    "IPython/__init__.py": "from .core.getipython import get_ipython\nversion_info = (9, 0, 0, '')\n",
    "IPython/core/__init__.py": "",
    "IPython/core/getipython.py": "def get_ipython():\n    return None\n",
    "IPython/display.py": "from .core.getipython import get_ipython\ndef display(x):\n    print('displays', x)\n",
}


@pytest.fixture(params=["installed", "not installed"])
def ipython(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether there is an IPython for the environment. Its core is all that matters, and not its version."""
    if request.param == "installed":
        for name, text in IPYTHON.items():
            (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "site" / name).write_text(text)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]))
    return request.param == "installed"


@pytest.mark.usefixtures("ipython")
def test_modules_that_startup_files_import_find_the_same_stand_in(startup: MakeFolder) -> None:
    folder = startup(a="x = 5\nimport lib.mine\nprint('answers', lib.mine.answers())\n")
    (folder / "lib").mkdir()
    (folder / "lib" / "mine.py").write_text(
        "import IPython\nfrom IPython import get_ipython\nfrom IPython.core.getipython import get_ipython as other\n"
        "def answers():\n    shells = [get_ipython(), other(), IPython.get_ipython()]\n"
        "    assert shells[0] is shells[1] is shells[2]\n    return shells[0].user_ns['x']\n"
    )
    with environment_child("--startup-dir", folder) as child:
        child.ready()
    assert "answers 5" in child.stdout


def test_the_rest_of_ipython_is_there_if_it_is_installed_and_an_import_error_if_not(
    startup: MakeFolder, *, ipython: bool
) -> None:
    folder = startup(
        a="try:\n    from IPython.display import display\nexcept ImportError as error:\n    print('told:', error)\n"
        "else:\n    display('this')\n"
    )
    with environment_child("--startup-dir", folder) as child:
        child.ready()
    if ipython:
        assert "displays this" in child.stdout
    else:
        assert "told: IPython has no display: IPython is not installed here" in child.stdout
        assert "offers only core, get_ipython, version_info" in child.stdout


def test_a_real_world_profile_with_magics_opens(startup: MakeFolder) -> None:
    folder = startup(
        a="from IPython import get_ipython\nip = get_ipython()\nip.run_line_magic('matplotlib', 'qt')\n"
        "ip.run_line_magic('autoawait', 'call_in_bluesky_event_loop')\nip.log.info('not shown')\nip.prompts = 5\n"
        "get_ipython().user_ns['beamline'] = 'abc'\n",
        c="assert (beamline, motor, other) == ('abc', 'm1', 2)\n",
    )
    (folder / "b.ipy").write_text("%load_ext autoreload\n%run -i more/devices.py\n!echo from the shell\nother = 2\n")
    (folder / "more").mkdir()
    (folder / "more" / "devices.py").write_text("motor = 'm1' if beamline else None\n")
    with environment_child("--startup-dir", folder) as child:
        child.ready()
        child.wait_for_output("from the shell")
    assert "ignored: %matplotlib qt" in child.stdout
    assert "ignored: %load_ext autoreload" in child.stdout


def test_a_failure_in_a_file_with_magics_has_its_own_line_and_its_own_text(startup: MakeFolder) -> None:
    folder = startup()
    (folder / "a.ipy").write_text("%matplotlib qt\n\n%run -i b.txt\n")
    (folder / "b.txt").write_text("x = 1\nraise OSError('no beam')\n")
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
    assert (Path(failure.file).name, failure.line, failure.exception_type) == ("b.txt", 2, "OSError")
    frames = [line for line in failure.traceback.splitlines() if "File " in line]
    assert [(Path(frame.split('"')[1]).name, frame.split("line ")[1].split(",")[0]) for frame in frames] == [
        ("a.ipy", "3"),
        ("b.txt", "2"),
    ]
    assert "    %run -i b.txt" in failure.traceback


def test_scripts_are_plain_python(tmp_path: Path) -> None:
    (tmp_path / "start.py").write_text("get_ipython()\n")
    with environment_child("--startup-script", tmp_path / "start.py") as child:
        assert child.failure().exception_type == "NameError"


def returned(child: EnvironmentChild, function: str, *args: object) -> object:
    """What a function of the startup code returns."""
    return decode(child.task(str(uuid.uuid4()), function={"name": function, "args": list(args)}).return_value)


def install(place: Path, name: str, code: str, requirement: str = "") -> None:
    """Put a package where installed ones are, with what it says of itself."""
    (place / name).mkdir(parents=True)
    (place / name / "__init__.py").write_text(code)
    about = place / f"{name}-1.0.dist-info"
    about.mkdir()
    needs = f"Requires-Dist: {requirement}\n" if requirement else ""
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
    (about / "top_level.txt").write_text(f"{name}\n")


@pytest.mark.usefixtures("ipython")
def test_libraries_get_the_answer_of_ipython_itself_and_packages_of_a_beamline_the_stand_in(
    startup: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "lib" / "site-packages"
    code = "def shell():\n    from IPython import get_ipython\n    return get_ipython()\n"
    install(place, "some_plots", code, "numpy>=1")
    install(place, "some_beamline", code, "ophyd-async[ca]>=0.9 ; python_version > '3'")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")]))
    folder = startup(
        a="import some_beamline, some_plots, __main__\nassert some_plots.shell() is None\n"
        "assert some_beamline.shell() is get_ipython()\nassert dict(get_ipython().config) == {}\n"
        "def main_file():\n    return __main__.__file__\n",
        b="import os\nassert get_ipython().profile_dir.startup_dir == os.path.dirname(__file__)\n",
    )
    with environment_child("--startup-dir", folder) as child:
        child.ready()
        assert returned(child, "main_file") == str(folder / "a.py")


#: As a program in Python that is typed into no shell: another process executes nothing of it.
SPAWNING = """
import multiprocessing, os
def answer(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply(os.getpid) != os.getpid()
print("loaded once")
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_process_that_is_spawned_does_not_execute_startup_files_again(startup: MakeFolder, method: str) -> None:
    with environment_child("--startup-dir", startup(a=SPAWNING)) as child:
        child.ready()
        assert returned(child, "answer", method) is True
        assert child.exit() == 0
    assert (child.stdout + child.stderr).count("loaded once") == 1


TUTORIAL = """
from bluesky import RunEngine
from bluesky.run_engine import autoawait_in_bluesky_event_loop
import bluesky.plan_stubs as bps
RE = RunEngine(call_returns_result=True)
autoawait_in_bluesky_event_loop()
def nothing():
    yield from bps.null()
"""


@pytest.mark.parametrize("kind", ["--startup-dir", "--startup-script", "--startup-module"])
@pytest.mark.usefixtures("ipython")
def test_tutorials_that_let_a_shell_await_open_from_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "tutorial.py").write_text(TUTORIAL)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "code"), os.environ.get("PYTHONPATH", "")]))
    where = {"--startup-dir": tmp_path / "code", "--startup-module": "tutorial"}.get(
        kind, tmp_path / "code/tutorial.py"
    )
    with environment_child(kind, where) as child:
        ready = child.ready()
    assert [plan.name for plan in ready.inventory.plans] == ["nothing"]
    assert "ignored: autoawait_in_bluesky_event_loop()" in child.stdout
