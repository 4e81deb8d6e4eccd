"""Another Python interpreter than our own: what it is, and whether an environment can run on it.

Nothing is installed there and nothing is written there. It is started once, to look at itself.
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

OPTION: Final = "--environment-python"
VARIABLE: Final = "ENVIRONMENT_PYTHON"
#: The oldest that our code can run on.
OLDEST_PYTHON: Final = (3, 10)
OLDEST_BLUESKY: Final = (1, 10)
#: What the environment imports besides bluesky; all of it comes with bluesky.
_NEEDED: Final = ("event_model", "msgpack", "numpy")
#: A cold interpreter on a slow network file system takes seconds.
_SECONDS: Final = 60.0
_MARK: Final = "queueserver-interpreter "
_EXAMPLE: Final = "/opt/conda/envs/beamline/bin/python"
# Old interpreters have to understand it, to say how old they are.
_LOOK: Final = f"""
import json, sys
facts = {{"version": list(sys.version_info[:3]), "missing": [], "bluesky": ""}}
facts["prefix"], facts["base_prefix"] = sys.prefix, getattr(sys, "base_prefix", "")
if sys.version_info >= {OLDEST_PYTHON}:
    import importlib.metadata, importlib.util
    facts["missing"] = [name for name in {("bluesky", *_NEEDED)!r} if importlib.util.find_spec(name) is None]
    try:
        facts["bluesky"] = importlib.metadata.version("bluesky")
    except Exception:
        pass
sys.stdout.write("\\n" + {_MARK!r} + json.dumps(facts) + "\\n")
"""


class InterpreterError(ValueError):
    """The environment can't run on an interpreter; the message is a sentence that names the way out."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter on which an environment can run."""

    #: Absolute; links are kept, because a virtual environment is found by the name of its interpreter.
    path: Path
    #: Major, minor, micro.
    version: tuple[int, ...]
    #: Where it is installed.
    prefix: Path
    #: Whether it is that of a virtual environment.
    is_virtual: bool = False

    @property
    def has_safe_path(self) -> bool:
        """Whether it knows the option ``-P``."""
        return self.version >= (3, 11)

    def variables(self, given: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment variables for a process of it: its programs are found before those of our own Python.

        It does not run the activation scripts of a conda environment.
        """
        ours = {"PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX"}
        variables = {name: value for name, value in given.items() if name not in ours}
        variables["PATH"] = os.pathsep.join(filter(None, (str(self.path.parent), given.get("PATH"))))
        if self.is_virtual:
            variables["VIRTUAL_ENV"] = str(self.prefix)
        if (self.prefix / "conda-meta").is_dir():
            variables["CONDA_PREFIX"] = str(self.prefix)
        return variables


@dataclass(frozen=True, slots=True)
class _Facts:
    """What an interpreter has said about itself."""

    version: tuple[int, ...]
    prefix: str
    base_prefix: str
    missing: tuple[str, ...]
    #: Version; empty if it is unknown.
    bluesky: str

    @property
    def python(self) -> str:
        return f"Python {_dotted(self.version)}"


def find_interpreter(text: str | Path, option: str = OPTION) -> Interpreter:
    """Examine the interpreter at a path; ``~`` is the home directory. Starts it once, for at most a minute.

    ``option`` is what the person who named it calls the setting. Raises InterpreterError.
    """
    try:
        path = _path(text)
        facts = _facts(path, _said(path))
        _refuse(path, facts)
    except InterpreterError as error:
        raise InterpreterError(f"{option}: {error}") from None
    return Interpreter(path, facts.version, Path(facts.prefix), is_virtual=facts.prefix != facts.base_prefix)


def _path(text: str | Path) -> Path:
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise InterpreterError(f"this machine does not know the user of '{text}'.") from None
    if path.is_dir():
        inside = next((path / name for name in ("bin/python", "bin/python3") if (path / name).exists()), None)
        remedy = f"Give {inside}." if inside else f"Give the interpreter in it, for example {_EXAMPLE}."
        raise InterpreterError(f"{path} is a directory. {remedy}")
    return path


def _said(path: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the operator names the interpreter
            [path, "-c", _LOOK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
            # Another installation's standard library would be taken for its own.
            env={name: value for name, value in os.environ.items() if name != "PYTHONHOME"},
            # Not where files may lie that have the names of libraries.
            cwd="/",
        )
    except FileNotFoundError:
        raise InterpreterError(
            f"there is no interpreter {path}. Give that of the beamline's environment, for example {_EXAMPLE}."
        ) from None
    except PermissionError:
        raise InterpreterError(
            f"{path} can't be executed. Correct its permissions, or name another interpreter."
        ) from None
    except subprocess.TimeoutExpired:
        raise InterpreterError(
            f"{path} did not answer for {_SECONDS:.0f} s. Run it by hand to see what it waits for."
        ) from None
    except OSError as error:
        why = (
            "is not a program for this machine" if error.errno == errno.ENOEXEC else f"can't be run ({error.strerror})"
        )
        raise InterpreterError(
            f"{path} {why}. Name an interpreter of this machine's architecture, for example {_EXAMPLE}."
        ) from None


def _facts(path: Path, done: subprocess.CompletedProcess[str]) -> _Facts:
    line = next((line for line in reversed(done.stdout.splitlines()) if line.startswith(_MARK)), None)
    try:
        said: dict[str, Any] = json.loads((line or "").removeprefix(_MARK))
        return _Facts(
            tuple(said["version"]), said["prefix"], said["base_prefix"], tuple(said["missing"]), said["bluesky"] or ""
        )
    except (ValueError, TypeError, KeyError):
        lines = [*done.stderr.splitlines(), *done.stdout.splitlines()]
        last = next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {done.returncode}")
        raise InterpreterError(
            f"{path} does not behave like Python ({last[:200]}). Name the interpreter of the beamline's "
            f"environment, for example {_EXAMPLE}."
        ) from None


def _refuse(path: Path, facts: _Facts) -> None:
    if facts.version < OLDEST_PYTHON:
        raise InterpreterError(
            f"{path} is {facts.python}, and the environment needs {_dotted(OLDEST_PYTHON)} or newer. "
            "Name a newer interpreter."
        )
    if "bluesky" in facts.missing:
        raise InterpreterError(
            f"{path} ({facts.python}) has no bluesky. Install bluesky {_dotted(OLDEST_BLUESKY)} or newer "
            "there, or name another interpreter."
        )
    if _is_too_old(facts.bluesky):
        raise InterpreterError(
            f"{path} has bluesky {facts.bluesky}, and the environment needs {_dotted(OLDEST_BLUESKY)} or "
            "newer. Install a newer one there, or name another interpreter."
        )
    if facts.missing:
        raise InterpreterError(
            f"{path} has bluesky, but not {' and '.join(facts.missing)}, which bluesky needs. Install bluesky "
            "there again."
        )


def _is_too_old(version: str) -> bool:
    """Whether a version is known to be too old. That of a checkout without tags begins with 0+."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) < OLDEST_BLUESKY


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
