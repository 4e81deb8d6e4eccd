"""Long-lived objects of the blocking client: items, tasks, watches, the lock while it is held."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from queueserver_client.events import Event, Snapshot
from queueserver_client.facade import Blocking, Ending, Facade, Following, Iterating
from queueserver_client.items.handles import ItemHandle
from queueserver_client.models.item_warnings import ItemWarning
from queueserver_client.models.items import Item
from queueserver_client.models.lock import LockInfo, LockRequest
from queueserver_client.models.tasks import Task
from queueserver_client.portal import Portal
from queueserver_client.services.lock_hold import Hold
from queueserver_client.services.tasks import TaskHandle
from queueserver_client.watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Self  # only for the type checker; not needed to run


class BlockingItemHandle(Facade[ItemHandle]):
    """One submitted item. It stands for this attempt only: a requeued attempt is another item."""

    remove = Blocking(ItemHandle.remove)
    move = Blocking(ItemHandle.move)
    status = Blocking(ItemHandle.status)
    wait = Iterating(ItemHandle.wait)
    documents = Iterating(ItemHandle.documents)
    result = Blocking(ItemHandle.result)

    @property
    def item(self) -> Item:
        """The item as the server stored it."""
        return self._target.item

    @property
    def uid(self) -> str:
        """Identity of the item."""
        return self._target.uid

    @property
    def index(self) -> int | None:
        """Its index when it was added; None if it is executed without having been in the queue."""
        return self._target.index

    @property
    def queue_size(self) -> int:
        """Items in the queue when it was added, this one included if it is there."""
        return self._target.queue_size

    @property
    def revision(self) -> int:
        """Revision of the change that made it."""
        return self._target.revision

    @property
    def warnings(self) -> Sequence[ItemWarning]:
        """Texts in it that are probably mistakes, such as a misspelt device."""
        return self._target.warnings


class BlockingWatch(Facade[Watch]):
    """An iterator over a snapshot and events. Close it, or use it as a context manager."""

    def __init__(self, portal: Portal, target: Watch) -> None:
        super().__init__(portal, target)
        self._following = Following(portal)

    aclose = Ending(Watch.aclose)
    close = Ending(Watch.aclose)

    @property
    def resume_token(self) -> str:
        """From here another watch can continue; see :attr:`Watch.resume_token`."""
        return self._target.resume_token

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event | Snapshot:
        return self._following.next(self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class BlockingTaskHandle(Facade[TaskHandle]):
    """One task."""

    status = Blocking(TaskHandle.status)
    wait = Blocking(TaskHandle.wait)
    result = Blocking(TaskHandle.result)

    @property
    def task(self) -> Task:
        """The task as the server accepted it."""
        return self._target.task

    @property
    def uid(self) -> str:
        """Identity of the task."""
        return self._target.uid


class BlockingHold(Facade[Hold]):
    """A context manager that holds the lock; see ``client.lock.hold``."""

    _enter = Blocking(Hold.__aenter__)
    _exit = Blocking(Hold.__aexit__)

    @property
    def lock(self) -> LockInfo:
        """The lock, as last reported."""
        return self._target.lock

    @property
    def request(self) -> LockRequest | None:
        """The user who asks for the lock: answer with ``client.lock.answer``. None if there is no request."""
        return self._target.request

    @property
    def is_lost(self) -> bool:
        """Whether the lock is known to be no longer this client's."""
        return self._target.is_lost

    def __enter__(self) -> Self:
        self._enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit(kind, error, traceback)
