"""Calls of the Worker: what a failure means, to a client that waits for one and where no client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from queueserver_manager.domain.refusals.errors import EnvironmentUnresponsive, WorkerUnavailable
from queueserver_manager.worker_client.port import StaleEpoch, WorkerDown, WorkerOutdated, WorkerRefused

#: Why a call failed, but for a stale epoch.
CallFailure = WorkerDown | WorkerRefused


def _end_nothing() -> None:
    """For a call that carries no epoch."""


@contextmanager
def worker_call(
    refusal_of: Callable[[WorkerRefused], Exception], on_stale: Callable[[], None] = _end_nothing
) -> Iterator[None]:
    """Turn a failed call into a refusal of the client's request.

    Raises what ``refusal_of`` makes of the Worker's refusal, EnvironmentUnresponsive if the environment did not answer
    in time, and WorkerUnavailable. ``on_stale`` is called when the Worker follows a Manager with a higher epoch.
    """
    try:
        yield
    except WorkerOutdated as error:
        raise WorkerUnavailable(error.message) from error
    except WorkerRefused as error:
        refusal = refusal_of(error)
        raise refusal from (error if refusal is not error else None)
    except TimeoutError as error:
        raise EnvironmentUnresponsive from error
    except StaleEpoch as error:
        on_stale()
        raise WorkerUnavailable from error
    except WorkerDown as error:
        raise WorkerUnavailable from error


async def own_call(
    call: Awaitable[None], if_failed: Callable[[CallFailure], None], on_stale: Callable[[], None]
) -> bool:
    """Make a call that no client waits for; returns whether it succeeded.

    ``if_failed`` gets the reason if it did not, but for a stale epoch: that is what ``on_stale`` is called for.
    """
    try:
        await call
    except StaleEpoch:
        on_stale()
    except (WorkerDown, WorkerRefused) as error:
        if_failed(error)
    else:
        return True
    return False
