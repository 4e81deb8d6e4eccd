"""Default, environment variable, configuration file, command line: which of them counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from queueserver_standalone.configuration.choices import gather, variables
from queueserver_standalone.configuration.option_table import OPTIONS
from queueserver_standalone.configuration.settings import MEGABYTE, Settings, parse
from queueserver_standalone.errors import StandaloneError


def configured(tmp_path: Path, text: str, *words: str) -> Settings:
    file = tmp_path / "config.yml"
    file.write_text(text)
    return parse(["--config", str(file), *words])


def test_the_command_line_counts_before_the_file_and_the_file_before_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parse([]).listen == "127.0.0.1:60630"
    monkeypatch.setenv("QUEUESERVER_LISTEN", "127.0.0.1:1")
    assert parse([]).listen == "127.0.0.1:1"
    monkeypatch.setenv("QSERVER_LISTEN", "127.0.0.1:2")
    assert parse([]).listen == "127.0.0.1:2"
    assert configured(tmp_path, "network: {listen: '127.0.0.1:3'}").listen == "127.0.0.1:3"
    assert configured(tmp_path, "network: {listen: '127.0.0.1:3'}", "--listen", "127.0.0.1:4").listen == "127.0.0.1:4"


def test_the_file_may_be_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yml").write_text("network: {key_prefix: a}")
    (tmp_path / "b.yml").write_text("network: {key_prefix: b}")
    monkeypatch.setenv("QSERVER_CONFIG", str(tmp_path / "a.yml"))
    assert parse([]).key_prefix == "a"
    assert parse(["--config", str(tmp_path / "b.yml")]).key_prefix == "b"


def test_what_is_on_in_one_place_can_be_switched_off_in_another_that_counts_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QSERVER_KEEP_RE", "yes")
    assert parse([]).startup.keep_re
    assert not configured(tmp_path, "startup: {keep_re: false}").startup.keep_re
    assert configured(tmp_path, "startup: {keep_re: false}", "--keep-re").startup.keep_re
    assert not configured(tmp_path, "startup: {keep_re: true}", "--keep-re", "OFF").startup.keep_re
    monkeypatch.setenv("QSERVER_INSECURE_LISTEN", "1")
    assert not configured(tmp_path, "network: {insecure_listen: false}").insecure_listen


def test_a_source_of_startup_code_takes_the_place_of_every_one_that_counts_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "startup.py"
    script.write_text("")
    file = f"startup: {{startup_profile: x, ipython_dir: {tmp_path}}}"
    found = configured(tmp_path, file, "--startup-script", str(script)).startup
    assert (found.option, found.value) == ("--startup-script", str(script))
    monkeypatch.setenv("QSERVER_STARTUP_DIR", "/does/not/exist")
    assert configured(tmp_path, "startup: {startup_module: beamline}").startup.value == "beamline"
    with pytest.raises(StandaloneError, match=r"startup\.startup_module \(.*line 1\) exclude each other"):
        configured(tmp_path, f"startup: {{startup_dir: {tmp_path}, startup_module: beamline}}")


@pytest.mark.parametrize(
    ("words", "strict"),
    [
        ([], False),
        (["--ignore-invalid-plans", "ON"], False),
        (["--ignore-invalid-plans", "OFF"], True),
        (["--strict-startup"], True),
        (["--strict-startup", "--ignore-invalid-plans", "OFF"], True),
    ],
)
def test_the_old_name_of_strictness_means_its_contrary(words: list[str], strict: bool, tmp_path: Path) -> None:
    assert parse(words).startup.strict is strict
    assert configured(tmp_path, "startup: {ignore_invalid_plans: false}").startup.strict
    assert not configured(tmp_path, "startup: {ignore_invalid_plans: false}", "--strict-startup", "OFF").startup.strict


def test_two_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(StandaloneError, match="--strict-startup and --ignore-invalid-plans contradict each other"):
        parse(["--strict-startup", "--ignore-invalid-plans", "ON"])


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ([], "INFO"),
        (["--console-output", "ON"], "INFO"),
        (["--console-output", "OFF"], "WARNING"),
        (["--console-output", "OFF", "--log-format", "json"], "WARNING"),
        (["--console-output", "OFF", "--log-level", "INFO"], "INFO"),
        (["--console-output", "OFF", "--verbose"], "DEBUG"),
        (["--console-output", "OFF", "--silent"], "SILENT"),
    ],
)
def test_without_console_output_the_log_is_quiet_too_unless_a_level_is_asked_for(words: list[str], level: str) -> None:
    assert parse(words).log.level == level


def test_a_level_of_the_log_counts_before_quietness_wherever_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert configured(tmp_path, "operation: {print_console_output: false}").log.level == "WARNING"
    both = "operation: {print_console_output: false, console_logging_level: NORMAL}"
    assert configured(tmp_path, both).log.level == "INFO"
    monkeypatch.setenv("QSERVER_LOG_LEVEL", "DEBUG")
    assert parse(["--console-output", "OFF"]).log.level == "DEBUG"


def test_every_option_can_be_said_in_each_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: dict[str, tuple[Any, list[str]]] = {
        "whole number": (7, ["7"]),
        "true / false": (True, ["ON"]),
        "list of texts": (["/a", "/b"], ["/a", "/b"]),
        "number of seconds, or none": (2.5, ["2.5"]),
        "path": ("/x", ["/x"]),
        "text": ("x", ["x"]),
    }
    for option in OPTIONS:
        in_file, typed = words.get(option.kind.in_file) or (option.default, [option.default])
        file = tmp_path / f"{option.id}.yml"
        file.write_text(f"{option.section}:\n  {option.path.partition('.')[2]}: {in_file!r}\n")
        expected = gather(["--config", str(file)]).said[option.id].value
        if option.on_command_line:
            assert gather([option.flag, *typed]).said[option.id].value == expected
        for name in option.variable_names:
            monkeypatch.setenv(f"QSERVER_{name}", ":".join(typed))
            assert gather([]).said[option.id].value == expected
            assert {f"QSERVER_{name}", f"QUEUESERVER_{name}"} <= variables()
            monkeypatch.delenv(f"QSERVER_{name}")


def test_a_wrong_value_is_told_with_the_place_where_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        StandaloneError, match=r"^--queue-size must be a whole number of megabytes, 1 or more, not '0x'"
    ):
        parse(["--queue-size", "0x"])
    monkeypatch.setenv("QUEUESERVER_QUEUE_SIZE", "much")
    with pytest.raises(StandaloneError, match=r"^QUEUESERVER_QUEUE_SIZE must be a whole number .* not 'much'\.$"):
        parse([])
    assert parse(["--queue-size", "5"]).kept == ("--queue-size", "5")
    assert parse(["--queue-size", "5", "--free-space-warning", "0"]).warn_below == 0
    assert parse(["--queue-size", "5", "--free-space-warning", "3"]).warn_below == 3 * MEGABYTE


def test_a_variable_that_is_misspelt_is_told_and_those_of_other_programs_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QSERVER_DATADIR", "/x")
    for other in ("QSERVER_ADDRESS", "QSERVER_USER", "QSERVER_USER_GROUP", "QSERVER_LOCK_KEY", "QSERVER_CONFIG"):
        monkeypatch.setenv(other, "")
    assert parse([]).notes == ("QSERVER_DATADIR is not a setting of this server. Did you mean QSERVER_DATA_DIR?",)


def test_an_emergency_key_has_no_place_on_a_command_line_and_is_not_shown() -> None:
    with pytest.raises(SystemExit):
        parse(["--emergency-lock-key", "secret"])


def test_an_emergency_key_comes_from_the_file_or_a_variable_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER", "of the variable")
    assert parse([]).emergency_lock_key == "of the variable"
    found = configured(tmp_path, "operation: {emergency_lock_key: of the file}")
    assert found.emergency_lock_key == "of the file"
    assert "of the" not in repr(found)
    file = tmp_path / "config.yml"
    (note,) = found.notes
    assert f"({file}, line 1) can be read by all users of this machine: chmod o-r {file}." in note
    file.chmod(0o640)
    assert not parse(["--config", str(file)]).notes
    with pytest.raises(StandaloneError, match="must be text: put it in quotes") as refusal:
        configured(tmp_path, "operation: {emergency_lock_key: 12345}")
    assert "12345" not in str(refusal.value)
