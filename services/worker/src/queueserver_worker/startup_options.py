"""The options that say where startup code comes from and how it is treated; each command that loads some has them.

Guarantees: exactly one source is chosen; a missing directory is reported when the command starts, in one
sentence. What comes out are the arguments of the environment process, in which an IPython profile is a directory
like any other. Scripts and modules are searched only when an environment is opened.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOURCES: Final = ("--startup-dir", "--startup-profile", "--startup-script", "--startup-module")
KEEP_RE: Final = "--keep-re"
STRICT: Final = "--strict-startup"


class StartupOptionError(ValueError):
    """The options can't be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class StartupOptions:
    """Where the startup code is and how it is treated."""

    #: The option of the environment process: "--startup-dir", "--startup-script" or "--startup-module".
    kind: str
    #: Absolute path, or the dotted name of a module.
    value: str
    #: Never make a RunEngine.
    keep_re: bool = False
    #: Whatever of the startup code can't be used keeps the environment from opening.
    strict: bool = False
    #: Levels of device trees that are described where the startup code asks for nothing else; 0 for all.
    device_max_depth: int = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        """The same as arguments of the environment process."""
        flags = ((self.keep_re, KEEP_RE), (self.strict, STRICT))
        depth = ("--device-max-depth", str(self.device_max_depth)) if self.device_max_depth else ()
        return (self.kind, self.value, *(flag for is_set, flag in flags if is_set), *depth)


def add_startup_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `read_startup_options` reads what was given."""
    group = parser.add_argument_group("startup code", "Exactly one source.")
    group.add_argument("--startup-dir", type=absolute_path, metavar="DIR", help="directory with the startup files")
    group.add_argument("--startup-profile", metavar="NAME", help="the startup directory of this IPython profile")
    group.add_argument("--startup-script", type=absolute_path, metavar="FILE", help="a single file")
    group.add_argument("--startup-module", metavar="NAME", help="an installed module, by its dotted name")
    group.add_argument(
        "--ipython-dir",
        type=absolute_path,
        metavar="DIR",
        help="where the IPython profiles are (default: $IPYTHONDIR, else ~/.ipython)",
    )
    group.add_argument(
        KEEP_RE, action="store_true", help="never make a RunEngine: use the one of the startup code, or none"
    )
    group.add_argument(
        STRICT,
        action="store_true",
        help="open no environment if a plan or device of the startup code can't be used (default: leave it out)",
    )
    group.add_argument(
        "--device-max-depth",
        type=_levels,
        default=0,
        metavar="N",
        help="levels of device trees that are listed: 1 for devices without components, 0 for all (default: 0)",
    )


def read_startup_options(given: argparse.Namespace) -> StartupOptions:
    """Read the options of a parsed command line.

    Raises StartupOptionError if there is not exactly one source, or no such directory.
    """
    sources = [(name, value) for name in SOURCES if (value := getattr(given, name[2:].replace("-", "_"))) is not None]
    if len(sources) != 1:
        raise StartupOptionError(_wrong_number([name for name, _ in sources]))
    ((kind, value),) = sources
    if given.ipython_dir is not None and kind != "--startup-profile":
        raise StartupOptionError(f"--ipython-dir says where profiles are: leave it out, or {kind} for a profile's name")
    if kind == "--startup-profile":
        kind, value = "--startup-dir", profile_directory(value, given.ipython_dir)
    elif kind == "--startup-dir":
        check_directory(value)
    elif kind == "--startup-module":
        _check_module_name(value)
    return StartupOptions(kind, str(value), given.keep_re, given.strict_startup, given.device_max_depth)


def profile_directory(profile: str, ipython_directory: Path | None) -> Path:
    """Find the startup directory of an IPython profile. Raises StartupOptionError if there is none."""
    if not profile or os.sep in profile:
        raise StartupOptionError(f"'{profile}' is not a name of an IPython profile: give for example 'collection'")
    try:
        root = ipython_directory or absolute_path(os.environ.get("IPYTHONDIR") or "~/.ipython")
    except argparse.ArgumentTypeError as error:
        raise StartupOptionError(f"IPYTHONDIR: {error}") from None
    folder = root / f"profile_{profile}" / "startup"
    if not folder.is_dir():
        raise StartupOptionError(
            f"there is no directory {folder}: correct the profile's name, or say by --ipython-dir where profiles are"
        )
    return folder


def check_directory(folder: Path) -> None:
    """Raise StartupOptionError if a directory does not exist."""
    if not folder.is_dir():
        raise StartupOptionError(f"there is no directory {folder}: give --startup-dir a directory with startup files")


def _check_module_name(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")):
        raise StartupOptionError(
            f"'{name}' is not a name of a module: give --startup-module a dotted name, for example beamline.startup"
        )


def _wrong_number(sources: list[str]) -> str:
    if not sources:
        return f"say where the startup code is: give one of {', '.join(SOURCES)}"
    return f"{' and '.join(sources)} exclude each other: choose one source of startup code"


def _levels(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number of levels")
    return int(text)


def absolute_path(text: str) -> Path:
    """A path from where the command is started; ``~`` is the home directory. Raises ArgumentTypeError."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"this machine does not know the user of {text!r}") from None
