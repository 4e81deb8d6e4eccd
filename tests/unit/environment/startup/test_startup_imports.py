"""Modules beside startup code: importable while it loads, kept, and read anew when they have changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from queueserver_environment.startup.startup_imports import LocalModules


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Path]:
    """A folder whose modules are forgotten after the test."""
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_modules_are_importable_only_while_code_is_loaded_and_stay_the_same_afterwards(beside: Path) -> None:
    (beside / "local_a.py").write_text("motor = object()\n")
    with LocalModules().importable(beside, first=False):
        loaded = import_module("local_a")
    assert str(beside) not in sys.path
    assert import_module("local_a").motor is loaded.motor
    with pytest.raises(ModuleNotFoundError):
        import_module("local_b")


def test_when_one_has_changed_all_are_read_anew_by_the_next_code_even_within_the_same_second(beside: Path) -> None:
    local = LocalModules()
    (beside / "package_a").mkdir()
    (beside / "package_a" / "__init__.py").touch()
    inner, outer = beside / "package_a" / "inner.py", beside / "local_c.py"
    outer.write_text("from package_a.inner import answer\n")
    answers = []
    for number in range(10, 20):
        inner.write_text(f"answer = {number}\n")
        with local.importable(beside, first=True):
            answers.append(import_module("local_c").answer)
    assert answers == list(range(10, 20))


def test_unchanged_modules_and_those_of_an_installation_below_the_folder_are_not_read_again(beside: Path) -> None:
    local = LocalModules()
    installed = beside / "venv" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "installed_a.py").write_text("thing = object()\n")
    (beside / "local_d.py").write_text("motor = object()\n")
    sys.path.append(str(installed))
    try:
        with local.importable(beside, first=False):
            thing, motor = import_module("installed_a").thing, import_module("local_d").motor
        with local.importable(beside, first=False):
            assert import_module("local_d").motor is motor
        (beside / "local_d.py").write_text("motor = object()\n\n")
        with local.importable(beside, first=False):
            assert import_module("local_d").motor is not motor
            assert import_module("installed_a").thing is thing
    finally:
        sys.path.remove(str(installed))


def test_a_place_that_was_on_the_path_stays_there(beside: Path) -> None:
    sys.path.append(str(beside))
    try:
        with LocalModules().importable(beside, first=False):
            pass
        assert str(beside) in sys.path
    finally:
        sys.path.remove(str(beside))


def test_code_without_a_folder_changes_nothing() -> None:
    before = list(sys.path)
    with LocalModules().importable(None, first=True):
        assert sys.path == before
