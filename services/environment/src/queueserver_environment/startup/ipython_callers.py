"""Who asks for the IPython shell: code of a beamline, or a library that only checks whether there is one.

A library draws, prints and connects differently where IPython runs. None runs here, so libraries get the answer that
IPython itself gives without a shell. Installed packages that need Bluesky are part of a beamline's code.
"""

import sys
import sysconfig
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from types import FrameType
from typing import Final

_INSTALLED: Final = ("/site-packages/", "/dist-packages/")
_STANDARD: Final = tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib")})
_BLUESKY: Final = frozenset({"bluesky", "ophyd", "ophyd-async"})
_ENDS_OF_NAME: Final = " ;<>=!~[("


def asked_by_library(depth: int = 2) -> bool:
    """Whether the caller of the function that calls this is a library that has nothing to do with Bluesky."""
    try:
        frame: FrameType = sys._getframe(depth)  # noqa: SLF001 - the way to know who calls
    except ValueError:  # no Python caller: for example a call at the end of the process
        return True
    file = frame.f_code.co_filename.replace("\\", "/")
    if not any(place in file for place in _INSTALLED):
        return file.startswith(_STANDARD)
    return not _needs_bluesky(str(frame.f_globals.get("__name__", "")).partition(".")[0])


@cache
def _needs_bluesky(package: str) -> bool:
    """Whether an installed top-level package is of Bluesky, or says that it needs it."""
    names = _distributions(package)
    return not _BLUESKY.isdisjoint(names) or any(not _BLUESKY.isdisjoint(_needs(name)) for name in names)


def _distributions(package: str) -> set[str]:
    name = package.replace("_", "-").lower()
    try:
        requires(name)
    except (PackageNotFoundError, ValueError):
        return {found.replace("_", "-").lower() for found in packages_distributions().get(package, ())}
    return {name}


def _needs(distribution: str) -> set[str]:
    try:
        lines = requires(distribution) or []
    except PackageNotFoundError:
        return set()
    return {_name_in(line) for line in lines}


def _name_in(requirement: str) -> str:
    end = min((requirement.find(mark) for mark in _ENDS_OF_NAME if mark in requirement), default=len(requirement))
    return requirement[:end].replace("_", "-").lower()
