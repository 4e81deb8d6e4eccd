"""Compares two answers: equal, after uids were replaced by their partners on the other side, and times by nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.zmq_bridge.differential.messages import disagreement

_UID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIMES: Final = {"time", "time_start", "time_stop"}
#: In the place of a value that one side does not have.
MISSING: Final = "(nothing)"


@dataclass(frozen=True)
class Mismatch:
    """A place where the answers differ, as names and indices from the outside in."""

    path: tuple[str | int, ...]
    real: Any
    ours: Any
    #: A uid that is new there, while ours is the one that was seen before.
    is_renewed: bool = False

    def __str__(self) -> str:
        place = ".".join(map(str, self.path)) or "(the answer)"
        return f"{place}: {self.real!r:.600} there, {self.ours!r:.600} here"


class Partners:
    """Which uid of our server stands for which of the real one: the n-th that is seen here for the n-th there."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def fit(self, real: str, ours: str) -> bool:
        """Whether two uids are partners; two that are new become partners."""
        if real not in self._ours and ours not in self._real:
            self.join(real, ours)
        return self._ours.get(real) == ours

    def is_renewed(self, real: str, ours: str) -> bool:
        """Whether the one there is new, and ours is not."""
        return real not in self._ours and ours in self._real

    def join(self, real: str, ours: str) -> None:
        """Make them partners, whatever they were."""
        self._real.pop(self._ours.pop(real, ""), None)
        self._ours.pop(self._real.pop(ours, ""), None)
        self._ours[real], self._real[ours] = ours, real

    def for_ours(self, value: Any) -> Any:
        """A value of a request with the uids that our server knows."""
        return _replaced(value, self._ours)

    def for_real(self, value: Any) -> Any:
        """A value of our server with the uids that the real one knows."""
        return _replaced(value, self._real)


def mismatches(real: Any, ours: Any, partners: Partners, path: tuple[str | int, ...] = ()) -> Iterator[Mismatch]:
    """All places where two values differ."""
    if isinstance(real, dict) and isinstance(ours, dict):
        ours = {partners.for_real(key): value for key, value in ours.items()}
        for key in (*real, *(key for key in ours if key not in real)):
            yield from _entry(key, real, ours, partners, (*path, key))
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for index, (first, second) in enumerate(zip(real, ours, strict=True)):
            yield from mismatches(first, second, partners, (*path, index))
    elif isinstance(real, str) and isinstance(ours, str) and is_uid(real) and is_uid(ours):
        if not partners.fit(real, ours):
            yield Mismatch(path, real, ours, is_renewed=partners.is_renewed(real, ours))
            if path[-1] != "item_uid":  # a marker; whatever they stand for now is the same for both
                partners.join(real, ours)
    elif type(real) is not type(ours) or real != ours:
        yield Mismatch(path, real, ours)


def _entry(
    key: str, real: dict[str, Any], ours: dict[str, Any], partners: Partners, path: tuple[str | int, ...]
) -> Iterator[Mismatch]:
    if key not in real or key not in ours:
        yield Mismatch(path, real.get(key, MISSING), ours.get(key, MISSING))
        return
    first, second = real[key], ours[key]
    if key == "status_uid":
        return
    if key in _TIMES:
        if type(first) is not type(second):
            yield Mismatch(path, first, second)
    elif key == "time_str":
        if bool(first) != bool(second):
            yield Mismatch(path, first, second)
    elif key in {"msg", "traceback"}:
        if disagreement(first, second):
            yield Mismatch(path, first, second)
    else:
        yield from mismatches(first, second, partners, path)


def is_uid(value: object) -> bool:
    """Whether it is text in the form of a uid."""
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def _replaced(value: Any, by: dict[str, str]) -> Any:
    if isinstance(value, str):
        return by.get(value, value)
    if isinstance(value, list):
        return [_replaced(entry, by) for entry in value]
    if isinstance(value, dict):
        return {_replaced(key, by): _replaced(entry, by) for key, entry in value.items()}
    return value
