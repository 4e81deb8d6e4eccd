"""The asynchronous client."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from queueserver.manager.v1 import status_service_pb2

from queueserver_client import values
from queueserver_client.connection import forks
from queueserver_client.connection.connection import Connection
from queueserver_client.connection.login import login_name
from queueserver_client.connection.reconnect_policy import RECONNECT_TIMEOUT
from queueserver_client.models.status import Status

if TYPE_CHECKING:
    from typing_extensions import Self  # only for the type checker; not needed to run

    from queueserver_client.events import EventKind
    from queueserver_client.items.result_waiter import ResultWaiter
    from queueserver_client.models.blockers import Blockers
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
    from queueserver_client.watch import Interrupted, SignOfLife, Watch


class AsyncClient:
    """A client of one Queue Server, to be used in one event loop.

    ::

        async with AsyncClient() as client:
            await client.environment.open()
            handle = await client.queue.add(Plan("count", ["det1"], num=5))
            await client.queue.start()
            entry = await handle.result()

    Args:
        address: ``HOST:PORT`` or ``unix:PATH``; default: environment variable QSERVER_ADDRESS, else 127.0.0.1:60630.
            With commas between them, those of several Managers that share one queue: calls go to the one that owns it.
        user: Name to act under where the server demands no credentials; that of the login unless given.
        user_group: Group to act in where the server demands no credentials; the server chooses unless it is given.
        lock_key: Key of the lock, sent with every call, for a server that is locked with it.
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
        caller = login_name() if user is None else user
        self._connection = Connection(address, caller, user_group, timeout, lock_key)

    @cached_property
    def history(self) -> AsyncHistory:
        """What was executed and how it ended."""
        from queueserver_client.services.history import AsyncHistory  # noqa: PLC0415 - only what is used

        return AsyncHistory(self._connection)

    @cached_property
    def queue(self) -> AsyncQueue:
        """What will be executed, in which order, and whether it is running."""
        from queueserver_client.services.queue import AsyncQueue  # noqa: PLC0415 - only what is used

        return AsyncQueue(self._connection, self._outcomes)

    @cached_property
    def run_engine(self) -> AsyncRunEngine:
        """Pause, resume and end the running plan."""
        from queueserver_client.services.run_engine import AsyncRunEngine  # noqa: PLC0415 - only what is used

        return AsyncRunEngine(self._connection)

    @cached_property
    def environment(self) -> AsyncEnvironment:
        """The process in which startup code, devices and the RunEngine live."""
        from queueserver_client.services.environment import AsyncEnvironment  # noqa: PLC0415 - only what is used

        return AsyncEnvironment(self._connection)

    @cached_property
    def server(self) -> AsyncServer:
        """Stop the server, and read its versions, settings and limits."""
        from queueserver_client.services.server import AsyncServer  # noqa: PLC0415 - only what is used

        return AsyncServer(self._connection)

    @cached_property
    def inventory(self) -> AsyncInventory:
        """Plans and devices."""
        from queueserver_client.services.inventory import AsyncInventory  # noqa: PLC0415 - only what is used

        return AsyncInventory(self._connection)

    @cached_property
    def tasks(self) -> AsyncTasks:
        """Functions and scripts in the environment."""
        from queueserver_client.services.tasks import AsyncTasks  # noqa: PLC0415 - only what is used

        return AsyncTasks(self._connection)

    @cached_property
    def planning(self) -> AsyncPlanning:
        """Check and simulate items before they are executed."""
        from queueserver_client.services.planning import AsyncPlanning  # noqa: PLC0415 - only what is used

        return AsyncPlanning(self._connection)

    @cached_property
    def permissions(self) -> AsyncPermissions:
        """Permissions of user groups."""
        from queueserver_client.services.permissions import AsyncPermissions  # noqa: PLC0415 - only what is used

        return AsyncPermissions(self._connection)

    @cached_property
    def lock(self) -> AsyncLock:
        """Keeps other clients from changing the environment, the queue or both."""
        from queueserver_client.events import EventKind  # noqa: PLC0415 - only what is used
        from queueserver_client.services.lock import AsyncLock  # noqa: PLC0415 - only what is used

        return AsyncLock(self._connection, lambda revision: self.watch([EventKind.LOCK], after_revision=revision))

    @cached_property
    def _outcomes(self) -> ResultWaiter:
        from queueserver_client.events import EventKind  # noqa: PLC0415 - only what is used
        from queueserver_client.items.item_follower import follow_item  # noqa: PLC0415 - as above
        from queueserver_client.items.result_waiter import ResultWaiter  # noqa: PLC0415 - as above

        return ResultWaiter(
            lambda: self.watch((EventKind.QUEUE, EventKind.HISTORY), history_limit=1000),
            lambda uid: follow_item(self._connection, uid, RECONNECT_TIMEOUT),
        )

    @property
    def address(self) -> str:
        """Address of the server; once a standby has named it, that of the owner of the queue."""
        return self._connection.address

    @property
    def unanswered_changes(self) -> int:
        """How many changes were cancelled before their answer came: whether they were made is not known."""
        return self._connection.unanswered_changes

    async def status(self) -> Status:
        """The status of the Manager. There is no need to poll it: watch."""
        stub = self._connection.stubs.status
        answer = await self._connection.read(stub.GetStatus, status_service_pb2.GetStatusRequest())
        return Status.from_proto(answer.status)

    async def explain_idle(self) -> Blockers:
        """All obstacles to executing the next item now, the most fundamental first.

        Empty if something is being executed, is not held up, and Redis takes the results.
        """
        from queueserver_client.models.blockers import Blockers  # noqa: PLC0415 - only what is used

        stub = self._connection.stubs.status
        answer = await self._connection.read(stub.ExplainIdle, status_service_pb2.ExplainIdleRequest())
        return Blockers.from_answer(answer)

    def watch(
        self,
        kinds: Iterable[EventKind | str] = (),
        *,
        resume_token: str = "",
        after_revision: int = 0,
        history_limit: int = 0,
        reconnect_timeout: float = RECONNECT_TIMEOUT,
        wait_for_server: bool = False,
        on_interruption: Interrupted | None = None,
        on_sign_of_life: SignOfLife | None = None,
    ) -> Watch:
        """Follow what happens: a snapshot, then every change. It resumes by itself after a broken connection.

        Args:
            kinds: What to watch; status, queue and history unless given.
            resume_token: Token of an earlier watch, to continue from there without a snapshot.
            after_revision: Start after this change, such as ``handle.revision``, without a snapshot: what has happened
                since comes first. Raises ResumeTokenExpired if it is no longer kept.
            history_limit: How many of the newest history entries the snapshot carries; 0 means 100.
            reconnect_timeout: Seconds to wait for a server that is away.
            wait_for_server: Wait as long for a server that never answered; otherwise give up at once.
            on_interruption: Called when the stream broke and is about to be resumed.
            on_sign_of_life: Called with each message of the server, also with those without news, which come every 10
                seconds at least: the connection works, after an interruption again.

        Iterating raises ServiceUnavailable when the server stays away.
        """
        from queueserver_client.events import EventKind  # noqa: PLC0415 - only what is used
        from queueserver_client.watch import Watch  # noqa: PLC0415 - as above

        return Watch(
            self._connection,
            [EventKind(kind) for kind in kinds],
            resume_token=values.text(resume_token, "resume_token"),
            after_revision=values.revision(after_revision, "after_revision"),
            history_limit=values.size(history_limit, "history_limit"),
            reconnect_timeout=reconnect_timeout,
            wait_for_server=wait_for_server,
            on_interruption=on_interruption,
            on_sign_of_life=on_sign_of_life,
        )

    async def close(self) -> None:
        """End all calls and the connection. Repeating it is harmless. In a forked process it does nothing."""
        if forks.is_orphaned():
            return
        if "_outcomes" in vars(self):
            await self._outcomes.close()
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
