"""Where the startup code is and how it is treated: options that are checked here and handed on to the Worker.

Guarantees: exactly one source, the demo if none is given; a directory or file that does not exist is told before
anything starts.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from queueserver_standalone.errors import StandaloneError

SOURCES: Final = ("--startup-dir", "--startup-profile", "--startup-script", "--startup-module")
#: The demo startup code, which comes with this package as data.
_DEMO: Final = Path(__file__).resolve().with_name("demo_startup")


@dataclass(frozen=True, slots=True)
class Startup:
    """The startup code of one server."""

    #: The Worker's option: "--startup-dir", "--startup-script" or "--startup-module".
    option: str
    #: Absolute path, or name of a module.
    value: str
    #: It is our own demo.
    is_demo: bool = False
    #: Never make a RunEngine: startup code without one is then reported as such.
    keep_re: bool = False
    #: Whatever of the startup code can't be used keeps the environment from opening.
    strict: bool = False
    #: Levels of device trees that are listed; 0 for all.
    device_max_depth: int = 0

    @property
    def arguments(self) -> list[str]:
        """Arguments for the Worker."""
        flags = ((self.keep_re, "--keep-re"), (self.strict, "--strict-startup"))
        depth = ("--device-max-depth", str(self.device_max_depth)) if self.device_max_depth else ()
        return [self.option, self.value, *(flag for is_set, flag in flags if is_set), *depth]

    @property
    def directory(self) -> Path | None:
        """Directory in which files that belong to the startup code are looked for; None for a script or a module."""
        return Path(self.value) if self.option == "--startup-dir" else None


def add_startup_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `read_startup` reads what was given."""
    group = parser.add_argument_group("startup code", "One source; the demo if none is given.")
    group.add_argument("--startup-dir", metavar="DIR", type=_path, help="directory with startup files")
    group.add_argument("--startup-profile", metavar="NAME", help="startup directory of this IPython profile")
    group.add_argument("--startup-script", metavar="FILE", type=_path, help="startup code in a single file")
    group.add_argument("--startup-module", metavar="NAME", help="an installed module, by its dotted name")
    group.add_argument(
        "--ipython-dir",
        metavar="DIR",
        type=_path,
        help="where the IPython profiles are (default: $IPYTHONDIR, else ~/.ipython)",
    )
    group.add_argument(
        "--keep-re",
        action="store_true",
        help="never make a RunEngine: use the one of the startup code, or none",
    )
    group.add_argument(
        "--strict-startup",
        action="store_true",
        help="open no environment if a plan or device can't be used (default: leave it out and list it)",
    )
    group.add_argument(
        "--device-max-depth",
        type=_levels,
        default=0,
        metavar="N",
        help="levels of device trees that are listed: 1 for devices without components, 0 for all (default: 0)",
    )


def read_startup(given: argparse.Namespace) -> Startup:
    """Read the options of a parsed command line. Raises StandaloneError if they can't be used."""
    sources = [(name, value) for name in SOURCES if (value := getattr(given, name[2:].replace("-", "_"))) is not None]
    if len(sources) > 1:
        names = " and ".join(name for name, _ in sources)
        raise StandaloneError(f"{names} exclude each other. Choose one source of startup code.")
    option, value = sources[0] if sources else ("--startup-dir", _DEMO)
    if given.ipython_dir is not None and option != "--startup-profile":
        raise StandaloneError("--ipython-dir says where IPython profiles are. Name one by --startup-profile NAME.")
    if option == "--startup-profile":
        option, value = "--startup-dir", _profile(str(value), given.ipython_dir)
    _check(option, value)
    return Startup(option, str(value), not sources, given.keep_re, given.strict_startup, given.device_max_depth)


def belongs_to_demo(path: Path) -> bool:
    """Tell whether a file is, or would be, one of our demo."""
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
        raise StandaloneError(f"{value} may not be read. Allow it to the user who starts the server.")
    if option == "--startup-module" and not all(part.isidentifier() for part in str(value).split(".")):
        raise StandaloneError(f"'{value}' is no module. Give --startup-module a dotted name, such as beamline.startup.")


def _levels(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is no number of levels")
    return int(text)


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()
