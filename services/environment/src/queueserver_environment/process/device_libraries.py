"""Let a RunEngine be made without the device libraries, which it imports only to note their versions.

Importing both takes a second and a half and forty megabytes. Startup code that uses one imports it anyway; an
environment that uses neither opens that much sooner. What the RunEngine notes is the same.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

#: As modules; their distributions have the same names, with dashes.
_LIBRARIES: Final = ("ophyd", "ophyd_async")


@contextmanager
def set_aside() -> Iterator[None]:
    """Let an import of a library that is not imported yet fail as if it were not installed."""
    names = [name for name in _LIBRARIES if name not in sys.modules]
    # Python's own marker for a module that is not available.
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type] # None is that sign
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def note_versions(metadata: dict[str, Any]) -> None:
    """Complete the versions in a RunEngine's metadata by those of installed libraries."""
    versions = metadata["versions"]
    for name in _LIBRARIES:
        if name not in versions:
            try:
                versions[name] = version(name.replace("_", "-"))
            except PackageNotFoundError:
                continue
