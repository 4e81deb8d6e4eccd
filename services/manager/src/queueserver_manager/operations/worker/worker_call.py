"""A call of the Worker for a client, and what a failure of it means to that client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from queueserver_manager.domain.refusals.errors import EnvironmentUnresponsive, WorkerUnavailable
from queueserver_manager.worker_client.port import StaleEpoch, WorkerDown, WorkerOutdated, WorkerRefused


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
