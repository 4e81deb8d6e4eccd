"""From what the keys hold to the record.

What can't be read was not written by a Manager, and may be an item that was accepted. So nothing is skipped:
the Manager does not start, and says which key it is and how to discard what it held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from google.protobuf.message import DecodeError
from queueserver_long_work.time_slice import TimeSlice

from queueserver_manager.domain.changes import QueueActivity
from queueserver_manager.domain.history import History
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.lock.lock import KeyDigest
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.queue.queue import Queue
from queueserver_manager.domain.record import Record, Revisions
from queueserver_manager.domain.requests import Requests
from queueserver_manager.domain.tasks.tasks import Tasks
from queueserver_manager.store.codecs import codec
from queueserver_manager.store.codecs.import_codec import decode_import
from queueserver_manager.store.codecs.lock_codec import decode_lock
from queueserver_manager.store.codecs.permission_codec import decode_permissions
from queueserver_manager.store.codecs.task_codec import decode_kept
from queueserver_manager.store.keys import SCHEMA, Keys

#: Seconds: other clients must learn that we are not ready, and the lease must be renewed.
_TURN = 0.002
T = TypeVar("T")
Hash = Mapping[bytes, bytes]


class StoreUnusable(Exception):  # noqa: N818 - what is the matter, not a class of faults
    """What is stored can't be used; the message says what to do."""


class SchemaTooNew(StoreUnusable):
    """The store was written by a newer release."""


class StoreUnreadable(StoreUnusable):
    """Something in the store is not what a Manager writes."""

    def __init__(self, where: str, problem: Exception, remedy: str) -> None:
        super().__init__(
            f"What Redis holds in {where} can't be read ({type(problem).__name__}: {problem}), and nothing is changed: "
            f"repair it, or discard it by typing {remedy} into redis-cli; then start again."
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """The content of the keys. The hashes are emptied while they are decoded, so that nothing is in memory twice."""

    meta: Hash
    items: dict[bytes, bytes]
    #: uid and rank of each item, front first.
    order: Sequence[tuple[bytes, float]]
    history: dict[bytes, bytes]
    requests: dict[bytes, bytes]
    tasks: dict[bytes, bytes]
    running: bytes | None
    queue_activity: bytes | None
    inventory: bytes | None
    permissions: bytes | None
    mode: bytes | None
    autostart: bytes | None
    lock: bytes | None
    imports: dict[bytes, bytes]


class Loader:
    """Makes the record of one store."""

    def __init__(
        self,
        keys: Keys,
        decode_inventory: Callable[[bytes], Inventory],
        default_permissions: Permissions,
        emergency_key: KeyDigest | None = None,
    ) -> None:
        self._keys = keys
        self._decode_inventory = decode_inventory
        self._default_permissions = default_permissions
        self._emergency_key = emergency_key

    async def record(self, stored: Stored) -> Record:
        """Everything that is stored, read in time slices. Raises SchemaTooNew, StoreUnreadable."""
        meta = stored.meta
        schema = self._number(meta, b"schema")
        if schema > SCHEMA:
            raise SchemaTooNew(
                f"The store has schema {schema} and this release knows {SCHEMA}: "
                "run the release that wrote it, or a newer one."
            )
        record = Record(store_id=meta[b"store_id"].decode(), revisions=self._revisions(meta))
        record.queue = await self._queue(stored.items, stored.order)
        record.history = await self._history(stored.history, self._number(meta, b"last_history_number"))
        record.running = self._part(
            "running", stored.running, lambda data: codec.decode_running(codec.decode(data), len(data))
        )
        record.queue_activity = (
            self._part("execution", stored.queue_activity, lambda data: codec.decode_queue_activity(codec.decode(data)))
            or QueueActivity()
        )
        record.inventory = self._part("inventory", stored.inventory, self._decode_inventory) or Inventory()
        permissions = self._part("permissions", stored.permissions, decode_permissions)
        record.permissions = permissions if permissions is not None else self._default_permissions
        record.mode = self._part("mode", stored.mode, lambda data: codec.decode_mode(codec.decode(data))) or QueueMode()
        record.autostart = stored.autostart is not None
        record.lock = self._part("lock", stored.lock, decode_lock)
        record.emergency_key = self._emergency_key
        record.worker_boot_id = meta.get(b"worker_boot_id", b"").decode()
        record.requests = await self._requests(stored.requests)
        record.tasks = await self._tasks(stored.tasks)
        imports = [self._entry("imports", name, partial(decode_import, data)) for name, data in stored.imports.items()]
        record.imports = {one.import_id: one for one in sorted(imports, key=lambda one: one.begun)}
        return record

    def _number(self, meta: Hash, name: bytes) -> int:
        return _read(f"{self._keys.meta}, {name.decode()}", "what it should say", lambda: int(meta.get(name, 0)))

    def _revisions(self, meta: Hash) -> Revisions:
        return Revisions(
            last=self._number(meta, b"revision"),
            queue=self._number(meta, b"queue_revision"),
            history=self._number(meta, b"history_revision"),
            plans=self._number(meta, b"plans_revision"),
            devices=self._number(meta, b"devices_revision"),
            tasks=self._number(meta, b"tasks_revision"),
            permissions=self._number(meta, b"permissions_revision"),
            lock=self._number(meta, b"lock_revision"),
            # An older release did not note it: then it is not known since when the mode has been as it is.
            mode=self._number(meta, b"mode_revision" if b"mode_revision" in meta else b"revision"),
        )

    def _part(self, name: str, data: bytes | None, decode: Callable[[bytes], T]) -> T | None:
        """What a key holds; None if it does not exist."""
        key: str = getattr(self._keys, name)
        return _read(key, f"DEL {key}", lambda: decode(data)) if data else None

    def _entry(self, name: str, field: bytes, decode: Callable[[], T]) -> T:
        """What a field of a hash holds."""
        key: str = getattr(self._keys, name)
        text = field.decode(errors="replace")
        return _read(f"{key}, {text}", f"HDEL {key} {text}", decode)

    async def _queue(self, items: dict[bytes, bytes], order: Sequence[tuple[bytes, float]]) -> Queue:
        queue, keys, time_slice = Queue(), self._keys, TimeSlice(_TURN)
        for uid, rank in order:
            text = uid.decode(errors="replace")
            decode = partial(_decode_item, items, uid)
            item = _read(f"{keys.items}, {text}", f"ZREM {keys.order} {text}", decode)
            queue.put(item, int(rank))
            await time_slice.yield_if_due()
        return queue

    async def _history(self, entries: dict[bytes, bytes], last_number: int) -> History:
        # Its entries are numbered without holes, so it is kept or discarded as a whole.
        key, time_slice = self._keys.history, TimeSlice(_TURN)
        numbers = _read(key, f"DEL {key}", lambda: sorted(map(int, entries)))
        history = History(numbers[0] if numbers else last_number + 1)
        for number in numbers:
            _read(key, f"DEL {key}", partial(_add_entry, history, entries, number))
            await time_slice.yield_if_due()
        return history

    async def _tasks(self, stored: dict[bytes, bytes]) -> Tasks:
        tasks, time_slice = [], TimeSlice(_TURN)
        while stored:
            uid, data = stored.popitem()
            tasks.append(self._entry("tasks", uid, partial(decode_kept, data)))
            await time_slice.yield_if_due()
        return Tasks(tasks)

    async def _requests(self, stored: dict[bytes, bytes]) -> Requests:
        requests, time_slice = [], TimeSlice(_TURN)
        while stored:
            request_id, data = stored.popitem()
            decode = partial(codec.decode_request, request_id.decode(), data)
            requests.append(self._entry("requests", request_id, decode))
            await time_slice.yield_if_due()
        return Requests(sorted(requests, key=lambda request: request.time))


def _decode_item(items: dict[bytes, bytes], uid: bytes) -> Item:
    data = items.pop(uid)
    return codec.decode_item(codec.decode(data), len(data))


def _add_entry(history: History, entries: dict[bytes, bytes], number: int) -> None:
    data = entries.pop(str(number).encode())
    history.add(codec.decode_entry(codec.decode(data), len(data)))


def _read(where: str, remedy: str, decode: Callable[[], T]) -> T:
    try:
        return decode()
    except (ValueError, LookupError, TypeError, AttributeError, DecodeError) as error:
        raise StoreUnreadable(where, error, remedy) from error
