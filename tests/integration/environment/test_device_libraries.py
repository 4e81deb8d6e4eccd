"""A RunEngine of our own notes the versions of the device libraries, and imports them for nobody."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

MAKE = "from queueserver_environment.plans.run_engine import make_run_engine\nengine = make_run_engine()\n"
SECONDS = 60


def printed(code: str) -> str:
    """What code prints in a fresh interpreter, after a RunEngine was made there."""
    command = [sys.executable, "-c", f"import sys\n{code}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout.strip()


def test_a_library_is_imported_when_startup_code_does_it_and_not_before() -> None:
    assert printed(MAKE + "print([name for name in sys.modules if name.startswith('ophyd')])") == "[]"
    assert printed(MAKE + "import ophyd.sim, ophyd_async.core; print(ophyd.sim.det.name)") == "det"


@pytest.mark.parametrize("first", ["", "import ophyd\n"])
def test_versions_are_noted_as_if_the_libraries_were_imported(first: str) -> None:
    expected = {"ophyd": version("ophyd"), "ophyd_async": version("ophyd-async")}
    assert printed(first + MAKE + "print({k: v for k, v in engine.md['versions'].items() if 'ophyd' in k})") == str(
        expected
    )


def test_bluesky_notes_the_same_versions() -> None:
    ours = printed(MAKE + "print(sorted(engine.md['versions'].items()))")
    assert ours == printed("from bluesky import RunEngine; print(sorted(RunEngine({}).md['versions'].items()))")
