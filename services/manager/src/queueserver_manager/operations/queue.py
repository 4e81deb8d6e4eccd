"""Edit the queue. Each operation returns the reply made of its result, once that is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from queueserver_long_work.work import Work

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.limits import QUEUE, Bound
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue import batches, queue_edits
from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.placement import Address, ByUid, Placed, Position, address_index, uid_index
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.commit_batch import Decide
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.prepared_decisions import submit_prepared
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.validation.submissions import Submissions
from queueserver_manager.operations.watch.item_watches import ItemStatus, ItemWatches, state_in_queue

M = TypeVar("M")
ItemPlaced = tuple[Item, Placed]
ItemsPlaced = tuple[Sequence[Item], Placed]


class QueueOperations:
    """What clients may do with the queue. Every method raises the ledger's refusals besides its own."""

    def __init__(
        self,
        ledger: Ledger,
        submissions: Submissions,
        following: ItemWatches,
        check_again: Callable[[], None],
        bound: Bound = QUEUE,
    ) -> None:
        self._ledger = ledger
        self._submissions = submissions
        self._following = following
        #: Has the whole queue checked, once what is being decided is stored.
        self._check_again = check_again
        #: How much clients may put into the queue.
        self._bound = bound

    async def add(
        self, caller: Caller, submission: Submission, position: Position, reply: ReplySpec[ItemPlaced]
    ) -> bytes:
        """Add one item. Raises InvalidRequest, PlanNotFound, InventoryEmpty, ItemNotFound, QueueFull."""

        async def prepare() -> Decide[ItemPlaced]:
            basis = self._basis()
            item = self._submissions.make(caller, submission)

            def decide(record: Record) -> Decision[ItemPlaced]:
                self._note_basis(basis)
                decision = queue_edits.add_items(record, [item], position, self._bound)
                return Decision((item, decision.result), decision.changes, decision.events)

            return decide

        return await submit_prepared(self._ledger, reply, prepare)

    async def add_batch(
        self,
        caller: Caller,
        messages: Sequence[M],
        read: Callable[[M, str], Work[Submission]],
        position: Position,
        reply: ReplySpec[ItemsPlaced],
    ) -> bytes:
        """Add several items, all or none. Raises BatchRefused and what :meth:`add` raises."""

        async def prepare() -> Decide[ItemsPlaced]:
            basis = self._basis()
            parts = await self._submissions.make_batch(caller, messages, read)
            items = list(chain.from_iterable(parts))

            def decide(record: Record) -> Work[Decision[ItemsPlaced]]:
                self._note_basis(basis)
                decision = yield from batches.add_batch(record, parts, position, self._bound)
                return Decision((items, decision.result), decision.changes, decision.events)

            return decide

        return await submit_prepared(self._ledger, reply, prepare)

    async def update(
        self,
        caller: Caller,
        uid: str,
        submission: Submission,
        fields: AbstractSet[str],
        reply: ReplySpec[ItemPlaced],
        *,
        new_uid: bool,
    ) -> bytes:
        """Replace some fields of an item, by their names in the contract.

        Raises InvalidRequest, PlanNotFound, ItemNotFound, ItemRunning, QueueFull.
        """

        def decide(record: Record) -> Decision[ItemPlaced]:
            old = record.queue.at(uid_index(record, uid))
            item = self._submissions.make(caller, submission.over(old, fields), uid="" if new_uid else uid)
            return queue_edits.update_item(record, uid, item, self._bound)

        return (await self._ledger.submit(decide, reply)).answer

    def _basis(self) -> tuple[Inventory, Permissions]:
        """What items are checked against now."""
        return self._ledger.inventory, self._ledger.permissions

    def _note_basis(self, basis: tuple[Inventory, Permissions]) -> None:
        """Items enter the queue now: if they were checked against something else, no check of the queue saw them."""
        if self._ledger.inventory is not basis[0] or self._ledger.permissions is not basis[1]:
            self._check_again()

    async def get(self, address: Address) -> ItemStatus:
        """One item of the queue, or by uid wherever it is. Raises ItemNotFound, PositionOutOfRange."""
        if isinstance(address, ByUid):
            return await self._following.look(address.uid)

        def look(record: Record) -> ItemStatus:
            index = address_index(record, address)
            item = record.queue.at(index)
            return ItemStatus(state_in_queue(item), item, record.revisions.last, index=index)

        return await self._ledger.read(look)

    async def remove(self, address: Address, reply: ReplySpec[queue_edits.Taken]) -> bytes:
        """Take one item out. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
        return (await self._ledger.submit(lambda record: queue_edits.remove_item(record, address), reply)).answer

    async def remove_batch(
        self, uids: Sequence[str], reply: ReplySpec[tuple[list[Item], int]], *, strict: bool
    ) -> bytes:
        """Take several items out. Raises BatchRefused."""
        return (
            await self._ledger.submit(lambda record: batches.remove_items(record, uids, strict=strict), reply)
        ).answer

    async def move(self, source: Address, destination: Position, reply: ReplySpec[ItemPlaced]) -> bytes:
        """Move one item. Raises ItemNotFound, ItemRunning, PositionOutOfRange."""
        return (
            await self._ledger.submit(lambda record: queue_edits.move_item(record, source, destination), reply)
        ).answer

    async def move_batch(
        self,
        uids: Sequence[str],
        destination: Position,
        reply: ReplySpec[tuple[list[Item], Placed]],
        *,
        keep_queue_order: bool,
    ) -> bytes:
        """Move several items. Raises BatchRefused, FieldInvalid, ItemNotFound, ItemRunning."""

        def decide(record: Record) -> Work[Decision[tuple[list[Item], Placed]]]:
            return batches.move_items(record, uids, destination, keep_queue_order=keep_queue_order)

        return (await self._ledger.submit(decide, reply)).answer

    async def clear(self, reply: ReplySpec[int]) -> bytes:
        """Take all items out."""
        return (await self._ledger.submit(queue_edits.clear_queue, reply)).answer

    async def set_mode(
        self,
        reply: ReplySpec[QueueMode],
        *,
        loop: bool | None,
        ignore_failures: bool | None,
        interrupted: InterruptedPolicy | None,
        reset: bool,
    ) -> bytes:
        """Change how ended items are treated; None leaves a part as it is."""
        given = {"loop": loop, "ignore_failures": ignore_failures, "interrupted": interrupted}
        wanted = {name: value for name, value in given.items() if value is not None}

        def decide(record: Record) -> Decision[QueueMode]:
            mode = replace(QueueMode() if reset else record.mode, **wanted)  # type: ignore[arg-type] # names match
            return queue_edits.set_mode(record, mode)

        return (await self._ledger.submit(decide, reply)).answer
