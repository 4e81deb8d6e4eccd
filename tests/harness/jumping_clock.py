"""Run a service whose wall clock jumps when the test says so; what measures durations is left alone.

    python -m tests.harness.jumping_clock FILE MODULE [ARGUMENT…]

The file holds the seconds by which the clock is wrong. What the service starts has the right time. Programs that are
not Python get a library that does the same, :func:`preloaded`.
"""

from __future__ import annotations

import mmap
import runpy
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

_FORM = struct.Struct("d")
_NANOSECONDS = 1_000_000_000
_COMPILER = "cc"


def set_clock(file: Path, seconds: float) -> None:
    """Let the clock of every service that has this file be wrong by so much."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(_FORM.pack(seconds))


def can_be_preloaded() -> bool:
    """There is what :func:`preloaded` needs: a C compiler."""
    return shutil.which(_COMPILER) is not None


def preloaded(file: Path) -> dict[str, str]:
    """Environment variables that give a program this clock. The library is made beside the file."""
    library = file.with_suffix(".so")
    source = Path(__file__).with_suffix(".c")
    subprocess.run([_COMPILER, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    return {"LD_PRELOAD": str(library), "JUMPING_CLOCK": str(file)}


def main() -> None:
    """Put the wrong clock in the place of the right one, and run the module."""
    file, module, *arguments = sys.argv[1:]
    with Path(file).open("rb") as opened:
        offset = mmap.mmap(opened.fileno(), _FORM.size, access=mmap.ACCESS_READ)
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + _FORM.unpack_from(offset)[0]
    time.time_ns = lambda: right_ns() + int(_FORM.unpack_from(offset)[0] * _NANOSECONDS)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
