"""The old state as it is imported: what there is, what can't be kept, and its elements one after another.

It may be long, so it is read twice and never held: once to count it, find what is broken and make the identity of the
import, and once to send it. The identity is a digest of all that is imported, so if the second reading finds another
one, the old server is still working.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from queueserver.common.v1 import item_pb2, permissions_pb2

from queueserver_import import old_redis
from queueserver_import.failures import Broken
from queueserver_import.old_config import OldConfig
from queueserver_import.old_items import entry_of, fields_of, interrupted, item_of, was_immediate
from queueserver_import.old_redis import OldRedis
from queueserver_import.old_settings import OldLock, autostart_of, lock_of, mode_of, permissions_in, permissions_of

PARTS: Final = ("queue", "history", "permissions", "mode", "lock", "autostart")
#: Problems that are shown; all are counted.
_MOST_SHOWN: Final = 100
#: Elements after which progress is told.
_STEP: Final = 1000
_UIDS: Final = uuid.UUID("4f2c6a0e-6ed0-4c37-9f5e-5d0a0f6b5b7d")
#: Is told what is read, how many elements of it, and how many there are.
Progress = Callable[[str, int, int], None]


@dataclass
class Problems:
    """What is wrong with the old state: a few sentences, and how many there would be."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self.shown) < _MOST_SHOWN:
            self.shown.append(sentence)


@dataclass
class State:
    """What was found. Counts are of what can be imported."""

    items: int = 0
    entries: int = 0
    #: Older entries that the server has no room for.
    entries_too_old: int = 0
    #: Name, submitter and uid of the item that ran when the old server was stopped.
    running: tuple[str, str, str] | None = None
    running_returns: bool = False
    permissions: permissions_pb2.UserGroupPermissions | None = None
    mode: dict[str, bool] | None = None
    lock: OldLock | None = None
    autostart: bool = False
    #: Elements that are left out.
    left_out: Problems = field(default_factory=Problems)
    #: What is imported differently.
    remarks: Problems = field(default_factory=Problems)
    #: What keeps a part from being imported at all, by the name of the part.
    obstacles: dict[str, str] = field(default_factory=dict)
    import_id: str = ""


class OldState:
    """Reads the state of one bluesky-queueserver."""

    def __init__(
        self,
        redis: OldRedis,
        config: OldConfig,
        without: Collection[str],
        policy: str,
        most_entries: int,
        progress: Progress,
    ) -> None:
        """``policy`` is what the server does with an interrupted item; ``most_entries`` how many entries it keeps."""
        self._redis = redis
        self._config = config
        self._wanted = [part for part in PARTS if part not in without]
        self._policy = policy
        self._most_entries = most_entries
        self._progress = progress
        self._digest = hashlib.blake2b(digest_size=20)
        self._now = time.time()

    async def survey(self) -> State:
        """Read everything once. Raises NoConnection."""
        state = State()
        await self._settings(state)
        async for _ in self.entries(state):
            state.entries += 1
        async for _ in self.items(state):
            state.items += 1
        state.import_id = self._identity()
        return state

    async def begin_again(self) -> None:
        """Before entries and items are read once more. Raises NoConnection."""
        self._digest = hashlib.blake2b(digest_size=20)
        await self._settings(State())

    def is_still(self, state: State) -> bool:
        """Whether what was read since :meth:`begin_again` is what the survey found."""
        return self._identity() == state.import_id

    def _identity(self) -> str:
        return f"bluesky-queueserver-{self._digest.hexdigest()}"

    async def entries(self, state: State) -> AsyncIterator[item_pb2.HistoryEntry]:
        """The history, oldest first, and the entry of an interrupted item. Raises NoConnection."""
        if "history" in self._wanted:
            state.entries_too_old = max(0, await self._length(old_redis.HISTORY, state) - self._most_entries)
            async for name, data in self._elements(old_redis.HISTORY, state, state.entries_too_old):
                entry = self._converted(name, data, entry_of, state)
                if entry is not None:
                    yield entry
        running = await self._running(state)
        if running is not None and "history" in self._wanted:
            entry = interrupted(running, self._now)
            if self._returns(running):
                entry.requeued_as_uid = _next_uid(entry.item.item_uid)
            yield entry

    async def items(self, state: State) -> AsyncIterator[item_pb2.Item]:
        """The queue, front first: a new attempt of an interrupted item, then what waits. Raises NoConnection."""
        if "queue" not in self._wanted:
            return
        running = await self._running(State())
        if running is not None and self._returns(running):
            item = interrupted(running, self._now).item
            item.attempt, item.retry_of_uid, item.item_uid = 2, item.item_uid, _next_uid(item.item_uid)
            item.held = self._policy == "hold"
            item.ClearField("create_time")
            yield item
        async for name, data in self._elements(old_redis.QUEUE, state):
            found = self._converted(name, data, item_of, state)
            if found is not None:
                yield found

    async def _length(self, name: str, state: State) -> int:
        try:
            return await self._redis.length(name)
        except Broken as problem:
            state.left_out.add(f"{name}: {problem}")
            return 0

    async def _elements(self, name: str, state: State, start: int = 0) -> AsyncIterator[tuple[str, bytes]]:
        total, index = await self._length(name, State()), start
        try:
            async for data in self._redis.elements(name, start):
                self._take(name, data)
                yield f"{name}[{index}]", data
                index += 1
                if index % _STEP == 0 or index == total:
                    self._progress(name, index - start, total - start)
        except Broken as problem:
            if name != old_redis.HISTORY:
                state.left_out.add(f"{name}: {problem}")

    def _converted(self, name: str, data: bytes, convert: Callable[[Any, list[str]], Any], state: State) -> Any:
        remarks: list[str] = []
        try:
            fields = fields_of(data)
            found = convert(fields, remarks)
        except Broken as problem:
            state.left_out.add(f"{name} {problem}")
            return None
        for remark in remarks:
            state.remarks.add(f"{name}: {remark}")
        return found

    async def _running(self, state: State) -> dict[str, Any] | None:
        """The item that ran when the old server was stopped."""
        try:
            data = await self._redis.text(old_redis.RUNNING)
            fields = fields_of(data) if data is not None else {}
            if not fields:
                return None
            item = interrupted(fields, self._now).item
        except Broken as problem:
            state.left_out.add(f"{old_redis.RUNNING} {problem}")
            return None
        self._take(old_redis.RUNNING, data or b"")
        state.running = (item.name, item.user, item.item_uid)
        state.running_returns = self._returns(fields)
        return fields

    def _returns(self, running: dict[str, Any]) -> bool:
        return self._policy != "drop" and not was_immediate(running)

    async def _settings(self, state: State) -> None:
        self._take("parts", ",".join((*self._wanted, self._policy)).encode())
        for part, name, read in (
            ("permissions", old_redis.PERMISSIONS, permissions_of),
            ("mode", old_redis.MODE, mode_of),
            ("lock", old_redis.LOCK, lock_of),
            ("autostart", old_redis.AUTOSTART, autostart_of),
        ):
            if part in self._wanted:
                await self._setting(part, name, read, state)
        if "permissions" in self._wanted and state.permissions is None:
            self._permissions_of_file(state)

    async def _setting(self, part: str, name: str, read: Callable[[bytes], Any], state: State) -> None:
        try:
            data = await self._redis.text(name)
            if data is None:
                return
            self._take(name, data)
            setattr(state, part, read(data))
        except Broken as problem:
            if part == "lock":
                # Without it, others could do what its holder wants to prevent.
                state.obstacles[part] = f"the lock ({name}) can't be kept: {problem}"
            else:
                state.left_out.add(f"{name}: {problem}")

    def _permissions_of_file(self, state: State) -> None:
        """As the old server does, if its Redis has none that can be used."""
        file = self._config.permission_file()
        if file is None or not file.exists():
            return
        try:
            state.permissions = permissions_in(file)
        except Broken as problem:
            state.left_out.add(f"permissions: {problem}")
            return
        self._take("permissions", state.permissions.SerializeToString(deterministic=True))
        state.remarks.add(f"permissions are those of the file {file}")

    def _take(self, name: str, data: bytes) -> None:
        """Make something part of the identity."""
        self._digest.update(b"%b:%d:" % (name.encode(), len(data)))
        self._digest.update(data)


def _next_uid(uid: str) -> str:
    """The uid of a new attempt: the same whenever it is made."""
    return str(uuid.uuid5(_UIDS, uid))
