"""The keys in Redis, in one table. P is the prefix of the server as a hash tag, ``{qs}``.

All keys have the same hash tag, so a Redis Cluster keeps them together: scripts and transactions may use them all.
Until then they were called after the bare prefix, ``qs:meta``; ``store/adoption.py`` renames those of an older release.

| key             | type   | content                                                                      |
|-----------------|--------|------------------------------------------------------------------------------|
| P:meta          | hash   | schema, store_id, revision, the revision of the last change of each part,    |
|                 |        | boot_id of the Worker that was met last, and bytes of what is in events      |
| P:items         | hash   | item uid -> item as JSON                                                      |
| P:order         | zset   | item uid by rank: the queue, front first                                      |
| P:running       | string | the running item as JSON; absent if none                                      |
| P:execution     | string | whether the queue is running and a stop is pending, as JSON                   |
| P:mode          | string | how ended items are treated, as JSON                                          |
| P:autostart     | string | present while the queue starts by itself                                      |
| P:tasks         | hash   | task uid -> task, and its result once it has ended, as JSON                   |
| P:requests      | hash   | request id -> fingerprint, time and answer of a request                       |
| P:history       | hash   | entry number -> entry as JSON                                                 |
| P:inventory     | string | plans and devices, a serialized queueserver.common.v1.Inventory              |
| P:lock          | string | the lock as JSON, with a digest of its key; absent if nothing is locked        |
| P:lock:orders   | stream | orders of qserver-clear-lock: field lock, the uid of the lock to clear        |
| P:lock:answers:ID | list | "cleared" or "other": what became of an order; expires after a minute        |
| P:imports       | hash   | import id -> how far this import of another server's state has come, as JSON     |
| P:permissions   | string | what each user group may use, as JSON; absent until it is set or read from a file |
| P:events        | stream | id REVISION-0: events of each change, as watchers get them                    |
| P:epoch         | string | number of the owner's term                                                    |
| P:lease         | hash   | instance, address and epoch of the owner; expires unless renewed              |
| P:lease:freed   | list   | wakes a standby when the owner leaves in good order                           |
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Form of what is stored. A store with a higher number was written by a newer release and is not touched.
SCHEMA = 1


#: The number under the old name of meta, once the keys have their new names: no release reads a store of this number.
MOVED_SCHEMA = 2
#: For a prefix that can't be a hash tag itself.
_OTHER_TAG = "{queueserver}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Names of the keys of the server with this prefix."""

    prefix: str
    #: False for the names that older releases used.
    tagged: bool = True
    #: The first part of each name.
    base: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", with_hash_tag(self.prefix) if self.tagged else self.prefix)

    def __getattr__(self, name: str) -> str:
        """Name of a key; the table above has them all."""
        if name not in NAMES:
            raise AttributeError(name)
        return f"{self.base}:{name.replace('_', ':')}"


def with_hash_tag(prefix: str) -> str:
    """The prefix as a hash tag; unchanged if it has one, which is what Redis finds first between { and }."""
    _, opened, rest = prefix.partition("{")
    tag, closed, _ = rest.partition("}")
    if opened and closed and tag:
        return prefix
    return _OTHER_TAG + prefix if not prefix or prefix.startswith("}") else f"{{{prefix}}}"


NAMES = frozenset(
    {
        "meta",
        "items",
        "order",
        "running",
        "execution",
        "mode",
        "autostart",
        "requests",
        "tasks",
        "history",
        "inventory",
        "permissions",
        "events",
        "epoch",
        "lease",
        "lease_freed",
        "lock",
        "lock_orders",
        "lock_answers",
        "imports",
    }
)
