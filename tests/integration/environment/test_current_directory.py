"""Files of a user's that have the names of libraries lie in the directory in which everything is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from queueserver_inventory.list_file import FILE_NAME, read_list
from queueserver_worker.import_path import module_command

from tests.harness.services import COMMANDS, WorkerProcess
from tests.integration.environment.environment_child import MakeFolder, environment_child

STARTUP = "import limits\ndef measure(num: int = limits.LOW):\n    yield from []\n"
LIBRARIES = ("numpy", "bluesky", "ophyd", "grpc", "yaml", "uvloop", "queueserver")


def occupy(folder: Path, *names: str) -> None:
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text("raise ImportError('this is the file of a user')\n")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: it has a file with the name of each library."""
    folder = tmp_path / "here"
    occupy(folder, *sys.stdlib_module_names, *LIBRARIES)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def folder(startup: MakeFolder) -> Path:
    """Startup code with a module of its own beside it."""
    return startup(a=STARTUP, limits="LOW = 1\n")


def test_the_environment_starts_and_finds_what_lies_beside_startup_code(folder: Path) -> None:
    with environment_child("--startup-dir", folder) as child:
        assert [plan.name for plan in child.ready().inventory.plans] == ["measure"]


def test_a_list_is_made(folder: Path, here: Path) -> None:
    command: list[str | Path] = [COMMANDS / "qserver-list-plans-devices", "--startup-script", folder / "a.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [plan.name for plan in read_list((here / FILE_NAME).read_text()).plans] == ["measure"]


def test_the_worker_starts(folder: Path, short_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # People start it with `python -m`, which itself needs some modules before ours can do anything.
    occupy(tmp_path / "there", "typing", "logging", "queue", "signal", "random", *LIBRARIES)
    monkeypatch.chdir(tmp_path / "there")
    WorkerProcess(short_path, folder).close()


def test_python_that_does_not_know_how_to_leave_the_directory_out_runs_modules_all_the_same() -> None:
    command = [*module_command("json.tool", has_safe_path=False), "--compact"]
    done = subprocess.run(command, input="[1]", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "[1]\n"), done.stderr
