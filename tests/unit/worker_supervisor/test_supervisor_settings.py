"""The command line of the Worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_worker.settings import parse

COMMON = ["--listen", "unix:w.sock", "--state-dir", "state"]


def test_paths_become_absolute_and_the_startup_source_is_handed_on_as_it_was_named() -> None:
    settings = parse([*COMMON, "--startup-dir", "startup"])
    assert settings.listen == "unix:w.sock"
    assert settings.state_dir == Path.cwd() / "state"
    assert settings.startup == ("--startup-dir", str(Path.cwd() / "startup"))
    assert parse([*COMMON, "--startup-script", "/s.py"]).startup == ("--startup-script", "/s.py")


def test_the_environment_is_told_not_to_make_a_run_engine() -> None:
    assert parse([*COMMON, "--startup-script", "/s.py", "--no-default-re"]).startup == (
        *("--startup-script", "/s.py"),
        "--no-default-re",
    )


def test_the_console_is_shown_unless_it_is_not_wanted() -> None:
    assert parse([*COMMON, "--startup-dir", "d"]).console_output
    assert parse([*COMMON, "--startup-dir", "d", "--console-output", "ON"]).console_output
    assert not parse([*COMMON, "--startup-dir", "d", "--console-output", "OFF"]).console_output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (COMMON, "--startup-dir"),
        ([*COMMON, "--startup-dir", "d", "--startup-script", "s"], "not allowed with"),
        (["--listen", "x", "--startup-dir", "d"], "--state-dir"),
        ([*COMMON, "--startup-dir", "d", "--journal-bytes", "0"], "positive"),
        ([*COMMON, "--startup-dir", "d", "--journal-bytes", "many"], "many"),
        ([*COMMON, "--startup-dir", "d", "--console-output", "yes"], "'ON', 'OFF'"),
    ],
)
def test_a_command_line_that_cannot_be_used_is_explained(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
