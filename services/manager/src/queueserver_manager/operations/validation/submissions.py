"""From what clients submit to items: checked, identified, and encoded ahead of the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from queueserver_long_work.work import Work
from queueserver_rpc.message_sizes import EVENT_BYTES

from queueserver_manager.domain.queue.item import Item, ItemKind, ItemWarning
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.refusals.batch_errors import BatchRefused, RefusedItems
from queueserver_manager.domain.refusals.errors import InvalidRequest, InventoryEmpty, PlanNotFound
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.item_warnings import Warner
from queueserver_manager.domain.validation.validation import check_item
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.validation.allowed_inventory_cache import AllowedInventoryCache

M = TypeVar("M")


class Prepared(NamedTuple):
    """Bytes of an item, as it is stored and as it is sent."""

    stored: int
    sent: int


class Submissions:
    """Makes items. ``prepare`` encodes an item ahead of the commit that stores it."""

    def __init__(
        self,
        allowed_inventories: AllowedInventoryCache,
        now: Callable[[], float],
        new_id: Callable[[], str],
        prepare: Callable[[Item, Submission], Prepared],
    ) -> None:
        self._allowed_inventories = allowed_inventories
        self._now = now
        self._new_id = new_id
        self._prepare = prepare

    def make(
        self,
        caller: Caller,
        submission: Submission,
        path: str = "item",
        uid: str = "",
        warner: Warner | None = None,
    ) -> Item:
        """Check a submission and make an item of it. ``warner`` is for all items of one request.

        Raises InvalidRequest, PlanNotFound, InventoryEmpty, GroupNotFound, GroupNotAccepted.
        """
        return self._make(caller, submission, path, warner or Warner(), uid)[0]

    def _make(
        self, caller: Caller, submission: Submission, path: str, warner: Warner, uid: str = ""
    ) -> tuple[Item, int]:
        """An item, and how many bytes it has."""
        allowed = self._allowed_inventories.for_submitter(caller)
        if submission.kind is ItemKind.PLAN and not allowed.inventory.plans:
            raise InventoryEmpty
        call = (submission.kind, submission.name, submission.args or (), submission.kwargs or {})
        check_item(*call, allowed, path, submission.meta)
        item = Item(
            uid=uid or self._new_id(),
            kind=submission.kind,
            name=submission.name,
            user=caller.user,
            user_group=allowed.access.user_group,
            created=self._now(),
            args=submission.args,
            kwargs=submission.kwargs,
            meta=submission.meta,
            properties=submission.properties,
            warnings=_warnings(submission, allowed, path, warner),
        )
        prepared = self._prepare(item, submission)
        return replace(item, size=prepared.stored), sum(prepared)

    def warned(self, item: Item) -> Item:
        """An item of the queue, with its current warnings. Raises GroupNotFound."""
        call = Submission(item.kind, item.name, item.args, item.kwargs)
        allowed = self._allowed_inventories.for_group(item.user_group)
        return replace(item, warnings=_warnings(call, allowed, "item", Warner()))

    async def make_batch(
        self, caller: Caller, messages: Sequence[M], read: Callable[[M, str], Work[Submission]]
    ) -> list[list[Item]]:
        """Make an item of each message, which ``read`` decodes; returns them in parts, each for one event.

        Raises BatchRefused, InventoryEmpty, GroupNotFound, GroupNotAccepted.
        """
        parts: list[list[Item]] = []
        room = 0
        refused = RefusedItems()
        time_slice, warner = TimeSlice(), Warner()
        for index, message in enumerate(messages):
            path = f"items[{index}]"
            try:
                item, size = self._make(caller, await in_time_slices(read(message, path)), path, warner)
            except (InvalidRequest, PlanNotFound) as error:
                refused.add(index, error)
            else:
                if not parts or size > room:
                    parts.append([])
                    room = EVENT_BYTES
                parts[-1].append(item)
                room -= size
            # A mistake takes much longer than an item that is right.
            await time_slice.yield_if_due()
        if refused.count:
            raise BatchRefused(refused, len(messages))
        return parts


def _warnings(submission: Submission, allowed: AllowedInventory, path: str, warner: Warner) -> tuple[ItemWarning, ...]:
    plan = allowed.plan(submission.name) if submission.kind is ItemKind.PLAN else None
    return warner.look(plan, submission.args or (), submission.kwargs or {}, allowed, path) if plan else ()
