"""Open, close, destroy and follow the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentState,
    ManagerState,
    Operation,
    PendingCommand,
)
from queueserver_manager.domain.refusals.environment_errors import (
    EnvironmentClosed,
    EnvironmentExists,
    EnvironmentNotFound,
)
from queueserver_manager.domain.refusals.errors import Refused, WrongState
from queueserver_manager.domain.refusals.state_refusals import check
from queueserver_manager.operations.commit.idempotent_commands import CommandLogEntry, IdempotentCommands
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.watch.followers import Followers
from queueserver_manager.operations.worker.worker_call import worker_call
from queueserver_manager.operations.worker.worker_view import WorkerStatus, WorkerView
from queueserver_manager.worker_client.port import Worker, WorkerRefused

_SETTLED = (
    EnvironmentState.CLOSED,
    EnvironmentState.IDLE,
    EnvironmentState.EXECUTING_PLAN,
    EnvironmentState.EXECUTING_TASK,
)
#: There is one environment, whichever it is.
_ANY = ""

_OPEN = CommandLogEntry("environment_open_requested", "opens the environment")
_CLOSE = CommandLogEntry("environment_close_requested", "closes the environment")
_DESTROY = CommandLogEntry("environment_destroy_requested", "destroys the environment")


class EnvironmentOperations:
    """What clients may do with the environment."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        worker: Worker,
        new_id: Callable[[], str],
        on_stale: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._commands = IdempotentCommands(ledger)
        self._view = view
        self._worker = worker
        self._new_id = new_id
        self._on_stale = on_stale
        self._followers = Followers[WorkerStatus]()

    async def open(self, reply: ReplySpec[str]) -> bytes:
        """Start opening; the result is the new id. Raises EnvironmentExists, InvalidState, WorkerUnavailable."""
        return await self._commands.once(reply, self._open, _OPEN, reply_before_stored=False)

    async def _open(self) -> str:
        self._view.refuse_when_stopping()
        self._view.require_worker()
        if self._view.status.environment.exists and self._view.status.pending is PendingCommand.NONE:
            settled = self._view.status.environment.state in _SETTLED
            if settled:
                raise EnvironmentExists
        check(Operation.OPEN_ENVIRONMENT, self._state())
        environment_id = self._new_id()
        await self._command(PendingCommand.OPEN, environment_id, lambda: self._worker.open_environment(environment_id))
        return environment_id

    async def close(self, reply: ReplySpec[str]) -> bytes:
        """Start closing; the result is the id. Raises EnvironmentClosed, InvalidState, WorkerUnavailable."""
        return await self._commands.once(reply, self._close, _CLOSE, reply_before_stored=False)

    async def _close(self) -> str:
        self._view.require_worker()
        state = self._state()
        if state is ManagerState.IDLE:
            self._require_environment()
        check(Operation.CLOSE_ENVIRONMENT, state)
        environment_id = self._view.status.environment.environment_id
        await self._command(PendingCommand.CLOSE, environment_id, self._worker.close_environment)
        return environment_id

    async def destroy(self, user: str, reply: ReplySpec[str]) -> bytes:
        """Start killing it, as this user asks; the result is the id. Waits for no commit.

        Raises EnvironmentClosed, WorkerUnavailable.
        """
        return await self._commands.once(reply, lambda: self._destroy(user), _DESTROY, reply_before_stored=True)

    async def _destroy(self, user: str) -> str:
        self._view.require_worker()
        if self._view.status.pending is not PendingCommand.OPEN:
            self._require_environment()
        environment_id = self._view.status.environment.environment_id
        await self._command(PendingCommand.DESTROY, environment_id, lambda: self._worker.destroy_environment(user))
        return environment_id

    def get(self) -> Environment:
        """The environment as last reported."""
        return self._view.status.environment

    async def wait(self, environment_id: str) -> AsyncIterator[Environment]:
        """The environment and each change, until no operation on it is in progress.

        Raises EnvironmentNotFound, NotReady.
        """
        status = self._view.status
        known = (status.environment.environment_id, status.pending_id if status.pending is PendingCommand.OPEN else "")
        if environment_id and environment_id not in known:
            raise EnvironmentNotFound(
                f"Environment {environment_id!r} is neither the present nor the last one: leave the id out to wait "
                "for the present one."
            )
        async for shown in self._followers.follow(_ANY, self._look, _is_news, _is_settled):
            yield shown.environment

    async def _look(self, _follower: object) -> WorkerStatus:
        return self._view.status

    def changed(self) -> None:
        """The Worker's side changed: wake every waiting client."""
        self._followers.wake_all()

    def end_with(self, reason: Refused) -> None:
        """Dismiss every waiting client: this Manager no longer receives the Worker's events."""
        self._followers.end_with(reason)

    def _state(self) -> ManagerState:
        return self._view.state_during(self._ledger.summary)

    def _require_environment(self) -> None:
        if not self._view.status.environment.exists:
            raise EnvironmentClosed(
                "RE Worker environment does not exist.", "Nothing is left to do: there is no environment to end."
            )

    async def _command(self, pending: PendingCommand, environment_id: str, send: Callable[[], Awaitable[None]]) -> None:
        """Send a command; the Worker reports its effect."""
        self._view.set_pending(pending, environment_id)
        try:
            with worker_call(_refusal, self._on_stale):
                await send()
        except Refused:
            # Whether it reached a Worker that does not answer is known when that is back.
            self._view.set_pending(PendingCommand.NONE, "")
            raise


def _is_news(shown: WorkerStatus | None, status: WorkerStatus) -> bool:
    """Whether a waiting client gets this: not the environment before the one that is being opened."""
    is_other = shown is None or status.environment is not shown.environment
    return is_other and status.pending is not PendingCommand.OPEN


def _is_settled(status: WorkerStatus) -> bool:
    """No operation is in progress."""
    return status.pending is PendingCommand.NONE and status.environment.state in _SETTLED


def _refusal(error: WorkerRefused) -> WrongState:
    if error.reason == "ENVIRONMENT_EXISTS":
        return EnvironmentExists()
    return EnvironmentClosed(error.message)
