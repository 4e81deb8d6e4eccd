"""Notices that the Manager that owns the queue has died, before its lease ends.

The kernel ends the connections of a process that dies, and nothing takes new ones at its address. A standby holds a
connection to the owner for that: once it worked, its end, and an attempt to connect again that nothing takes, show that
no process listens there any more. A port that is free refuses it; the address of a container that ended does not answer
at all.

Guarantee: it says so only of an owner that it was connected to, when that connection was ended, and never because an
answer is late: the kernel takes connections for a process that hangs or is suspended, and one that can't be reached any
more leaves its connection as it is, so both keep their term until the lease ends. Should it be alive all the same, for
example behind a firewall that ends connections and takes none, it can do no harm: every write and every command carries
the epoch.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver_long_work.patience import within
from queueserver_long_work.time_slice import next_turn_after
from queueserver_rpc.listening import UNIX, host_and_port
from queueserver_rpc.resolving import NameLookup, Place

from queueserver_manager.store.lease import RETRY_SECONDS, Lease, LeaseGrant

#: Seconds until an attempt to connect that nothing answers has failed.
_CONNECT_SECONDS = 0.5
#: Seconds for which a name server may think about the name of an owner.
_LOOK_UP_SECONDS = 10.0
#: Seconds between the first two attempts.
_FIRST_DELAY = 0.01
#: What an attempt to connect ends with where there is no process, no machine or no socket; other errors are our own.
_NOTHING_THERE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ENOENT}
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # Two attempts to reach an owner that just started are this far apart at most.
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.initial_reconnect_backoff_ms", 50),
    # The owner may come back at another address of the same name; a name server may not answer.
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    ("grpc.dns_ares_query_timeout", 2_000),
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
            died = asyncio.ensure_future(_until_dead(grant.internal_address or grant.owner_address))
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
        connected = _Connected(channel, address)
        while not await connected.until_ended(wait_for_ready=True):
            pass
        # The kernel may close a dying process's connections shortly before the socket at which it listened.
        delay = _FIRST_DELAY
        while any(await asyncio.gather(*map(_takes_connections, connected.places))):
            await next_turn_after(delay)
            again = await connected.until_ended(wait_for_ready=False)
            delay = _FIRST_DELAY if again else min(2 * delay, RETRY_SECONDS)


class _Connected:
    """What is known of the owner at an address from a connection that worked."""

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self._health = health_pb2_grpc.HealthStub(channel)
        self._address = address
        #: Where it was: the name of a container ends with the container, and would be looked up in vain for long.
        self.places: Sequence[Place] = ()

    async def until_ended(self, *, wait_for_ready: bool) -> bool:
        """Wait for the end of a connection; whether it ever worked."""
        worked = False
        call = self._health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=wait_for_ready)
        try:
            async for _ in call:
                if not worked:
                    self.places = await _places_of(self._address)
                    _log.info(
                        "Standby: connected to the owner at %s, so that its death is noticed at once", self._address
                    )
                worked = True
        except (grpc.aio.AioRpcError, OSError, asyncio.TimeoutError):
            pass
        finally:
            call.cancel()
        return worked


async def _places_of(address: str) -> Sequence[Place]:
    """All places that an address means: a container has one on each of its networks. Raises OSError, TimeoutError."""
    if address.startswith(UNIX):
        return [(socket.AF_UNIX, address.removeprefix(UNIX))]
    host, port = host_and_port(address)
    async with within(_LOOK_UP_SECONDS):
        return await NameLookup(host, port).places()


async def _takes_connections(place: Place) -> bool:
    """Whether a process may be listening at a place."""
    family, where = place
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setblocking(False)
            async with within(_CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(tried, where)
    except asyncio.TimeoutError:
        return False
    except OSError as error:
        return error.errno not in _NOTHING_THERE
    return True
