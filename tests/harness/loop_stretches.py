"""Run a service whose event loop tells how long the longest stretch was in which nobody else had a turn.

    python -m tests.harness.loop_stretches SOCKET MODULE [ARGUMENT…]

Between ``begin`` and ``end`` on the unix socket the loop comes back to a step of ours each time it has gone around, and
the processor time of its thread in between is a stretch. So neither what other processes do nor a machine with much
to do makes a stretch longer.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import threading
import time
import traceback
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: Seconds of wall time after which it is noted now and again what the loop is doing.
_LONG = 0.004


@dataclass(frozen=True)
class Stretch:
    """The longest stretch: processor time of the loop's thread in seconds, and where it was seen to be."""

    seconds: float
    place: str = ""


class Meter:
    """Measures stretches of the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._on = False
        self._begun = self._last = 0.0
        self._seen: list[str] = []
        self.longest = Stretch(0.0)

    def begin(self) -> None:
        """Measure from now on."""
        self.longest, self._on, self._last = Stretch(0.0), True, time.thread_time()
        threading.Thread(target=self._observe, daemon=True).start()
        self._loop.call_soon(self._step)

    def end(self) -> Stretch:
        """Measure no more."""
        self._on = False
        return self.longest

    def _step(self) -> None:
        now = time.thread_time()
        if now - self._last > self.longest.seconds:
            self.longest = Stretch(now - self._last, "\n".join(self._seen))
        self._last, self._seen, self._begun = now, [], time.perf_counter()
        if self._on:
            self._loop.call_soon(self._step)

    def _observe(self) -> None:
        pause = threading.Event()
        while self._on:
            pause.wait(_LONG)
            taken = time.perf_counter() - self._begun
            frame = sys._current_frames().get(self._thread)
            if taken > _LONG and frame is not None:
                place = " < ".join(f"{f.name} {Path(f.filename).name}:{f.lineno}" for f in _innermost(frame))
                self._seen.append(f"after {taken * 1000:.0f} ms: {place}")


async def _serve(meter: Meter, socket: str) -> asyncio.Server:
    async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while command := await reader.readline():
            if command == b"begin\n":
                meter.begin()
            writer.write(json.dumps(asdict(meter.end() if command == b"end\n" else meter.longest)).encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(obey, socket)


def _innermost(frame: Any) -> list[traceback.FrameSummary]:
    return traceback.extract_stack(frame)[:-6:-1]


class LoopStretches:
    """The other side: asks a service that runs under this module."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def begin(self) -> None:
        """Measure from now on."""
        self._reader, self._writer = await asyncio.open_unix_connection(self._socket)
        await self._ask(b"begin\n")

    async def end(self) -> Stretch:
        """The longest stretch since the beginning."""
        stretch = Stretch(**await self._ask(b"end\n"))
        self._writer.close()
        await self._writer.wait_closed()
        return stretch

    async def _ask(self, command: bytes) -> Any:
        self._writer.write(command)
        return json.loads(await self._reader.readline())


def main() -> None:
    """Run a service under a meter."""
    socket, module = sys.argv[1:3]
    main: Any = importlib.import_module(f"{module}.__main__").main
    # The module in which the command is, whose event loop is begun by its name `run`.
    service: Any = importlib.import_module(main.__module__)
    run = service.run

    async def measured(work: Coroutine[Any, Any, int]) -> int:
        server = await _serve(Meter(), socket)
        try:
            return await work
        finally:
            server.close()

    service.run = lambda work: run(measured(work))
    sys.argv = [module, *sys.argv[3:]]
    sys.exit(main())


if __name__ == "__main__":
    main()
