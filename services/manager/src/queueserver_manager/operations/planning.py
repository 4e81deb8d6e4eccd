"""Before anything moves: what is wrong with items, and what a plan would do. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.lifecycle import Operation
from queueserver_manager.domain.queue.item import Item, ItemKind
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed, RunEngineMissing
from queueserver_manager.domain.refusals.errors import (
    FieldInvalid,
    ItemInvalid,
    ItemNotFound,
    Refused,
    Violation,
)
from queueserver_manager.domain.refusals.state_refusals import check
from queueserver_manager.domain.validation.item_warnings import Warner
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.validation.allowed_inventory_cache import AllowedInventoryCache
from queueserver_manager.operations.validation.submissions import Submissions
from queueserver_manager.operations.worker.worker_call import worker_call
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client.port import Worker, WorkerRefused

M = TypeVar("M")
#: Bound of the messages of a plan that are examined, documented in the contract.
MESSAGE_LIMIT = 100_000


class PlanningOperations:
    """What clients may find out before they submit."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        worker: Worker,
        submissions: Submissions,
        allowed_inventories: AllowedInventoryCache,
    ) -> None:
        self._ledger = ledger
        self._view = view
        self._worker = worker
        self._submissions = submissions
        self._allowed_inventories = allowed_inventories

    async def validate(
        self,
        caller: Caller,
        messages: Sequence[M],
        read: Callable[[M, str], Work[Submission]],
        tell: Callable[[Refused | Item], None],
    ) -> None:
        """Tell for each message, in order, the result of adding it now: an item, or a refusal."""
        time_slice, warner = TimeSlice(), Warner()
        for index, message in enumerate(messages):
            path = f"items[{index}]"
            try:
                tell(self._submissions.make(caller, await in_time_slices(read(message, path)), path, warner=warner))
            except Refused as error:
                tell(error)
            await time_slice.yield_if_due()

    async def simulate_submission(
        self, caller: Caller, submission: Submission, message_limit: int
    ) -> tuple[bytes, Item]:
        """What an item would do, as a serialized Simulation, and the item.

        Raises what adding it would raise, EnvironmentClosed, InvalidState, RunEngineMissing, EnvironmentUnresponsive,
        WorkerUnavailable.
        """
        item = self._submissions.make(caller, submission)
        return await self._simulate(item, message_limit), item

    async def simulate_queued(self, uid: str, message_limit: int) -> tuple[bytes, Item]:
        """What an item of the queue would do, and the item. Raises ItemNotFound, and as :meth:`simulate_submission`."""
        item = await self._ledger.read(lambda record: record.queue.get(uid))
        if item is None:
            raise ItemNotFound(f"There is no item {uid!r} in the queue: list the queue to see which exist.")
        return await self._simulate(item, message_limit), self._submissions.warned(item)

    async def _simulate(self, item: Item, message_limit: int) -> bytes:
        if not 0 <= message_limit <= MESSAGE_LIMIT:
            raise FieldInvalid("message_limit", f"must be from 0 to {MESSAGE_LIMIT}")
        if item.kind is not ItemKind.PLAN:
            raise FieldInvalid("item.item_type", "must be a plan: an instruction does nothing that could be simulated")
        self._view.require_worker()
        if not self._view.status.environment.exists:
            raise EnvironmentClosed("RE Worker environment does not exist: open it, then simulate the plan.")
        check(Operation.SIMULATE_ITEM, self._view.state_during(self._ledger.summary))
        access = self._allowed_inventories.for_group(item.user_group).access
        with worker_call(_refusal):
            return await self._worker.simulate_plan(item, access, message_limit or MESSAGE_LIMIT)


def _refusal(error: WorkerRefused) -> Exception:
    """What the Worker's refusal means to a caller that asked for a simulation."""
    if error.reason == "ENVIRONMENT_CLOSED":
        # It was closed after we checked, or ended during the simulation.
        return EnvironmentClosed(error.message)
    if error.reason == "RUN_ENGINE_MISSING":
        return RunEngineMissing()
    if error.reason in {"FIELD_INVALID", "REQUEST_UNDECODABLE"}:
        # The Worker reads the item, and it is the item that it can't use.
        return ItemInvalid(error.message, violations=[Violation("item", error.message)])
    # Nothing that the contract knows: a defect, which is logged and answered as one.
    return error
