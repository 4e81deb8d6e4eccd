"""The command line of the Worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_worker.settings import parse

COMMON = ["--listen", "unix:w.sock", "--state-dir", "state"]


@pytest.fixture(autouse=True)
def _in_a_directory_with_startup_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "ipython" / "profile_collection" / "startup").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


def test_paths_become_absolute_and_the_startup_source_is_handed_on_as_it_was_named(tmp_path: Path) -> None:
    settings = parse([*COMMON, "--startup-dir", "d"])
    assert settings.listen == "unix:w.sock"
    assert settings.state_dir == tmp_path / "state"
    assert settings.startup == ("--startup-dir", str(tmp_path / "d"))
    assert parse([*COMMON, "--startup-script", "/s.py"]).startup == ("--startup-script", "/s.py")
    assert parse([*COMMON, "--startup-module", "beamline.startup"]).startup == ("--startup-module", "beamline.startup")


def test_an_ipython_profile_is_a_directory_that_is_found_by_option_variable_or_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = [*COMMON, "--startup-profile", "collection"]
    found = ("--startup-dir", str(tmp_path / "ipython" / "profile_collection" / "startup"))
    assert parse([*profile, "--ipython-dir", "ipython"]).startup == found
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    assert parse(profile).startup == found
    monkeypatch.delenv("IPYTHONDIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ipython").rename(tmp_path / ".ipython")
    assert parse(profile).startup == ("--startup-dir", found[1].replace("ipython/", ".ipython/"))


def test_the_environment_is_told_how_to_treat_the_startup_code() -> None:
    settings = parse([*COMMON, "--startup-script", "/s.py", "--keep-re", "--strict-startup"])
    assert settings.startup == ("--startup-script", "/s.py", "--keep-re", "--strict-startup")


def test_the_console_is_shown_unless_it_is_not_wanted() -> None:
    assert parse([*COMMON, "--startup-dir", "d"]).console_output
    assert parse([*COMMON, "--startup-dir", "d", "--console-output", "ON"]).console_output
    assert not parse([*COMMON, "--startup-dir", "d", "--console-output", "OFF"]).console_output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (COMMON, "say where the startup code is"),
        ([*COMMON, "--startup-dir", "d", "--startup-script", "s"], "--startup-dir and --startup-script exclude"),
        ([*COMMON, "--startup-profile", "p", "--startup-module", "m"], "choose one source"),
        ([*COMMON, "--startup-dir", "missing"], "there is no directory"),
        ([*COMMON, "--startup-profile", "missing", "--ipython-dir", "ipython"], "profile_missing"),
        ([*COMMON, "--startup-profile", "../x"], "is not a name of an IPython profile"),
        ([*COMMON, "--startup-dir", "d", "--ipython-dir", "ipython"], "--ipython-dir"),
        ([*COMMON, "--startup-module", "startup.py/x"], "is not a name of a module"),
        (["--listen", "x", "--startup-dir", "d"], "--state-dir"),
        ([*COMMON, "--startup-dir", "d", "--journal-bytes", "0"], "must be a positive whole number of bytes, not 0"),
        (
            [*COMMON, "--startup-dir", "d", "--journal-bytes", "many"],
            "must be a positive whole number of bytes, not many",
        ),
        ([*COMMON, "--startup-dir", "d", "--console-output", "yes"], "'ON', 'OFF'"),
    ],
)
def test_a_command_line_that_cannot_be_used_is_explained(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert " _" not in said
