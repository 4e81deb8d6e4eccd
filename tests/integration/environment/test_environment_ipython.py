"""Startup code that was written for IPython, with and without IPython installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.environment.environment_child import MakeFolder, environment_child

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
