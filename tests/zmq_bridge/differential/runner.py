"""Makes written calls on both servers, looking at status and queue after each of them."""

from __future__ import annotations

from collections.abc import Iterable

from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.queue_calls import Written
from tests.zmq_bridge.differential.references import Executed, Known, refers_to, resolved
from tests.zmq_bridge.differential.settling import TASKS, settle
from tests.zmq_bridge.differential.states import KEY, fill, realign

#: Fewer items than these, and the queue is filled again.
_FEWEST = 4


class Runner:
    """Remembers what references in calls refer to."""

    def __init__(self, pair: Pair, *, refills: bool = False) -> None:
        self._pair = pair
        self._refills = refills
        self._known = Known({"items": [], "running_item": {}}, {"items": []})

    def run(self, calls: Iterable[Written]) -> None:
        """Make the calls."""
        for call in calls:
            self.make(call)

    def uid_of(self, reference: object) -> str:
        """What a reference refers to now."""
        return str(resolved(reference, self._known))

    def make(self, written: Written) -> None:
        """Make one call, and look at what it has caused."""
        pair, (method, params) = self._pair, written
        self._known.queue = pair.ask("queue_get")
        if self._refills and len(self._known.queue["items"]) < _FEWEST:
            fill(pair)
            self._known.queue = pair.ask("queue_get")
        if refers_to(params, Executed):
            self._known.history = pair.ask("history_get")
        call = pair.call(method, resolved(params, self._known))
        settle(pair, call)
        if method in TASKS:
            self._known.task = call.real.get("task_uid") or self._known.task
        pair.ask("status")
        if not pair.diverged:
            pair.ask("queue_get")
        if pair.diverged:
            realign(pair)


def with_key(calls: Iterable[Written], key: str = KEY) -> Iterable[Written]:
    """The same calls with the key of the lock."""
    for method, params in calls:
        yield method, {**params, "lock_key": key}
