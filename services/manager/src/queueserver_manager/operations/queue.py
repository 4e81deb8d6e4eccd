"""Edit, list, start and stop the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from queueserver_manager.domain import editing, executing
from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.errors import (
    BatchRefused,
    BatchTooLarge,
    EnvironmentClosed,
    InvalidRequest,
    InventoryEmpty,
    RefusedItem,
    RunEngineMissing,
    WorkerUnavailable,
)
from queueserver_manager.domain.item import Item, ItemKind, RunningItem
from queueserver_manager.domain.lifecycle import ALLOWED, Action, RunEngineState, check
from queueserver_manager.domain.placement import Address, ByUid, Position, address_index
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.submission import Submission
from queueserver_manager.domain.validation import check_item
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.ledger import Committed, Ledger
from queueserver_manager.operations.turns import next_turn
from queueserver_manager.operations.worker_view import WorkerView

M = TypeVar("M")
#: Bounds, documented in the contract.
QUEUE_LIMIT = 100_000
BATCH_LIMIT = 50_000
#: Items of a batch that are looked at before everybody else has a turn: well under a millisecond.
_ITEMS_PER_TURN = 10


@dataclass(frozen=True, slots=True)
class Found:
    """An item and its index in the queue; None if it is running."""

    item: Item
    index: int | None
    revision: int


class QueueOperations:
    """What clients may do with the queue. ``prepare`` encodes an item ahead of the commit that stores it."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        now: Callable[[], float],
        new_id: Callable[[], str],
        prepare: Callable[[Item, Submission], object],
    ) -> None:
        self._ledger = ledger
        self._view = view
        self._now = now
        self._new_id = new_id
        self._prepare = prepare

    async def add(
        self, caller: Caller, submission: Submission, position: Position
    ) -> tuple[Item, Committed[editing.Placed]]:
        """Add one item. Raises InvalidRequest, InventoryEmpty, ItemNotFound, QueueFull and the ledger's refusals."""
        item = self._make(caller, submission, "item")
        committed = await self._ledger.submit(lambda record: editing.add_items(record, [item], position, QUEUE_LIMIT))
        return item, committed

    async def add_batch(
        self, caller: Caller, messages: Sequence[M], read: Callable[[M, str], Submission], position: Position
    ) -> tuple[list[Item], Committed[editing.Placed]]:
        """Add several items, all or none; ``read`` takes one out of its message.

        Raises BatchRefused, BatchTooLarge and what :meth:`add` raises.
        """
        if len(messages) > BATCH_LIMIT:
            raise BatchTooLarge(
                f"A batch may have {BATCH_LIMIT} items and this one has {len(messages)}: send it in parts."
            )
        items: list[Item] = []
        refused: list[RefusedItem] = []
        for index, message in enumerate(messages):
            path = f"items[{index}]"
            try:
                items.append(self._make(caller, read(message, path), path))
            except InvalidRequest as error:
                refused.append(RefusedItem(index, error))
            if index % _ITEMS_PER_TURN == _ITEMS_PER_TURN - 1:
                await next_turn()
        if refused:
            raise BatchRefused(refused, len(messages))
        committed = await self._ledger.submit(lambda record: editing.add_items(record, items, position, QUEUE_LIMIT))
        return items, committed

    def _make(self, caller: Caller, submission: Submission, path: str) -> Item:
        """Check a submission and make an item of it."""
        inventory = self._ledger.inventory
        if submission.kind is ItemKind.PLAN and not inventory.plans:
            raise InventoryEmpty
        check_item(submission.kind, submission.name, submission.args or (), submission.kwargs or {}, inventory, path)
        item = Item(
            uid=self._new_id(),
            kind=submission.kind,
            name=submission.name,
            user=caller.user,
            user_group=caller.user_group,
            created=self._now(),
            args=submission.args,
            kwargs=submission.kwargs,
            meta=submission.meta,
            properties=submission.properties,
        )
        self._prepare(item, submission)
        return item

    async def get(self, address: Address) -> Found:
        """One item of the queue, or the running one by uid. Raises ItemNotFound, PositionOutOfRange."""

        def look(record: Record) -> Found:
            running = record.running
            if isinstance(address, ByUid) and running is not None and running.item.uid == address.uid:
                return Found(running.item, None, record.revisions.last)
            index = address_index(record, address)
            return Found(record.queue.at(index), index, record.revisions.last)

        return await self._ledger.read(look)

    async def remove(self, address: Address) -> Committed[editing.Taken]:
        """Take one item out. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
        return await self._ledger.submit(lambda record: editing.remove_item(record, address))

    async def move(self, source: Address, destination: Position) -> Committed[tuple[Item, editing.Placed]]:
        """Move one item. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
        return await self._ledger.submit(lambda record: editing.move_item(record, source, destination))

    async def clear(self) -> Committed[int]:
        """Take all items out."""
        return await self._ledger.submit(editing.clear_queue)

    async def start(self, caller: Caller) -> Committed[RunningItem | None]:
        """Start the queue; answers what was claimed.

        Raises InvalidState, EnvironmentClosed, RunEngineMissing, WorkerUnavailable.
        """

        def decide(record: Record) -> Decision[RunningItem | None]:
            self._require_executable(record)
            decision = executing.start_queue(record, caller.user, self._view.claimant())
            return Decision(decision.result.claimed, decision.changes, decision.events)

        return await self._ledger.submit(decide)

    def _require_executable(self, record: Record) -> None:
        view = self._view
        if not view.connected:
            raise WorkerUnavailable
        state = view.state(has_running_item=record.running is not None)
        if not view.environment.exists and state in ALLOWED[Action.START_QUEUE]:
            raise EnvironmentClosed("RE Worker environment does not exist: open it, then start the queue.")
        check(Action.START_QUEUE, state)
        if view.environment.run_engine is RunEngineState.NONE:
            raise RunEngineMissing

    async def stop(self, caller: Caller) -> Committed[None]:
        """Let the running item end and start no other. Raises InvalidState."""

        def decide(record: Record) -> Decision[None]:
            check(Action.STOP_QUEUE, self._view.state(has_running_item=record.running is not None))
            return executing.stop_queue(record, caller.user)

        return await self._ledger.submit(decide)

    async def cancel_stop(self, caller: Caller) -> Committed[None]:
        """Take a pending stop back."""
        return await self._ledger.submit(lambda record: executing.cancel_stop_queue(record, caller.user))

    async def read(self, look: Callable[[Record], Any]) -> Any:
        """Look at committed state."""
        return await self._ledger.read(look)
