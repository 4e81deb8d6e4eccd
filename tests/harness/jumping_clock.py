"""Run a service whose wall clock jumps when the test says so; what measures durations is left alone.

    python -m tests.harness.jumping_clock FILE MODULE [ARGUMENT…]

The file holds the seconds by which the clock is wrong.
"""

from __future__ import annotations

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path

_FORM = struct.Struct("d")


def set_clock(file: Path, seconds: float) -> None:
    """Let the clock of every service that has this file be wrong by so much."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(_FORM.pack(seconds))


def main() -> None:
    """Put the wrong clock in the place of the right one, and run the module."""
    file, module, *arguments = sys.argv[1:]
    with Path(file).open("rb") as opened:
        offset = mmap.mmap(opened.fileno(), _FORM.size, access=mmap.ACCESS_READ)
    right = time.time
    time.time = lambda: right() + _FORM.unpack_from(offset)[0]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
