"""The blocking client: the asynchronous one with its event loop on a separate thread.

It can be used from several threads, and where an event loop already runs, as in Jupyter. Callbacks are called
on the client's thread and must not call the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from queueserver_client.client import AsyncClient
from queueserver_client.facade import (
    Blocking,
    BlockingTo,
    Facade,
    Iterating,
    Viewing,
)
from queueserver_client.items.blocking_handles import (
    BlockingHold,
    BlockingItemHandle,
    BlockingTaskHandle,
    BlockingWatch,
)
from queueserver_client.items.handles import ItemHandle
from queueserver_client.portal import Portal
from queueserver_client.services.environment import AsyncEnvironment
from queueserver_client.services.history import AsyncHistory
from queueserver_client.services.inventory import AsyncInventory
from queueserver_client.services.lock import AsyncLock
from queueserver_client.services.permissions import AsyncPermissions
from queueserver_client.services.planning import AsyncPlanning
from queueserver_client.services.queue import AsyncQueue
from queueserver_client.services.run_engine import AsyncRunEngine
from queueserver_client.services.server import AsyncServer
from queueserver_client.services.tasks import AsyncTasks

if TYPE_CHECKING:
    from typing_extensions import Self  # only for the type checker; not needed to run


def _handles(portal: Portal, handles: Sequence[ItemHandle]) -> Sequence[BlockingItemHandle]:
    return [BlockingItemHandle(portal, handle) for handle in handles]


class Queue(Facade[AsyncQueue]):
    """What will be executed, in which order, and whether it is running. Errors: those of QueueService in the contract.

    Edits take ``expected_revision``: they are made only if the queue has not changed since that revision, which
    each result carries; otherwise they raise RevisionMismatch. With ``validate_only`` everything is checked and
    the result is as usual, but nothing is changed.
    """

    add = BlockingTo(AsyncQueue.add, BlockingItemHandle)
    add_batch = BlockingTo(AsyncQueue.add_batch, _handles)
    page = Blocking(AsyncQueue.page)
    list = Iterating(AsyncQueue.list)
    get = Blocking(AsyncQueue.get)
    wait = Iterating(AsyncQueue.wait)
    documents = Iterating(AsyncQueue.documents)
    update = BlockingTo(AsyncQueue.update, BlockingItemHandle)
    remove = Blocking(AsyncQueue.remove)
    remove_batch = Blocking(AsyncQueue.remove_batch)
    move = Blocking(AsyncQueue.move)
    move_batch = Blocking(AsyncQueue.move_batch)
    clear = Blocking(AsyncQueue.clear)
    start = Blocking(AsyncQueue.start)
    stop = Blocking(AsyncQueue.stop)
    cancel_stop = Blocking(AsyncQueue.cancel_stop)
    set_mode = Blocking(AsyncQueue.set_mode)
    set_autostart = Blocking(AsyncQueue.set_autostart)
    execute = BlockingTo(AsyncQueue.execute, BlockingItemHandle)


class RunEngine(Facade[AsyncRunEngine]):
    """Pause, resume and end the running plan. A call returns when the environment has the request.

    The status shows the effect. All but ``runs`` raise InvalidState, EnvironmentClosed, RunEngineMissing.
    """

    pause = Blocking(AsyncRunEngine.pause)
    resume = Blocking(AsyncRunEngine.resume)
    stop = Blocking(AsyncRunEngine.stop)
    abort = Blocking(AsyncRunEngine.abort)
    halt = Blocking(AsyncRunEngine.halt)
    abort_now = Blocking(AsyncRunEngine.abort_now)
    answer = Blocking(AsyncRunEngine.answer)
    runs = Blocking(AsyncRunEngine.runs)
    metadata = Blocking(AsyncRunEngine.metadata)


class Environment(Facade[AsyncEnvironment]):
    """The process in which startup code, devices and the RunEngine live."""

    open = Blocking(AsyncEnvironment.open)
    close = Blocking(AsyncEnvironment.close)
    destroy = Blocking(AsyncEnvironment.destroy)
    get = Blocking(AsyncEnvironment.get)
    wait = Blocking(AsyncEnvironment.wait)


class History(Facade[AsyncHistory]):
    """What was executed and how it ended."""

    page = Blocking(AsyncHistory.page)
    list = Iterating(AsyncHistory.list)
    clear = Blocking(AsyncHistory.clear)


class Inventory(Facade[AsyncInventory]):
    """Plans, devices and functions that exist."""

    plan = Blocking(AsyncInventory.plan)
    device = Blocking(AsyncInventory.device)
    plans = Blocking(AsyncInventory.plans)
    devices = Blocking(AsyncInventory.devices)
    functions = Blocking(AsyncInventory.functions)
    issues = Blocking(AsyncInventory.issues)


class Tasks(Facade[AsyncTasks]):
    """Functions and scripts in the environment, and their results.

    Tasks in the foreground need an idle Manager; those in the background run beside everything else.
    """

    execute_function = BlockingTo(AsyncTasks.execute_function, BlockingTaskHandle)
    execute = BlockingTo(AsyncTasks.execute, BlockingTaskHandle)
    upload_script = BlockingTo(AsyncTasks.upload_script, BlockingTaskHandle)
    update_environment = BlockingTo(AsyncTasks.update_environment, BlockingTaskHandle)
    get = Blocking(AsyncTasks.get)
    list = Blocking(AsyncTasks.list)
    wait = Blocking(AsyncTasks.wait)


class Planning(Facade[AsyncPlanning]):
    """Check and simulate items before they are executed. Nothing is stored and nothing changes."""

    validate = Blocking(AsyncPlanning.validate)
    simulate = Blocking(AsyncPlanning.simulate)


class Server(Facade[AsyncServer]):
    """Stop the server, and read its versions, settings and limits. Errors: those of ServerService in the contract."""

    stop = Blocking(AsyncServer.stop)
    info = Blocking(AsyncServer.info)


class Permissions(Facade[AsyncPermissions]):
    """What each user group may use."""

    get = Blocking(AsyncPermissions.get)
    set = Blocking(AsyncPermissions.set)
    reload = Blocking(AsyncPermissions.reload)


class Lock(Facade[AsyncLock]):
    """Keeps other clients from changing the environment, the queue or both.

    The key of ``acquire`` is sent with all further calls of this client until the lock is released. A client that was
    made with ``lock_key`` sends that one. The server never reveals keys.
    """

    acquire = Blocking(AsyncLock.acquire)
    release = Blocking(AsyncLock.release)
    get = Blocking(AsyncLock.get)
    renew = Blocking(AsyncLock.renew)
    request = Blocking(AsyncLock.request)
    granted = Blocking(AsyncLock.granted)
    answer = Blocking(AsyncLock.answer)
    withdraw = Blocking(AsyncLock.withdraw)
    hold = Viewing(AsyncLock.hold, BlockingHold)

    @property
    def key(self) -> str | None:
        """The key that this client sends with its calls; None if it sends none."""
        return self._target.key


class Client(Facade[AsyncClient]):
    """A blocking client of one Queue Server.

    ::

        with Client() as client:
            client.environment.open()
            handle = client.queue.add(Plan("count", ["det1"], num=5))
            client.queue.start()
            entry = handle.result()

    It can be used from several threads. Closing it ends the calls of other threads with an error, and their iterations
    quietly.

    Args:
        address: ``HOST:PORT`` or ``unix:PATH``; default: environment variable QSERVER_ADDRESS, else 127.0.0.1:60630.
            With commas between them, those of several Managers that share one queue: calls go to the one that owns it.
        user: Name to act under where the server demands no credentials; that of the login unless given.
        user_group: Group to act in where the server demands no credentials; the server chooses unless it is given.
        lock_key: Key of the lock, sent with every call.
        timeout: Seconds after which a call gives up. Until then it is repeated while the server is away.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        user: str | None = None,
        user_group: str | None = None,
        lock_key: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        target = AsyncClient(address, user=user, user_group=user_group, lock_key=lock_key, timeout=timeout)
        super().__init__(Portal(), target)
        self._queue = Queue(self._portal, target.queue)
        self._run_engine = RunEngine(self._portal, target.run_engine)
        self._environment = Environment(self._portal, target.environment)
        self._history = History(self._portal, target.history)
        self._inventory = Inventory(self._portal, target.inventory)
        self._tasks = Tasks(self._portal, target.tasks)
        self._planning = Planning(self._portal, target.planning)
        self._permissions = Permissions(self._portal, target.permissions)
        self._server = Server(self._portal, target.server)
        self._lock = Lock(self._portal, target.lock)

    @property
    def queue(self) -> Queue:
        """What will be executed, in which order, and whether it is running."""
        return self._queue

    @property
    def run_engine(self) -> RunEngine:
        """Pause, resume and end the running plan."""
        return self._run_engine

    @property
    def environment(self) -> Environment:
        """The process in which startup code, devices and the RunEngine live."""
        return self._environment

    @property
    def history(self) -> History:
        """What was executed and how it ended."""
        return self._history

    @property
    def inventory(self) -> Inventory:
        """Plans and devices."""
        return self._inventory

    @property
    def tasks(self) -> Tasks:
        """Functions and scripts in the environment."""
        return self._tasks

    @property
    def planning(self) -> Planning:
        """Check and simulate items before they are executed."""
        return self._planning

    @property
    def server(self) -> Server:
        """Stop the server, and read its versions, settings and limits."""
        return self._server

    @property
    def permissions(self) -> Permissions:
        """Permissions of user groups."""
        return self._permissions

    @property
    def lock(self) -> Lock:
        """Keeps other clients from changing the environment, the queue or both."""
        return self._lock

    status = Blocking(AsyncClient.status)
    explain_idle = Blocking(AsyncClient.explain_idle)
    watch = Viewing(AsyncClient.watch, BlockingWatch)

    @property
    def address(self) -> str:
        """Address of the server; see :attr:`AsyncClient.address`."""
        return self._target.address

    @property
    def unanswered_changes(self) -> int:
        """How many changes were cancelled before their answer came: whether they were made is not known."""
        return self._target.unanswered_changes

    def close(self) -> None:
        """End all calls, the connection and the client's thread. Repeating it is harmless.

        In a forked process it does nothing.
        """
        self._portal.close(self._target.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
