"""What another client waits for the status while something else goes on: nobody else's request should be felt."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from tests.bench import child
from tests.bench.figures import Figure, milliseconds, spread

#: From when to when something went on, by the monotonic clock.
Window = tuple[float, float]
_STATUS = "status of another client meanwhile"


class Waits:
    """Seconds that another client waited for each status while something of interest went on."""

    def __init__(self) -> None:
        self.windows: list[Window] = []
        #: Known when the other client has ended.
        self.samples: list[float] = []

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """What happens in here is of interest."""
        begin = time.monotonic()
        yield
        self.windows.append((begin, time.monotonic()))

    @property
    def seconds(self) -> list[float]:
        """How long each thing of interest took."""
        return [end - begin for begin, end in self.windows]

    def figures(
        self, aim: float, label: str = "status of another client meanwhile", existing: str = ""
    ) -> list[Figure]:
        """The longest wait, which has an aim in milliseconds, and p99."""
        return [
            Figure(f"{label}, max", max(self.samples) * 1000, "ms", aim=aim, existing=existing),
            Figure(f"{label}, p99", milliseconds(self.samples, 99), "ms", note=spread(self.samples)),
        ]


@contextlib.asynccontextmanager
async def another_client(address: str) -> AsyncIterator[Waits]:
    """A client in a process of its own that asks for the status without pause."""
    waits = Waits()
    async with child.start("tests.bench.prober", address) as prober:
        yield waits
        await prober.go()
        waits.samples = within(waits.windows, (await prober.result())["calls"])


def within(windows: Sequence[Window], calls: Sequence[tuple[float, float]]) -> list[float]:
    """Seconds of those calls, (beginning, seconds) each, that overlap a window."""
    return [took for began, took in calls if any(begin <= began + took and began <= end for begin, end in windows)]
