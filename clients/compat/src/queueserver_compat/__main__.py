"""``python -m queueserver_compat PROGRAM …`` or ``-m MODULE …``: run a program, unchanged, with the stand-in."""

import runpy
import sys
from pathlib import Path

from queueserver_compat import offer

_USAGE = """\
usage: python -m queueserver_compat PROGRAM [ARGUMENT …]
       python -m queueserver_compat -m MODULE [ARGUMENT …]
"""


def main() -> int:
    """Run the program; returns the exit code if there is none to run."""
    words = sys.argv[1:]
    is_module = words[:1] == ["-m"]
    words = words[is_module:]
    if not words or words[0].startswith("-"):
        is_help = words[:1] in (["-h"], ["--help"])
        (sys.stdout if is_help else sys.stderr).write(_USAGE)
        return 0 if is_help else 2
    offer()
    # As if Python had been started with it.
    sys.argv = words
    if is_module:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(words[0]).resolve().parent)
        runpy.run_path(words[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
