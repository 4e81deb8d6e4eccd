"""Notices that the Manager that owns the queue has died, before its lease ends.

The kernel ends the connections of a process that dies, and refuses new ones. A standby holds a connection to the owner
for that: once it worked, its end and a refused attempt to connect again show that no process listens there any more.

Guarantee: it says so only of an owner that it was connected to, and never because an answer is late: one that hangs, is
suspended or can't be reached keeps its term until its lease ends. Should it be alive all the same, for example behind a
firewall that refuses connections, it can do no harm: every write and every command carries the epoch.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver_long_work.patience import within
from queueserver_long_work.time_slice import next_turn_after
from queueserver_rpc.listening import UNIX, host_and_port

from queueserver_manager.store.lease import RETRY_SECONDS, Lease, LeaseGrant

#: Seconds after which an attempt to connect counts as neither accepted nor refused.
_CONNECT_SECONDS = 0.5
#: Seconds between the first two attempts.
_FIRST_DELAY = 0.01
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # Two attempts to reach an owner that just started are this far apart at most.
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.initial_reconnect_backoff_ms", 50),
)


_log = logging.getLogger("queueserver_manager")


@dataclass(frozen=True, slots=True)
class _Watched:
    """The term whose owner is watched; the task ends when that owner has died."""

    epoch: int
    died: asyncio.Task[None]


class OwnerConnection:
    """The connection of a standby to the owner. Belongs to one event loop."""

    def __init__(self) -> None:
        self._watched: _Watched | None = None

    async def wait_until_free(self, lease: Lease, grant: LeaseGrant) -> int:
        """Return when an attempt to own the queue may succeed; returns the epoch of a dead owner, or 0.

        Raises redis.RedisError.
        """
        watched = self._watch(grant)
        freed = asyncio.ensure_future(lease.wait_until_free(grant.remaining))
        try:
            await asyncio.wait({freed, watched.died}, return_when=asyncio.FIRST_COMPLETED)
            if freed.done():
                freed.result()
        finally:
            freed.cancel()
            await asyncio.gather(freed, return_exceptions=True)
        return watched.epoch if watched.died.done() else 0

    def _watch(self, grant: LeaseGrant) -> _Watched:
        if self._watched is None or self._watched.epoch != grant.owner_epoch:
            self.close()
            died = asyncio.ensure_future(_until_dead(grant.owner_address))
            self._watched = _Watched(grant.owner_epoch, died)
        return self._watched

    def close(self) -> None:
        """Watch no owner any more."""
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.died.cancel()


async def _until_dead(address: str) -> None:
    """Return when the Manager at this address was connected, and no process listens there any more."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        worked = False
        while not worked:
            worked = await _connected_and_ended(channel, address, wait_for_ready=True)
        # The kernel may close a dying process's connections shortly before the socket at which it listened.
        delay = _FIRST_DELAY
        while not await _is_refused(address):
            await next_turn_after(delay)
            again = await _connected_and_ended(channel, address, wait_for_ready=False)
            delay = _FIRST_DELAY if again else min(2 * delay, RETRY_SECONDS)


async def _connected_and_ended(channel: grpc.aio.Channel, address: str, *, wait_for_ready: bool) -> bool:
    """Wait for the end of a connection; whether it ever worked."""
    worked = False
    call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), wait_for_ready=wait_for_ready)
    try:
        async for _ in call:
            if not worked:
                _log.info("Standby: connected to the owner at %s, so that its death is noticed at once", address)
            worked = True
    except grpc.aio.AioRpcError:
        pass
    return worked


async def _is_refused(address: str) -> bool:
    """Whether it is certain that no process listens at an address."""
    try:
        async with within(_CONNECT_SECONDS):
            if address.startswith(UNIX):
                _, writer = await asyncio.open_unix_connection(address.removeprefix(UNIX))
            else:
                host, port = host_and_port(address)
                _, writer = await asyncio.open_connection(host, port)
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    except socket.gaierror as error:
        # The name of a container ends with the container.
        return error.errno == socket.EAI_NONAME
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return False
