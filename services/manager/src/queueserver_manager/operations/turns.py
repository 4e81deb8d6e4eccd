"""Long work in turns, so that nobody else waits for all of it."""

from __future__ import annotations

from collections.abc import Generator


class _NextTurn:
    def __await__(self) -> Generator[None, None, None]:
        yield


def next_turn() -> _NextTurn:
    """Awaited, lets everything else that is ready run once."""
    return _NextTurn()
