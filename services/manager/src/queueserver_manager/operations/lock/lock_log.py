"""How a change of the lock appears in the log of what people did."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from queueserver_manager.domain.events import LockChange, LockChanged
from queueserver_manager.domain.lock.lock import Claim, Lock, LockRequest

#: Characters of a note that are shown.
_MOST_TEXT = 200


def lock_sentence(event: LockChanged, who: Callable[[str], str]) -> str:
    """What happened, in a sentence; ``who`` formats names."""
    told = _SENTENCES[event.change](event, who)
    note = " ".join((event.answer_note or _note_of(event)).split())
    return f"{told} ({note if len(note) <= _MOST_TEXT else note[:_MOST_TEXT] + '…'})" if note else told


def _note_of(event: LockChanged) -> str:
    claim = _claim(event.request if event.change is LockChange.REQUESTED else event.lock)
    told = event.change in {LockChange.ACQUIRED, LockChange.REQUESTED, LockChange.TAKEN_OVER}
    return claim.note if told and claim is not None else ""


def _claim(of: Lock | LockRequest | None) -> Claim | None:
    return of.claim if of is not None else None


def _parts(of: Lock | LockRequest | None) -> str:
    """What is locked, in words."""
    claim = _claim(of)
    if claim is None:
        return "nothing"
    return " and ".join(
        f"the {name}" for name, locked in (("environment", claim.environment), ("queue", claim.queue)) if locked
    )


def _holder(event: LockChanged, who: Callable[[str], str]) -> str:
    """Who held the lock before."""
    claim = _claim(event.previous)
    return who(claim.user) if claim is not None else "an unknown user"


def _asker(event: LockChanged, who: Callable[[str], str]) -> str:
    claim = _claim(event.request)
    return who(claim.user) if claim is not None else "an unknown user"


_SENTENCES: Mapping[LockChange, Callable[[LockChanged, Callable[[str], str]], str]] = {
    LockChange.ACQUIRED: lambda e, who: f"{who(e.user)} locked {_parts(e.lock)}",
    LockChange.RELEASED: lambda e, who: f"{who(e.user)} released the lock of {_holder(e, who)}",
    LockChange.RELEASED_BY_EMERGENCY_KEY: lambda e, who: (
        f"{who(e.user)} released the lock of {_holder(e, who)} with the emergency key"
    ),
    LockChange.EXPIRED: lambda e, who: f"The lease of the lock of {_holder(e, who)} ended: nothing is locked",
    LockChange.CLEARED: lambda e, who: f"The lock of {_holder(e, who)} was cleared in Redis",
    LockChange.RENEWED: lambda e, who: f"{who(e.user)} renewed the lease of the lock",
    LockChange.EXTENDED: lambda e, who: f"The lease of the lock of {_holder(e, who)} was extended by the server",
    LockChange.REQUESTED: lambda e, who: f"{who(e.user)} asks {_holder(e, who)} for the lock of {_parts(e.request)}",
    LockChange.TAKEN_OVER: lambda e, who: (
        f"{_asker(e, who)} took over the lock from {_holder(e, who)}: {_parts(e.lock)}"
    ),
    LockChange.REQUEST_REFUSED: lambda e, who: f"{who(e.user)} refused {_asker(e, who)} the lock",
    LockChange.REQUEST_WITHDRAWN: lambda e, who: f"{who(e.user)} no longer asks {_holder(e, who)} for the lock",
    LockChange.REQUEST_EXPIRED: lambda e, who: f"{_asker(e, who)} did not get the lock of {_holder(e, who)}",
}
