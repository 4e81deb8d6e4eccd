"""Processor time: what a process used for its work, and what unrelated work took away while we measured.

Time spent waiting for a processor is in every duration that a benchmark measures, and only there. So each benchmark
tells how busy others kept the machine: figures of a busy machine say little. Resolution: 10 ms.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped]  # it has no type information


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _busy_seconds() -> float:
    """Processor time that the whole machine has used so far."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_seconds() -> float:
    """Processor time of this process and of all its children and grandchildren that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class Others:
    """Begin before a benchmark; ask when all its processes have ended."""

    _busy: float = field(default_factory=_busy_seconds)
    _own: float = field(default_factory=_own_seconds)

    def processors(self, seconds: float) -> float:
        """How many processors, on average over that time, unrelated work kept busy."""
        return max(0.0, (_busy_seconds() - self._busy) - (_own_seconds() - self._own)) / seconds
