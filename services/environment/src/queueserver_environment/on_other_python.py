"""Runs a module of ours on an interpreter that has none of our packages: ``on_other_python.py PLACES MODULE …``.

PLACES is a JSON object: where each of our packages is, by its name. They are found by their names alone, so that
nothing else that is installed beside them can be imported, and everything else is the interpreter's own.
"""

import importlib.machinery
import json
import runpy
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class OurPackages(MetaPathFinder):
    """Finds our packages, and nothing else.

    Parameters
    ----------
    places
        The directory that holds each package, by the package's name.

    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a package of ours; what is in it is found by Python."""
        place = self._places.get(fullname)
        if path is not None or place is None:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [place], target)


def main() -> None:
    """Run the module."""
    places, module = sys.argv[1:3]
    # As if the module had been named on the command line.
    del sys.argv[1:3]
    if not getattr(sys.flags, "safe_path", False):
        # The directory of this file.
        sys.path.pop(0)
    # Before what is installed there: a queueserver_environment of another release may be.
    sys.meta_path.insert(0, OurPackages(json.loads(places)))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
