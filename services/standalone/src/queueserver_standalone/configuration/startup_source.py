"""Where the startup code is and how it is treated: options that are checked here and passed on to the Worker.

Guarantees: there is exactly one source, the demo if none is given; a directory or file that does not exist is reported
before the parts start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from queueserver_process.interpreter import OPTION as INTERPRETER_OPTION
from queueserver_process.interpreter import InterpreterError, find_interpreter

from queueserver_standalone.configuration.choices import Choices, Said
from queueserver_standalone.configuration.option import absolute_path
from queueserver_standalone.configuration.option_table import BY_ID, SOURCES
from queueserver_standalone.errors import StandaloneError

#: The demo startup code, which comes with this package as data.
_DEMO: Final = Path(__file__).resolve().parents[1] / "demo_startup"
_BESIDE: Final = frozenset({"startup_script", "startup_module"})


@dataclass(frozen=True, slots=True)
class Startup:
    """The startup code of one server."""

    #: The Worker's option: "--startup-dir", "--startup-script" or "--startup-module".
    option: str
    #: Absolute path, or name of a module.
    value: str
    #: Whether it is our own demo.
    is_demo: bool = False
    #: Never make a RunEngine: startup code without one is reported instead.
    keep_re: bool = False
    #: Don't open the environment if a plan or device of the startup code can't be used.
    strict: bool = False
    #: Levels of device trees that are listed; 0 for all.
    device_max_depth: int = 0
    #: The startup directory of a profile that was given besides a script or module.
    profile_directory: Path | None = None
    #: The interpreter on which it runs; None for our own.
    python: Path | None = None

    @property
    def arguments(self) -> list[str]:
        """Arguments for the Worker."""
        flags = ((self.keep_re, "--keep-re"), (self.strict, "--strict-startup"))
        depth = ("--device-max-depth", str(self.device_max_depth)) if self.device_max_depth else ()
        python = (INTERPRETER_OPTION, str(self.python)) if self.python else ()
        return [self.option, self.value, *(flag for is_set, flag in flags if is_set), *depth, *python]

    @property
    def directory(self) -> Path | None:
        """Directory in which files that belong to the startup code are looked for; None if there is none."""
        return Path(self.value) if self.option == "--startup-dir" else self.profile_directory


def read_startup(choices: Choices) -> Startup:
    """Make it from the options. Raises StandaloneError if they can't be used."""
    sources = _sources_of(choices)
    # Besides a script or module, a profile only says where their other files are.
    beside = sources.pop("startup_profile") if _BESIDE & sources.keys() and "startup_profile" in sources else None
    if len(sources) > 1:
        names = " and ".join(said.name for said in sources.values())
        raise StandaloneError(f"{names} exclude each other. Choose one source of startup code.")
    source, said = next(iter(sources.items()), ("startup_dir", None))
    option, value = BY_ID[source].flag, str(said.value if said else _DEMO)
    ipython = choices.said.get("ipython_dir")
    if (
        ipython is not None
        and source != "startup_profile"
        and beside is None
        and (said is None or ipython.rank >= said.rank)
    ):
        raise StandaloneError(f"{ipython.name} says where IPython profiles are. Name one by --startup-profile NAME.")
    if source == "startup_profile":
        option, value = "--startup-dir", str(_profile(value, choices.path("ipython_dir")))
    _check(option, value)
    return Startup(
        option,
        value,
        is_demo=said is None,
        keep_re=choices.is_on("keep_re"),
        strict=_is_strict(choices),
        device_max_depth=choices.number("device_max_depth") or 0,
        profile_directory=_profile(str(beside.value), choices.path("ipython_dir")) if beside else None,
        python=_python(choices.said.get("environment_python")),
    )


def _sources_of(choices: Choices) -> dict[str, Said]:
    """The sources that take precedence: one on the command line replaces any in the file."""
    named = {source: choices.said[source] for source in SOURCES if source in choices.said}
    highest = max((said.rank for said in named.values()), default=None)
    return {source: said for source, said in named.items() if said.rank is highest}


def _is_strict(choices: Choices) -> bool:
    """Whether unusable plans and devices keep the environment from opening; the option has two names."""
    strict, ignore = choices.said.get("strict_startup"), choices.said.get("ignore_invalid_plans")
    if strict and ignore and strict.rank is ignore.rank and strict.value == ignore.value:
        raise StandaloneError(f"{strict.name} and {ignore.name} contradict each other. Give one of them.")
    ranked = [(said.rank, said.value is wanted) for said, wanted in ((strict, True), (ignore, False)) if said]
    return max(ranked)[1] if ranked else False


def _python(said: Said | None) -> Path | None:
    try:
        return find_interpreter(str(said.value), said.name).path if said else None
    except InterpreterError as error:
        raise StandaloneError(str(error)) from None


def belongs_to_demo(path: Path) -> bool:
    """Whether a path belongs to our demo, even if no file is there."""
    return path.parent.resolve() == _DEMO


def _profile(name: str, ipython_directory: Path | None) -> Path:
    root = ipython_directory or _path(os.environ.get("IPYTHONDIR") or "~/.ipython")
    folder = root / f"profile_{name}" / "startup"
    if not name or os.sep in name or not folder.is_dir():
        raise StandaloneError(
            f"There is no directory {folder}. Correct the profile's name, or say by --ipython-dir where profiles are."
        )
    return folder


def _check(option: str, value: str | Path) -> None:
    if option == "--startup-dir" and not Path(value).is_dir():
        raise StandaloneError(f"There is no directory {value}. Give --startup-dir a directory with startup files.")
    if option == "--startup-script" and not Path(value).is_file():
        raise StandaloneError(f"There is no file {value}. Give --startup-script a Python file.")
    if option != "--startup-module" and not os.access(value, os.R_OK):
        raise StandaloneError(f"{value} can't be read. Give read permission to the user who starts the server.")
    if option == "--startup-module" and not all(part.isidentifier() for part in str(value).split(".")):
        raise StandaloneError(
            f"'{value}' is not a module. Give --startup-module a dotted name, such as beamline.startup."
        )


def _path(text: str) -> Path:
    try:
        return absolute_path(text)
    except ValueError as error:
        raise StandaloneError(f"IPYTHONDIR {error}.") from None
