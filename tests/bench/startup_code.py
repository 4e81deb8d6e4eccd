"""Startup code of the benchmarks: that of the demo, and plans that tell when they did what."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.harness.services import DEMO_STARTUP
from tests.harness.stack import short_directory


@contextlib.contextmanager
def bench_startup() -> Iterator[Path]:
    """Both in one folder."""
    with short_directory() as folder:
        for file in [*DEMO_STARTUP.iterdir(), *(Path(__file__).parent / "startup").iterdir()]:
            if file.is_file():
                shutil.copy(file, folder)
        yield folder
