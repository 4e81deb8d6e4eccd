"""Start tasks, and report their progress and results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from queueserver_long_work.time_slice import in_time_slices

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.lifecycle import ALLOWED, Operation, PendingCommand
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed
from queueserver_manager.domain.refusals.errors import (
    FunctionNotAllowed,
    Refused,
    ScriptsDisabled,
    TaskNotFound,
)
from queueserver_manager.domain.refusals.state_refusals import check
from queueserver_manager.domain.tasks.task_lifecycle import Acceptance, accept_task
from queueserver_manager.domain.tasks.tasks import FunctionCall, KeptTask, Script, Task, Work
from queueserver_manager.domain.validation.type_words import near_matches
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.pages.listing import Fit
from queueserver_manager.operations.watch.followers import Followers
from queueserver_manager.operations.worker.worker_view import WorkerView


class TaskOperations:
    """What clients may do with tasks. Every method raises the ledger's refusals besides its own."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        now: Callable[[], float],
        new_id: Callable[[], str],
        *,
        scripts_enabled: bool,
        default_group: str = "",
    ) -> None:
        """``default_group`` is the group for callers that send none; see :meth:`Permissions.acting_group`."""
        self._ledger = ledger
        self._view = view
        self._now = now
        self._new_id = new_id
        self._scripts_enabled = scripts_enabled
        self._default_group = default_group
        self._followers = Followers[KeptTask]()

    async def start(self, caller: Caller, work: Work, reply: ReplySpec[Task], *, background: bool) -> bytes:
        """Accept a task; the result is the task.

        Raises FunctionNotAllowed, ScriptsDisabled, EnvironmentClosed, InvalidState, WorkerUnavailable, TooManyTasks.
        """

        def decide(record: Record) -> Decision[Task]:
            group = self._require_permitted(record, caller, work)
            self._require_environment(record, background=background)
            view = self._view
            acceptance = Acceptance(
                user=caller.user,
                user_group=group,
                boot_id=view.status.boot_id,
                environment_id=view.status.environment.environment_id,
                now=self._now(),
                new_id=self._new_id,
            )
            return accept_task(record, work, acceptance, background=background)

        return (await self._ledger.submit(decide, reply)).answer

    def _require_permitted(self, record: Record, caller: Caller, work: Work) -> str:
        """The group in which the caller acts, which may start that."""
        group = record.permissions.acting_group(caller.user_group, self._default_group)
        access = record.permissions.submitter_access(group, means_root=caller.means_root)
        if isinstance(work, Script) and not self._scripts_enabled:
            raise ScriptsDisabled
        if isinstance(work, FunctionCall) and not access.allows_function(work.name):
            near = near_matches(work.name, tuple(filter(access.allows_function, record.inventory.functions)))
            raise FunctionNotAllowed(work.name, group, near)
        return group

    def _require_environment(self, record: Record, *, background: bool) -> None:
        view = self._view
        view.refuse_when_stopping()
        view.require_worker()
        state = view.state(
            has_running_item=record.running is not None, has_foreground_task=record.tasks.foreground is not None
        )
        if not view.status.environment.exists and state in ALLOWED[Operation.EXECUTE_TASK]:
            raise EnvironmentClosed("RE Worker environment does not exist: open it, then start the task.")
        if not background:
            check(Operation.EXECUTE_TASK, state)
        elif not view.status.environment.is_open or view.status.pending is not PendingCommand.NONE:
            check(Operation.EXECUTE_BACKGROUND_TASK, state)

    async def get(self, uid: str) -> KeptTask:
        """A task and its state. Raises TaskNotFound."""
        return await self._ledger.read(lambda record: _find(record, uid))

    async def page(self, uids: Sequence[str], size: int, after: int, fit: Fit[KeptTask]) -> tuple[list[KeptTask], int]:
        """Tasks with a number above ``after``, oldest first, as many as ``fit``, and the number to continue from.

        That is 0 at the end.
        """
        wanted = frozenset(uids)

        def look(record: Record) -> tuple[list[KeptTask], int]:
            found = [
                kept for kept in record.tasks if kept.task.number > after and (not wanted or kept.task.uid in wanted)
            ]
            page = found[:size]
            return page, page[-1].task.number if len(found) > size else 0

        page, more = await self._ledger.read(look)
        count = await in_time_slices(fit(page))
        return (page, more) if count == len(page) else (page[:count], page[count - 1].task.number)

    def wait(self, uid: str) -> AsyncIterator[KeptTask]:
        """A task as it is, and once more with its result. Raises TaskNotFound."""
        return self._followers.follow(
            uid,
            lambda _: self.get(uid),
            is_news=lambda shown, kept: shown is None or kept.result is not None,
            is_final=lambda kept: kept.result is not None,
        )

    def wake(self, uid: str) -> None:
        """Wake the clients that wait for this task."""
        self._followers.wake((uid,))

    def end_with(self, reason: Refused) -> None:
        """Dismiss every waiting client."""
        self._followers.end_with(reason)


def _find(record: Record, uid: str) -> KeptTask:
    kept = record.tasks.get(uid)
    if kept is None:
        raise TaskNotFound(
            f"There is no task {uid!r}, or its result is no longer kept: list the tasks to see which are."
        )
    return kept
