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
#: Older ones have another form of texts and bytes.
OLDEST_MSGPACK: Final = (1, 0)
#: What the environment imports besides bluesky; all of it comes with bluesky.
_NEEDED: Final = ("event_model", "msgpack", "numpy")
#: A cold interpreter on a slow network file system takes seconds.
_SECONDS: Final = 60.0
_MARK: Final = "queueserver-interpreter "
_EXAMPLE: Final = "/opt/conda/envs/beamline/bin/python"
# Old interpreters have to understand it, to say how old they are.
_LOOK: Final = f"""
import sys
# Files in the current directory may have the names of libraries.
sys.path = [place for place in sys.path if place]
import json
facts = {{"version": list(sys.version_info[:3]), "missing": [], "bluesky": "", "msgpack": ""}}
facts["prefix"], facts["base_prefix"] = sys.prefix, getattr(sys, "base_prefix", "")
facts["executable"] = sys.executable
if sys.version_info >= {OLDEST_PYTHON}:
    import importlib.metadata, importlib.util
    facts["missing"] = [name for name in {("bluesky", *_NEEDED)!r} if importlib.util.find_spec(name) is None]
    for name in ("bluesky", "msgpack"):
        try:
            facts[name] = importlib.metadata.version(name)
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
    #: Where it and its programs are, if the path is that of a script which starts it.
    programs: Path | None = None

    @property
    def has_safe_path(self) -> bool:
        """Whether it knows the option ``-P``."""
        return self.version >= (3, 11)

    def variables(self, given: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment variables for a process of it: its programs are found before those of our own Python.

        It does not run the activation scripts of a conda environment.
        """
        ours = {"PYTHONHOME", "PYTHONINSPECT", "VIRTUAL_ENV", "CONDA_PREFIX"}
        variables = {name: value for name, value in given.items() if name not in ours}
        programs = self.programs or self.path.parent
        variables["PATH"] = os.pathsep.join(filter(None, (str(programs), given.get("PATH"))))
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
    #: Where the interpreter is; empty if it does not know.
    executable: str
    missing: tuple[str, ...]
    #: Versions; empty if they are unknown.
    bluesky: str
    msgpack: str

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
    programs = Path(facts.executable).parent if facts.executable else path.parent
    return Interpreter(
        path,
        facts.version,
        Path(facts.prefix),
        is_virtual=facts.prefix != facts.base_prefix,
        programs=None if programs == path.parent else programs,
    )


def _path(text: str | Path) -> Path:
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise InterpreterError(f"this machine does not know the user of '{text}'.") from None
    if path.is_dir():
        names = ("bin/python", "bin/python3", "python", "python3")
        inside = next((path / name for name in names if (path / name).is_file()), None)
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
            env=_variables(),
        )
    except FileNotFoundError:
        raise InterpreterError(
            f"{_absence(path)}. Give that of the beamline's environment, for example {_EXAMPLE}."
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
        if error.errno == errno.ENOEXEC:
            raise InterpreterError(
                f"{path} is not a program for this machine. Name an interpreter of this machine's architecture, for "
                f"example {_EXAMPLE}."
            ) from None
        raise InterpreterError(
            f"{path} can't be run ({error.strerror}). Name another interpreter, for example {_EXAMPLE}."
        ) from None


def _variables() -> dict[str, str]:
    # Another installation's standard library would be taken for its own.
    variables = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONINSPECT"}}
    # From 3.13 on it imports a module before the code that it is given: not from the current directory. Older ones than
    # 3.11 do not know this, and go on.
    return {**variables, "PYTHONSAFEPATH": "1"}


def _absence(path: Path) -> str:
    """Say what is not there."""
    if path.exists():
        return f"{path} can't be run, because the program that its first line names is not there"
    if path.is_symlink():
        return f"there is no interpreter {path}: it is a link to {path.readlink()}, which is not there"
    return f"there is no interpreter {path}"


def _facts(path: Path, done: subprocess.CompletedProcess[str]) -> _Facts:
    # Code that runs when it starts may have turned one stream into the other.
    said = [*done.stderr.splitlines(), *done.stdout.splitlines()]
    line = next((line for line in reversed(said) if line.startswith(_MARK)), None)
    try:
        facts: dict[str, Any] = json.loads((line or "").removeprefix(_MARK))
        return _Facts(
            tuple(facts["version"]),
            facts["prefix"],
            facts["base_prefix"],
            facts["executable"] or "",
            tuple(facts["missing"]),
            facts["bluesky"] or "",
            facts["msgpack"] or "",
        )
    except (ValueError, TypeError, KeyError):
        last = next((line.strip() for line in reversed(said) if line.strip()), f"exit code {done.returncode}")
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
        virtual = _virtual_target(path)
        remedy = f"Install bluesky {_dotted(OLDEST_BLUESKY)} or newer there, or name another interpreter."
        if virtual is not None:
            remedy = f"It is a link to {virtual}, which is in its virtual environment only by that name: give that."
        raise InterpreterError(f"{path} ({facts.python}) has no bluesky. {remedy}")
    for name, version, oldest in (
        ("bluesky", facts.bluesky, OLDEST_BLUESKY),
        ("msgpack", facts.msgpack, OLDEST_MSGPACK),
    ):
        if _is_too_old(version, oldest):
            raise InterpreterError(
                f"{path} has {name} {version}, and the environment needs {_dotted(oldest)} or newer. Install a newer "
                "one there, or name another interpreter."
            )
    if facts.missing:
        raise InterpreterError(
            f"{path} has bluesky, but not {' and '.join(facts.missing)}, which bluesky needs. Install bluesky "
            "there again."
        )


def _virtual_target(path: Path) -> Path | None:
    """Find the interpreter in a virtual environment to which a path links; by another name it is not in it."""
    while path.is_symlink():
        path = Path(os.path.normpath(path.parent / path.readlink()))
        if (path.parent.parent / "pyvenv.cfg").is_file():
            return path
    return None


def _is_too_old(version: str, oldest: tuple[int, ...]) -> bool:
    """Whether a version is known to be too old. That of a checkout without tags begins with 0+."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) < oldest


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
