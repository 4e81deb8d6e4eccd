"""Where bluesky-queueserver and its clients are installed, in an environment that has nothing of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Made by `make test-zmq-bridge`, from the lock beside this file.
ENVIRONMENT: Final = Path(__file__).parents[3] / ".venv-zmq-clients"
PYTHON: Final = ENVIRONMENT / "bin" / "python"


def program(name: str) -> Path:
    """A program of the environment: qserver, start-re-manager, … Fails if the environment is not there."""
    path = ENVIRONMENT / "bin" / name
    assert path.exists(), f"{path} is not there: make test-zmq-bridge installs it"
    return path
