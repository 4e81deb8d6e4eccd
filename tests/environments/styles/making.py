"""The virtual environments of the styles: made once, kept between runs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.harness.services import COMMANDS
from tests.pythons import find

#: Written last, so that an interrupted installation is made again.
_READY = "ready"


class NotMadeError(Exception):
    """An environment could not be made; the message says why."""


def interpreter_of(version: str, packages: tuple[str, ...], directory: Path) -> Path:
    """The interpreter of an environment with these packages, made first if it is not there. Raises NotMadeError."""
    python = find(version)
    if python is None:
        raise NotMadeError(f"Python {version} is not installed here")
    wanted = "\n".join((python, *packages))
    place = directory / f"{version}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    if not (place / _READY).exists():
        shutil.rmtree(place, ignore_errors=True)
        _run(COMMANDS / "uv", "venv", "--quiet", "--python", python, place)
        _run(COMMANDS / "uv", "pip", "install", "--quiet", "--python", place / "bin" / "python", *packages)
        (place / _READY).write_text(wanted, "utf-8")
    return place / "bin" / "python"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMadeError((done.stderr or done.stdout).strip())
