from __future__ import annotations

import sys
from pathlib import Path

from tests.harness.process import TestProcess
from tests.harness.services import REPOSITORY


def run_demo(temporary: Path, **environment: str) -> tuple[int, str]:
    # on a terminal of its own width, so that no line is broken where the test looks
    settings = {"TMPDIR": str(temporary), "COLUMNS": "200", **environment}
    command = [sys.executable, REPOSITORY / "examples" / "first_run.py"]
    process = TestProcess("demo", command, environment=settings, announces=False)
    code = process.wait(within=110)
    process.output.wait_until_ended()
    return code, str(process.output)


def test_the_demo_runs_plans_and_shows_what_became_of_them(short_path: Path) -> None:
    code, output = run_demo(short_path)
    assert code == 0, output
    assert output.count(": completed") == 3
    assert "failing_plan: failed" in output
    assert "The shutter did not open" in output
    assert "a new attempt (number 2) waits at the head of the queue" in output
    assert "make run" in output
    assert not list(short_path.glob("q*"))  # the server and the demo; ophyd.sim leaves a folder of its own


def test_the_demo_says_what_failed_and_shows_the_log(short_path: Path) -> None:
    broken = short_path / "path" / "queueserver_manager"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('this Manager is broken')", encoding="utf-8")
    code, output = run_demo(short_path, PYTHONPATH=str(broken.parent))
    assert code == 1
    assert "The demo did not work: The server did not start." in output
    assert "this Manager is broken" in output
    assert "Manager could not start" in output
