"""The store on Redis: loads, commits, and reads the event log. Takes no decisions.

Guarantees: a commit is one atomic step in Redis (``commit.lua``), refused as a whole unless the epoch is ours and
the revision is the expected one. With ``appendfsync always``, as the embedded Redis runs, it is on disk before the
reply; with another Redis it is as durable as that Redis is set up to be.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import resources
from typing import Any

from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.limits import LOG, Bound
from queueserver_manager.domain.lock.lock import KeyDigest
from queueserver_manager.domain.permissions.permissions import BUILT_IN, Permissions
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.store.codecs import codec
from queueserver_manager.store.codecs.event_codec import decode_events, encode_events
from queueserver_manager.store.commands import Command, commands_for, revisions_command
from queueserver_manager.store.connection import Busy, answered_within, wait_for_answer
from queueserver_manager.store.faults import store_down
from queueserver_manager.store.keys import SCHEMA, Keys
from queueserver_manager.store.lease import LEASE_SECONDS
from queueserver_manager.store.loading import Loader, StoreUnusable
from queueserver_manager.store.port import Entry, EventsGone, OwnershipLost, StoredEvent, StoreDown
from queueserver_manager.store.reading import read_all
from queueserver_manager.store.replicas import Replicas
from queueserver_manager.store.script_connection import ScriptConnection, Word, seconds_for

_PAGE = 1000
_CHANGES_PER_TURN = 500
#: Seconds by which a commit may take longer than others before that concerns the lease.
_LONG_COMMIT = 0.5
#: Place of the milliseconds for the lease among the arguments of a commit.
_LEASE_ARGUMENT = 4


class RedisStore:
    """The record of one owner's term."""

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        epoch: int,
        decode_inventory: Callable[[bytes], Inventory],
        default_permissions: Permissions = BUILT_IN,
        log: Bound = LOG,
        busy: Busy | None = None,
        emergency_key: KeyDigest | None = None,
        replicas: Replicas | None = None,
    ) -> None:
        """``log`` bounds the changes that are kept for watchers that were away; ``busy`` is told of long commits.

        ``replicas`` have to have a change before it counts as stored.
        """
        self._replicas = replicas or Replicas()
        self._emergency_key = emergency_key
        self._log = log
        self._busy = busy or Busy()
        self._redis = redis
        self._keys = Keys(prefix)
        self._epoch = epoch
        self._decode_inventory = decode_inventory
        #: In force as long as none are stored.
        self._default_permissions = default_permissions
        self._commits = ScriptConnection(
            redis, resources.files(__package__).joinpath("commit.lua").read_bytes(), self._busy
        )

    async def close(self) -> None:
        """Release the connection."""
        await self._commits.close()

    async def load(self) -> Record:
        """Read everything. Raises StoreDown, StoreUnusable."""
        try:
            await self._begin()
            stored = await read_all(self._redis, self._keys)
            # Also a commit whose fate was not known until now.
            await self._replicas.have_all(self._redis, self._keys, self._epoch, self._busy)
        except RedisError as error:
            if "WRONGTYPE" in str(error):
                raise StoreUnusable(
                    f"A key of the store is not of the kind that a Manager writes ({error}), and nothing is changed: "
                    "repair it, then start again."
                ) from error
            # It does not answer, or it is full, or it became a replica: all of that may pass.
            raise store_down(error, fate_known=True) from error
        about = (self._decode_inventory, self._default_permissions, self._emergency_key)
        return await Loader(self._keys, *about).record(stored)

    async def renew_identity(self) -> None:
        """Become another store to watchers: what they know was lost. Raises StoreDown."""
        try:
            async with answered_within():
                await self._redis.hset(self._keys.meta, "store_id", str(uuid.uuid4()))
        except RedisError as error:
            raise store_down(error, fate_known=True) from error

    async def _begin(self) -> None:
        """Give a new store its identity."""
        keys, redis = self._keys, self._redis
        async with answered_within():
            await redis.hsetnx(keys.meta, "store_id", str(uuid.uuid4()))
            await redis.hsetnx(keys.meta, "schema", str(SCHEMA))

    async def commit(self, before: Revisions, after: Revisions, entries: Sequence[Entry]) -> None:
        """Write all entries, or none. Raises OwnershipLost, StoreDown."""
        script_keys, arguments = await self._words(before, after, entries)
        more_seconds = await seconds_for(arguments)
        if more_seconds > _LONG_COMMIT:
            # The lease can't be renewed while Redis works on it.
            arguments[_LEASE_ARGUMENT] = round(1000 * (LEASE_SECONDS + more_seconds))
        try:
            answer = await self._commits.run(script_keys, arguments, more_seconds)
            if answer == b"OK":
                await self._replicas.have_commit(self._commits, self._redis, self._keys, more_seconds)
        except (RedisError, OSError) as error:
            await self._leave()
            raise store_down(error, fate_known=not self._commits.may_have_run) from error
        if answer == b"EPOCH":
            raise OwnershipLost
        if answer != b"OK":
            # Only a commit of ours whose reply was lost, or a change by hand, moves the revision; or this connection
            # leads to a server that is not the primary any more, and takes itself for it.
            await self._leave()
            raise StoreDown(f"the store is not at revision {before.last}", fate_known=False)
        time_slice = TimeSlice()
        for change in (change for entry in entries for change in entry.changes):
            codec.drop_encoded(change)
            await time_slice.yield_if_due()

    async def _leave(self) -> None:
        """Use no connection again that may lead to a server which is gone, or is no longer the primary."""
        await self._commits.close()
        with suppress(RedisError, OSError):
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    async def _words(
        self, before: Revisions, after: Revisions, entries: Sequence[Entry]
    ) -> tuple[Sequence[str], list[Word]]:
        """Keys and arguments of ``commit.lua``, built in time slices."""
        keys, time_slice = self._keys, TimeSlice()
        changes = [change for entry in entries for change in entry.changes]
        commands: list[Command] = []
        for start in range(0, len(changes), _CHANGES_PER_TURN):
            some = changes[start : start + _CHANGES_PER_TURN]
            for change in some:
                if codec.encode_ahead(change):
                    await time_slice.yield_if_due()
            commands += commands_for(keys, some)
            await time_slice.yield_if_due()
        commands.append(revisions_command(keys, after))
        words: list[Word] = [self._epoch, before.last, *self._log, 0, len(commands)]
        numbers = {key: number for number, key in enumerate((keys.epoch, keys.meta, keys.events, keys.lease), 1)}
        for name, key, *rest in commands:
            words += (2 + len(rest), name, numbers.setdefault(str(key), len(numbers) + 1), *rest)
        for entry in filter(lambda entry: entry.revision, entries):
            words += (f"{entry.revision}-0", await in_time_slices(encode_events(entry.announcements)))
        return tuple(numbers), words

    async def events_between(self, after: int, up_to: int) -> list[StoredEvent]:
        """Events with ``after`` < revision <= ``up_to``, in order. Raises EventsGone, StoreDown."""
        if after >= up_to:
            return []
        try:
            found = await self._read_log(after, up_to)
        except RedisError as error:
            raise store_down(error, fate_known=True) from error
        # Every revision has an entry in the log, so a missing first one means that the log was cut.
        if not found or found[0][0] != after + 1:
            raise EventsGone
        events: list[StoredEvent] = []
        for revision, data in found:
            events += await in_time_slices(decode_events(revision, data))
        return events

    async def _read_log(self, after: int, up_to: int) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        start = f"{after + 1}-0"
        while True:
            async with answered_within(busy=self._busy):
                page: Any = await self._redis.xrange(self._keys.events, min=start, max=f"{up_to}-0", count=_PAGE)
            found += [(int(entry_id.split(b"-")[0]), fields[b"e"]) for entry_id, fields in page]
            if len(page) < _PAGE:
                return found
            start = f"({page[-1][0].decode()}"

    async def wait_until_up(self) -> None:
        """Return once Redis answers again."""
        await wait_for_answer(self._redis)
