"""The unit for systemd in the documentation, as far as that can be seen without systemd."""

from __future__ import annotations

import configparser
import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS, REPOSITORY

PAGE = REPOSITORY / "docs" / "how-to" / "systemd.md"


@pytest.fixture
def service() -> configparser.SectionProxy:
    (text,) = re.findall(r"```ini\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as the documentation of configparser does
    unit.read_string(text)
    return unit["Service"]


def test_what_it_starts_runs_and_ends_in_good_order_when_systemd_stops_it(
    service: configparser.SectionProxy, short_path: Path
) -> None:
    (short_path / "startup").mkdir()
    (short_path / "startup" / "00.py").write_text("def nothing():\n    yield from ()\n")
    program, *options = shlex.split(service["ExecStart"].replace("%h", str(short_path)))
    command = [COMMANDS / Path(program).name, *options]
    variables = {"QSERVER_LISTEN": "127.0.0.1:0", "XDG_STATE_HOME": str(short_path), "XDG_RUNTIME_DIR": str(short_path)}
    process = TestProcess("the service", command, environment=variables)
    try:
        process.wait_ready()
        process.output.wait_for(f"Startup code: {short_path}/startup")
        # systemd takes the exit code 0 for a stop that went well, and signals the main process alone (KillMode=mixed).
        process.send(signal.SIGTERM)
        assert process.wait(float(service["TimeoutStopSec"])) == 0
    finally:
        process.close()
