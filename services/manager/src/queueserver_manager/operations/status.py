"""The status: rebuilt when something it shows has changed, and sent to every watcher."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from queueserver_manager.domain.blockers import Circumstances, request_sentence
from queueserver_manager.domain.lifecycle import TRANSITIONS, Environment, ManagerState
from queueserver_manager.domain.lock.lock import Lock
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.queue.setback import Setback
from queueserver_manager.domain.record import Revisions
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.storage import Storage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """Everything the status shows. Times are seconds since the epoch."""

    time: float = field(default=0.0, compare=False)
    state: ManagerState = ManagerState.INITIALIZING
    store_id: str = ""
    revisions: Revisions = field(default_factory=Revisions)
    items_in_queue: int = 0
    items_in_history: int = 0
    running_item_uid: str = ""
    stop_pending: bool = False
    mode: QueueMode = field(default_factory=QueueMode)
    autostart: bool = False
    head_held: bool = False
    head_problems: tuple[Violation, ...] = ()
    head_uid: str = ""
    #: What failed or was interrupted before.
    setback: Setback | None = None
    invalid_items: int = 0
    lock: Lock | None = None
    emergency_key_is_set: bool = False
    pause_pending: bool = False
    #: The pending pause is an immediate one.
    pause_at_once: bool = False
    environment: Environment = field(default_factory=Environment)
    #: Of the runs of the running item.
    runs_revision: str = ""
    #: Redis.
    storage: Storage = field(default_factory=Storage)
    worker_up: bool = False
    #: Why the Worker can't be reached, if that is known.
    worker_unreachable_because: str = ""
    #: The Worker's directory, as last reported.
    worker_storage: Storage = field(default_factory=Storage)
    is_owner: bool = False
    owner_address: str = ""
    epoch: int = 0
    #: Manager and Worker are open to every client that can reach them.
    insecure_listen: bool = False
    worker_insecure_listen: bool = False

    def warnings(self) -> list[str]:
        """What blocks nothing yet but needs attention."""
        places = (self.storage, self.worker_storage) if self.storage.is_up else (self.worker_storage,)
        asked = [request_sentence(self.lock)] if self.lock is not None and self.lock.request is not None else []
        return [place.message for place in places if place.message] + asked

    def circumstances(self) -> Circumstances:
        """What can block execution."""
        return Circumstances(
            is_owner=self.is_owner,
            owner_address=self.owner_address,
            storage=self.storage,
            worker_up=self.worker_up,
            worker_unreachable_because=self.worker_unreachable_because,
            state=self.state,
            environment=self.environment,
            items_in_queue=self.items_in_queue,
            head_held=self.head_held,
            head_problems=self.head_problems,
            head_uid=self.head_uid,
            setback=self.setback,
            autostart=self.autostart,
            pause_pending=self.pause_pending,
            pause_at_once=self.pause_at_once,
            stop_pending=self.stop_pending,
            lock=self.lock,
        )


class StatusBoard:
    """The present status. Several changes in one iteration of the event loop become one new status."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._collect: Callable[[], StatusFacts] = StatusFacts
        self._listeners: list[Callable[[StatusFacts], None]] = []
        self._scheduled = False
        self.facts = StatusFacts(time=now())

    def collect_from(self, collect: Callable[[], StatusFacts]) -> None:
        """Set who provides the facts, time included, from now on."""
        self._collect = collect
        self.changed()

    def listen(self, listener: Callable[[StatusFacts], None]) -> None:
        """Tell ``listener`` each new status."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[StatusFacts], None]) -> None:
        """Stop telling it; harmless if it was not registered."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def changed(self) -> None:
        """Something that the status shows may have changed."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._publish)

    def _publish(self) -> None:
        self._scheduled = False
        facts = self._collect()
        if facts == self.facts:
            return
        if facts.state is not self.facts.state and facts.state not in TRANSITIONS[self.facts.state]:
            _log.error("unexpected transition from %s to %s", self.facts.state.name, facts.state.name)
        self.facts = facts
        for listener in tuple(self._listeners):
            listener(self.facts)
