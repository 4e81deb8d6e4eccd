"""Where startup code comes from: scripts, installed modules, and modules beside them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.integration.environment.environment_child import MakeFolder, environment_child


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that every Python started by the test has on its import path."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return folder


def test_an_installed_module_gives_its_names_and_keeps_its_own_globals(installed: Path) -> None:
    package = installed / "beamline"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "startup.py").write_text(
        "from bluesky.plan_stubs import null\nfrom .devices import motor\n_limit = 5\n"
        "def nothing():\n    print('limit', _limit, __name__)\n    yield from null()\n"
    )
    (package / "devices.py").write_text("from ophyd.sim import motor\n")
    with environment_child("--startup-module", "beamline.startup") as child:
        inventory = child.ready().inventory
        assert ([plan.name for plan in inventory.plans], [device.name for device in inventory.devices]) == (
            ["nothing", "null"],
            ["motor"],
        )
        assert not child.run("nothing").message
        child.wait_for_output("limit 5 beamline.startup")


def test_a_module_that_is_not_installed_and_one_that_fails_are_told_apart(installed: Path) -> None:
    with environment_child("--startup-module", "beamline_nope.startup") as child:
        failure = child.failure()
    assert "There is no module beamline_nope: install it where the Worker runs" in failure.message
    (installed / "broken_beamline.py").write_text("x = 1\nimport epics_nope\n")
    with environment_child("--startup-module", "broken_beamline") as child:
        failure = child.failure()
    assert (failure.exception_type, failure.file, failure.line) == (
        "ModuleNotFoundError",
        str(installed / "broken_beamline.py"),
        2,
    )
    assert failure.traceback.count("File ") == 1


def test_startup_code_sees_no_arguments_of_ours_and_nothing_of_the_current_directory(
    startup: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queue.py").write_text("raise ImportError('this is the file of a user')\n")
    monkeypatch.chdir(tmp_path)
    folder = startup(a="import argparse, sys\nargparse.ArgumentParser().parse_args()\nprint('called', sys.argv)\n")
    with environment_child("--startup-dir", folder) as child:
        child.ready()
    assert f"called ['{folder}']" in child.stdout


def test_a_script_prefers_modules_beside_it_and_a_directory_prefers_installed_ones(
    installed: Path, startup: MakeFolder
) -> None:
    (installed / "which_module.py").write_text("place = 'installed'\n")
    folder = startup(
        which_module="place = 'beside'\n", z_main="import which_module\nprint('it is', which_module.place)\n"
    )
    for option, path, place in (
        ("--startup-script", folder / "z_main.py", "beside"),
        ("--startup-dir", folder, "installed"),
    ):
        with environment_child(option, path) as child:
            child.ready()
            child.wait_for_output(f"it is {place}")


def test_plans_find_modules_that_were_imported_while_loading_but_files_are_looked_for_no_more(tmp_path: Path) -> None:
    (tmp_path / "mymodule.py").write_text("motor = object()\n")
    (tmp_path / "late.py").touch()
    (tmp_path / "start.py").write_text(
        "import mymodule\nfrom bluesky.plan_stubs import null\n"
        "first = mymodule.motor\ndef again():\n    import mymodule\n    assert mymodule.motor is first\n"
        "    yield from null()\ndef late():\n    import late\n    yield from null()\n"
    )
    with environment_child("--startup-script", tmp_path / "start.py") as child:
        child.ready()
        assert child.run("again").message == ""
        assert "No module named 'late'" in child.run("late").message


def test_a_failure_in_a_module_beside_startup_code_is_told_with_both_places(startup: MakeFolder) -> None:
    folder = startup(a="x = 1\nimport b_module\n", b_module="def connect():\n    1 / 0\nconnect()\n")
    (folder / "b_module.py").rename(folder / "b_module.txt")
    (folder / "lib").mkdir()
    (folder / "lib" / "b_module.py").write_text((folder / "b_module.txt").read_text())
    (folder / "a.py").write_text("x = 1\nfrom lib import b_module\n")
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
    assert (failure.exception_type, failure.line) == ("ZeroDivisionError", 2)
    assert Path(failure.file) == folder / "lib" / "b_module.py"
    files = [line.split('"')[1] for line in failure.traceback.splitlines() if "File " in line]
    assert files == [str(folder / "a.py"), *2 * [str(folder / "lib" / "b_module.py")]]


def test_a_startup_file_that_cannot_be_decoded_or_has_zero_bytes_is_told(startup: MakeFolder) -> None:
    folder = startup(a="")
    for content in (b"x = '\xff'\n", b"x = 1\0\n"):
        (folder / "a.py").write_bytes(content)
        with environment_child("--startup-dir", folder) as child:
            failure = child.failure()
        assert "a.py" in failure.message
        assert sys.executable not in failure.traceback
