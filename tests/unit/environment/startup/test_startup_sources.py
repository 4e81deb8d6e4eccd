"""Which files are startup code, and whose frames are told."""

from __future__ import annotations

from pathlib import Path

from queueserver_environment.startup.startup_sources import source_of


def test_files_with_python_endings_are_executed_in_order_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("10-b.py", "00-a.py", "05-c.ipy", ".#00-a.py", "._10-b.py", "notes.txt", "20-d.pyc"):
        (tmp_path / name).touch()
    (tmp_path / "30-folder.py").mkdir()
    assert [file.name for file in source_of("directory", str(tmp_path)).files()] == ["00-a.py", "05-c.ipy", "10-b.py"]


def test_files_beside_and_below_a_script_are_its_own_and_installed_ones_are_not() -> None:
    script = source_of("script", "/home/user/startup.py")
    assert script.owns("/home/user/startup.py")
    assert script.owns("/home/user/beamline/devices.py")
    assert not script.owns("/home/user/venv/lib/python3.12/site-packages/ophyd/device.py")
    assert not script.owns("/home/user2/devices.py")
    assert not script.owns("<string>")


def test_the_whole_package_of_a_startup_module_is_its_own_wherever_it_is_installed() -> None:
    module = source_of("module", "yaml.nodes")
    import yaml  # noqa: PLC0415 - only its place matters

    assert module.owns(str(Path(yaml.__file__).with_name("loader.py")))
    assert not module.owns(__file__)
    assert not source_of("module", "there_is_no_such_module").owns(__file__)


def test_a_module_outside_of_packages_is_one_file() -> None:
    import typing_extensions  # noqa: PLC0415 - only its place matters

    module = source_of("module", "typing_extensions")
    assert module.owns(str(typing_extensions.__file__))
    assert not module.owns(str(Path(str(typing_extensions.__file__)).with_name("other.py")))
