"""What a benchmark yields: figures, each beside what we aim at and what the existing system does.

A figure is one number. Samples are kept in seconds and become milliseconds only here.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    #: What was measured, in a few words.
    label: str
    value: float
    unit: str
    #: What we aim at; None if there is no aim for this number.
    aim: float | None = None
    #: The aim is a lower bound, as for a rate.
    at_least: bool = False
    #: What bluesky-queueserver 0.0.25 does on a machine like this one.
    existing: str = ""
    #: How it came about: number of samples, spread, what else was seen.
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None without an aim."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.at_least else self.value <= self.aim


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least ``percent`` of all samples don't exceed. ValueError without samples."""
    if not samples:
        raise ValueError("there are no samples: what should have been measured did not happen")
    return sorted(samples)[max(0, math.ceil(len(samples) * percent / 100) - 1)]


def milliseconds(samples: Sequence[float], percent: float = 50) -> float:
    """A percentile of samples in seconds, in milliseconds."""
    return percentile(samples, percent) * 1000


def spread(samples: Sequence[float], scale: float = 1000, unit: str = "ms") -> str:
    """Samples in one line: how many, least, median, p99, most."""
    values = [sample * scale for sample in samples]
    middle = statistics.median(values)
    return (
        f"n={len(values)}, min {min(values):.3g}, median {middle:.3g}, "
        f"p99 {percentile(values, 99):.3g}, max {max(values):.3g} {unit}"
    )
