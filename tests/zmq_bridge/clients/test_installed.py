"""What drives the bridge is of the release whose API it speaks, and nothing of ours is beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.zmq_bridge.clients.installed import PYTHON, program

_VERSION = "import importlib.metadata as m; print(m.version('bluesky-queueserver'))"


def test_the_release_that_is_compared_with_is_installed() -> None:
    told = subprocess.run([PYTHON, "-I", "-c", _VERSION], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "0.0.25"


@pytest.mark.parametrize("name", ["start-re-manager", "qserver", "qserver-console-monitor", "qserver-zmq-keys"])
def test_its_programs_run(name: str) -> None:
    told = subprocess.run([program(name), "--help"], capture_output=True, text=True, check=True)
    assert "usage" in told.stdout.lower()


@pytest.mark.parametrize("ours", ["queueserver_client", "queueserver_zmq_bridge", "queueserver"])
def test_nothing_of_ours_is_installed_there(ours: str) -> None:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({ours!r}) is not None)"
    assert subprocess.run([PYTHON, "-I", "-c", code], check=False).returncode == 0
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 1
