"""Virtual environments as beamlines have them: made once, kept between runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.environments.cells import Cell
from tests.harness.services import COMMANDS
from tests.pythons import find

#: Written last, so that an interrupted installation is made again.
_READY = "ready"


class NotMadeError(Exception):
    """An environment could not be made; the message says why."""


def interpreter_of(cell: Cell, directory: Path) -> Path:
    """The interpreter of an environment, which is made first if it is not there. Raises NotMadeError."""
    python = find(cell.python)
    if python is None:
        raise NotMadeError(f"Python {cell.python} is not installed here")
    place = directory / f"{cell.python}-{'-'.join(cell.name.replace(',', '').split())}"
    wanted = "\n".join((python, *cell.packages))
    mark = place / _READY
    if not mark.exists() or mark.read_text("utf-8") != wanted:
        shutil.rmtree(place, ignore_errors=True)
        _run(COMMANDS / "uv", "venv", "--quiet", "--python", python, place)
        _run(COMMANDS / "uv", "pip", "install", "--quiet", "--python", place / "bin" / "python", *cell.packages)
        mark.write_text(wanted, "utf-8")
    return place / "bin" / "python"


def contents(python: Path) -> set[Path]:
    """All files of an environment: nothing of ours is to be added to them."""
    place = python.parents[1]
    return {path for path in place.rglob("*") if "__pycache__" not in path.parts}


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMadeError((done.stderr or done.stdout).strip())
