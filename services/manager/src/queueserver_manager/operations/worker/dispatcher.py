"""Hands accepted work to the Worker and accounts for its outcome: the same for plans and tasks.

Work is in the store before the Worker receives it, and its outcome is in the store before the Worker is told to forget
it. Each has its own id, the Worker starts an id once, and the ledger accounts for it once; so whatever is repeated
after a crash or a lost reply, nothing is executed twice unseen and nothing is lost.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar

from queueserver_inventory.access import Access

from queueserver_manager.domain.permissions.permission_errors import GroupNotFound
from queueserver_manager.domain.refusals.errors import NotReady
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.until_stored import until_stored
from queueserver_manager.operations.worker.worker_call import CallFailure, own_call
from queueserver_manager.worker_client.port import Worker, WorkerDown

W = TypeVar("W")
O = TypeVar("O")  # noqa: E741 - the outcome
_log = logging.getLogger(__name__)


class Dispatcher(ABC, Generic[W, O]):
    """Dispatches work, accounts for outcomes, acknowledges them. Subclasses say what is special about their kind.

    ``on_trouble`` makes the watcher compare the record with the Worker again; ``on_stale`` ends the term.
    """

    #: The kind, for the log.
    kind: str

    def __init__(
        self, ledger: Ledger, worker: Worker, on_trouble: Callable[[], None], on_stale: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._worker = worker
        self._on_trouble = on_trouble
        self._on_stale = on_stale
        self._jobs: set[asyncio.Task[None]] = set()
        #: What is on its way to the Worker, and that whose outcome is being stored.
        self._dispatching: set[str] = set()
        self._accounting: set[str] = set()
        #: That whose outcome is stored and which the Worker may forget.
        self._accounted: set[str] = set()

    @abstractmethod
    def _id_of(self, work: W) -> str:
        """The id under which the Worker starts it."""

    @abstractmethod
    def _id_of_outcome(self, outcome: O) -> str:
        """The id of the work that has this outcome."""

    @abstractmethod
    def _name_of(self, work: W) -> str:
        """What it is called in the log."""

    @abstractmethod
    def _group_of(self, work: W) -> str:
        """The user group in which it is executed."""

    @abstractmethod
    async def _send(self, work: W, access: Access) -> None:
        """Command the Worker to start it. Raises WorkerDown, WorkerRefused, StaleEpoch."""

    @abstractmethod
    def _not_started(self, work: W, why: str) -> O:
        """The outcome of what the Worker refused to start."""

    @abstractmethod
    async def _store(self, outcome: O) -> bool:
        """Store an outcome; returns whether something was started that takes the acknowledgement along.

        Raises StorageUnavailable, NotReady.
        """

    def dispatch(self, work: W) -> None:
        """Hand accepted work to the Worker. Safe to repeat.

        Not while it is on its way already, nor once it has an outcome: the Worker might start what it has just refused.
        """
        uid = self._id_of(work)
        if uid not in self._dispatching and uid not in self._accounting:
            self._dispatching.add(uid)
            self._spawn(self._dispatch(work, uid))

    def account(self, outcome: O) -> None:
        """Store an outcome. Safe to repeat."""
        uid = self._id_of_outcome(outcome)
        if uid not in self._accounting:
            self._accounting.add(uid)
            self._spawn(self._account(outcome, uid))

    def note_stored(self, uid: str) -> None:
        """Its outcome is stored: the next command takes the acknowledgement along."""
        self._accounted.add(uid)

    def forget(self, uids: Iterable[str]) -> None:
        """Tell the Worker that these outcomes are stored, or not ours to store."""
        self._accounted.update(uids)
        self._spawn(self._acknowledge())

    async def close(self) -> None:
        """Stop following; the next term, or the next start, continues from the store."""
        for job in tuple(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._done)

    def _done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception() is not None:
            _log.error("%s could not be followed", self.kind, exc_info=job.exception())
            self._on_trouble()

    async def _dispatch(self, work: W, uid: str) -> None:
        def failed(error: CallFailure) -> None:
            if isinstance(error, WorkerDown):
                _log.warning("%s: the Worker did not answer (%s)", self._name_of(work), error)
                self._on_trouble()
            else:
                self.account(self._not_started(work, error.message))

        try:
            access = self._ledger.permissions.access_for(self._group_of(work))
            await own_call(self._send(work, access), failed, self._on_stale)
        except GroupNotFound as error:
            self.account(self._not_started(work, error.message))
        finally:
            self._dispatching.discard(uid)

    async def _account(self, outcome: O, uid: str) -> None:
        try:
            # The Worker keeps the outcome until it is acknowledged, and so do we until it is stored.
            is_taken_along = await until_stored(self._ledger, lambda: self._store(outcome))
        except NotReady:
            return
        finally:
            self._accounting.discard(uid)
        self._accounted.add(uid)
        if not is_taken_along:
            await self._acknowledge()

    async def _acknowledge(self) -> None:
        def failed(error: CallFailure) -> None:
            # They stay noted: the next command, or the next snapshot, sends them again.
            _log.info("outcomes not acknowledged yet (%s)", error)

        uids = list(self._accounted)
        if uids and await own_call(self._worker.acknowledge(uids), failed, self._on_stale):
            self._accounted.difference_update(uids)
