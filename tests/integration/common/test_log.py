"""The log: its two forms, its levels, and texts of other people in it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from queueserver_process.log import LogChoice, add_log_options, read_log_options

PROGRAM = """
import logging, sys
from queueserver_process import log
log.configure(log.LogChoice(*sys.argv[1:3]))
ours, theirs = logging.getLogger("queueserver_manager.activity"), logging.getLogger("grpc")
for logger in (ours, theirs):
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(logger, name)("%s of %s", name, logger.name)
ours.critical("a\\nb\\x1b[31m\\u202e", extra={"fields": {"event": "test", "user": "jane\\n"}})
try:
    raise ValueError("first\\nsecond")
except ValueError:
    ours.critical("broken", exc_info=True)
ours.critical("%d", "no number")
print("done", file=sys.stdout)
"""


def run(level: str, form: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, level, form]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "done\n"
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("level", "ours", "theirs"),
    [
        ("DEBUG", "debug info warning error critical", "info warning error critical"),
        ("INFO", "info warning error critical", "info warning error critical"),
        ("WARNING", "warning error critical", "warning error critical"),
        ("ERROR", "error critical", "error critical"),
        ("SILENT", "critical", "critical"),
    ],
)
def test_a_level_leaves_out_what_is_below_it_and_details_of_other_libraries(level: str, ours: str, theirs: str) -> None:
    lines = [line.partition("] ")[2] for line in run(level, "text") if " of " in line.partition("] ")[2]]
    expected = [f"{name} of queueserver_manager.activity" for name in ours.split()]
    assert lines == expected + [f"{name} of grpc" for name in theirs.split()]


def test_the_text_form_is_the_one_of_the_tutorials_and_shows_what_could_break_a_line() -> None:
    lines = run("SILENT", "text")
    heads = [line for line in lines if line.startswith("[C ")]
    assert heads[2].endswith("queueserver_manager.activity] a\\nb\\x1b[31m\\u202e")
    date, time, logger = heads[2][3:].partition("]")[0].split(" ")
    assert len(date) == len("2022-02-17")
    assert len(time) == len("06:54:18,077")
    assert logger == "queueserver_manager.activity"
    below = lines[lines.index(heads[3]) + 1 :]
    assert below[0] == "Traceback (most recent call last):"
    assert "Line not formatted" in lines[-1]


def test_the_json_form_has_an_object_in_each_line() -> None:
    lines = run("SILENT", "json")
    parsed = [json.loads(line) for line in lines]
    assert parsed[-1]["message"].startswith("Line not formatted: TypeError")
    assert parsed[0].keys() == {"time", "level", "logger", "message"}
    assert parsed[0]["level"] == "CRITICAL"
    assert parsed[0]["time"].endswith("Z")
    assert (parsed[2]["event"], parsed[2]["user"]) == ("test", "jane\n")
    assert parsed[3]["traceback"].endswith("ValueError: first\nsecond")


def given(options: Sequence[str]) -> LogChoice:
    parser = argparse.ArgumentParser()
    add_log_options(parser)
    return read_log_options(parser.parse_args(options))


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ([], LogChoice("INFO", "text")),
        (["--verbose"], LogChoice("DEBUG")),
        (["--quiet"], LogChoice("WARNING")),
        (["--silent"], LogChoice("SILENT")),
        (["--log-level", "ERROR", "--log-format", "json"], LogChoice("ERROR", "json")),
    ],
)
def test_a_level_is_said_by_its_name_or_by_the_known_short_forms(options: list[str], choice: LogChoice) -> None:
    assert given(options) == choice
    assert given(choice.arguments) == choice


def test_two_levels_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        given(["--verbose", "--quiet"])
    assert "not allowed with" in capsys.readouterr().err


def test_a_process_whose_standard_error_is_gone_goes_on() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", PROGRAM, "DEBUG", "text"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, b"done\n")
