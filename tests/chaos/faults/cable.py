"""Faults of the connection between Managers and Worker on one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.chaos.cable import DIRECTIONS, Cable
from tests.chaos.faults.chance import Chance, Fault


class CableFaults:
    """What is done to a cable, which belongs to the event loop ``loop``."""

    def __init__(self, cable: Cable, loop: asyncio.AbstractEventLoop, chance: Chance) -> None:
        self._cable = cable
        self._loop = loop
        self._chance = chance
        self.kinds: dict[Fault, int] = {self._cut: 3, self._hang: 2, self._hang_one_way: 2, self._lose: 1}

    def _cut(self) -> str:
        self._in_loop(self._cable.cut())
        seconds = self._chance.for_a_while()
        self._in_loop(self._cable.mend())
        return f"no connection between Manager and Worker for {seconds:.2f} s"

    def _hang(self) -> str:
        return f"nothing passes between Manager and Worker for {self._hold(DIRECTIONS):.2f} s"

    def _hang_one_way(self) -> str:
        direction = self._chance.one_of(DIRECTIONS)
        return f"nothing passes to the {direction} for {self._hold((direction,)):.2f} s"

    def _hold(self, directions: tuple[str, ...]) -> float:
        self._in_loop(self._cable.hold(*directions))
        seconds = self._chance.for_a_while()
        self._in_loop(self._cable.flow())
        return seconds

    def _lose(self) -> str:
        directions = self._chance.one_of([DIRECTIONS, *((one,) for one in DIRECTIONS)])
        self._in_loop(self._cable.lose(*directions))
        return f"what the present connections carry to the {' and the '.join(directions)} is lost from now on"

    def _in_loop(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30.0)
