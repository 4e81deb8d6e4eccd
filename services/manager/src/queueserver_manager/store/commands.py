"""Changes as Redis commands. The counterpart of ``Record.apply``: the same change, in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from queueserver_manager.domain import changes as ch
from queueserver_manager.domain.record import Revisions
from queueserver_manager.store.codecs import codec, task_codec
from queueserver_manager.store.codecs.import_codec import encode_import
from queueserver_manager.store.codecs.lock_codec import encode_lock
from queueserver_manager.store.codecs.permission_codec import encode_permissions
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.script_connection import Word

#: The name of the command, its only key, and what follows.
Command = Sequence[Word]
# Lua can unpack some thousands of words into one call; long commands are split well below that.
_PAIRS = 1000
#: How long the tool that ordered a lock to be cleared can read the result.
_ANSWER_MILLISECONDS = 60_000


def commands_for(keys: Keys, changes: Iterable[ch.Change]) -> list[Command]:
    """Commands that make these changes, neighbouring puts and drops gathered into one command."""
    commands: list[Command] = []
    items: list[Word] = []
    ranks: list[Word] = []
    for change in changes:
        if isinstance(change, ch.PutItem):
            items += (change.item.uid, codec.encode_item(change.item))
            ranks += (change.rank, change.item.uid)
        elif isinstance(change, (ch.SetRank, ch.MoveItem)):
            ranks += (change.rank, change.uid)
        else:
            _flush(keys, items, ranks, commands)
            commands.extend(_other(keys, change))
    _flush(keys, items, ranks, commands)
    return commands


def _flush(keys: Keys, items: list[Word], ranks: list[Word], commands: list[Command]) -> None:
    for words, head in ((items, ("HSET", keys.items)), (ranks, ("ZADD", keys.order))):
        commands.extend((*head, *words[start : start + 2 * _PAIRS]) for start in range(0, len(words), 2 * _PAIRS))
    items.clear()
    ranks.clear()


def _other(keys: Keys, change: ch.Change) -> Iterable[Command]:
    match change:
        case ch.DropItem(uid):
            return [("HDEL", keys.items, uid), ("ZREM", keys.order, uid)]
        case ch.DropAllItems():
            return [("DEL", keys.items), ("DEL", keys.order)]
        case ch.SetRunning(None):
            return [("DEL", keys.running)]
        case ch.SetRunning(running) | ch.MarkRunning(running) if running is not None:
            return [("SET", keys.running, codec.encode_running(running))]
        case ch.SetQueueActivity(activity):
            return [("SET", keys.execution, codec.encode_queue_activity(activity))]
        case ch.AddHistory(entry):
            number = str(entry.number)
            return [
                ("HSET", keys.history, number, codec.encode_entry(entry)),
                ("HSET", keys.meta, "last_history_number", number),
            ]
        case ch.DropHistory(first, before):
            numbers = [str(number) for number in range(first, before)]
            return [
                ("HDEL", keys.history, *numbers[start : start + _PAIRS]) for start in range(0, len(numbers), _PAIRS)
            ]
        case ch.SetInventory(inventory):
            return [("SET", keys.inventory, inventory.wire)]
    return _settings(keys, change)


def _settings(keys: Keys, change: ch.Change) -> Iterable[Command]:
    match change:
        case ch.SetPermissions(permissions):
            return [("SET", keys.permissions, encode_permissions(permissions))]
        case ch.SetMode(mode):
            return [("SET", keys.mode, codec.encode_mode(mode))]
        case ch.SetAutostart(enabled):
            return [("SET", keys.autostart, "on") if enabled else ("DEL", keys.autostart)]
        case ch.PutTask(kept):
            return [("HSET", keys.tasks, kept.task.uid, task_codec.encode_kept(kept))]
        case ch.DropTasks(uids):
            return [("HDEL", keys.tasks, *uids)]
        case ch.SetWorker(boot_id):
            return [("HSET", keys.meta, "worker_boot_id", boot_id)]
    return _memory(keys, change)


def _memory(keys: Keys, change: ch.Change) -> Iterable[Command]:
    match change:
        case ch.PutImport(done, forgotten):
            drop = [("HDEL", keys.imports, forgotten)] if forgotten else []
            return [*drop, ("HSET", keys.imports, done.import_id, encode_import(done))]
        case ch.SetLock(None):
            return [("DEL", keys.lock)]
        case ch.SetLock(lock) if lock is not None:
            return [("SET", keys.lock, encode_lock(lock))]
        case ch.SettleClearOrder(order_id, cleared):
            answers = f"{keys.lock_answers}:{order_id}"
            return [
                ("XDEL", keys.lock_orders, order_id),
                ("RPUSH", answers, "cleared" if cleared else "other"),
                ("PEXPIRE", answers, _ANSWER_MILLISECONDS),
            ]
        case ch.RememberRequest(request):
            return [("HSET", keys.requests, request.request_id, codec.encode_request(request))]
        case ch.ForgetRequests(request_ids):
            return [("HDEL", keys.requests, *request_ids)]
        case ch.ForgetAnswers(requests):
            pairs = [word for one in requests for word in (one.request_id, codec.encode_request(one))]
            return [
                ("HSET", keys.requests, *pairs[start : start + 2 * _PAIRS])
                for start in range(0, len(pairs), 2 * _PAIRS)
            ]
    raise TypeError(f"no command for {change!r}")


def revisions_command(keys: Keys, revisions: Revisions) -> Command:
    """Command that notes the revisions after a commit."""
    return (
        "HSET",
        keys.meta,
        *("revision", revisions.last, "queue_revision", revisions.queue, "history_revision", revisions.history),
        *("plans_revision", revisions.plans, "devices_revision", revisions.devices),
        *("tasks_revision", revisions.tasks, "permissions_revision", revisions.permissions),
        *("mode_revision", revisions.mode, "lock_revision", revisions.lock),
    )
