"""State of Redis: from Redis' own answers, and from the process that keeps it running, if that reports it.

Whether Redis takes changes is decided by its own answers alone. Why it does not is better known to the process that
finds its disk full; a Redis that takes changes on an almost full disk is reported, too. So is one that is not heard of:
changes are tried nevertheless.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from queueserver_manager.domain.storage import Fault, Notice, Storage, StorageState, sentence

_log = logging.getLogger(__name__)


class StorageWatch:
    """Redis as it is at this moment. ``on_change`` is called for each change."""

    def __init__(self, location: str, now: Callable[[], float], on_change: Callable[[], None] = lambda: None) -> None:
        """``location`` is the address of Redis, without a password."""
        self._now = now
        self._on_change = on_change
        self._notice = Notice(StorageState.OK)
        #: Why Redis takes no changes; None while it takes them.
        self.fault: Fault | None = None
        #: Why nothing is heard of it. That is told, and refuses nothing: what is asked of it may work.
        self._silence: Fault | None = None
        self.present = Storage(location=location)

    def note(self, fault: Fault | None) -> None:
        """Redis did what it was asked to (None), or failed."""
        if fault != self.fault:
            self.fault = fault
            self._judge()

    def heard(self, silence: Fault | None) -> None:
        """Redis responds (None), or nothing is heard of it."""
        if silence != self._silence:
            self._silence = silence
            self._judge()

    def told(self, notice: Notice) -> None:
        """The process that keeps Redis running reports how it and its disk are."""
        if self._notice.is_trouble and not notice.is_trouble and self.fault is not None:
            # It has just been started, and has not answered us yet.
            self.fault = Fault(StorageState.LOADING)
        self._notice = notice
        self._judge()

    def _judge(self) -> None:
        state, message = self._state()
        before, notice = self.present, self._notice
        since = before.since if state is before.state else self._now()
        self.present = replace(
            before,
            state=state,
            message=message,
            since=None if state is StorageState.OK else since,
            free_bytes=notice.free_bytes,
            needed_bytes=notice.needed_bytes,
        )
        if self.present == before:
            return
        if state is not before.state:
            self._tell(before)
        self._on_change()

    def _state(self) -> tuple[StorageState, str]:
        notice = self._notice
        problem = self.fault or self._silence
        if problem is None:
            return (StorageState.OK, "") if notice.is_trouble else (notice.state, notice.message)
        if notice.is_trouble:
            return notice.state, notice.message
        return problem.state, sentence(problem, self.present.location)

    def _tell(self, before: Storage) -> None:
        if not self.present.is_up:
            _log.error("%s Changes may be refused until then; a plan that runs continues.", self.present.message)
        elif not before.is_up:
            _log.info("Redis takes changes again")
