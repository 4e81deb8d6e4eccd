"""What an import would do, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from queueserver.manager.v1 import import_state_pb2 as pb

from queueserver_import.old_config import OldConfig
from queueserver_import.state import State

#: Problems of one kind that are shown to people.
_MOST = 10


def rows(state: State, without: Sequence[str]) -> list[tuple[str, str]]:
    """What is imported: one row for each part."""
    found = [
        ("queue", _count(state.items, "item")),
        ("history", _history(state)),
        ("permissions", _permissions(state)),
        ("mode", _mode(state)),
        ("lock", _lock(state)),
        ("autostart", "on: the queue starts when the import is complete" if state.autostart else "off: stays as it is"),
    ]
    return [(name, "left as it is (--without)" if name in without else text) for name, text in found]


def for_people(state: State, without: Sequence[str], config: OldConfig) -> str:
    """The table, and what a person should know."""
    lines = [f"  {name:<12} {text}" for name, text in rows(state, without)]
    if state.running is not None:
        name, user, uid = state.running
        returns = "its new attempt is at the head of the queue" if state.running_returns else "it does not return"
        lines += ["", f"The plan {name} of {user} ({uid}) was running: it is in the history as failed, and {returns}."]
    for title, problems in (("Left out, because it is broken", state.left_out), ("Different", state.remarks)):
        if problems.count:
            lines += ["", f"{title} ({problems.count}):"]
            lines += [f"  {sentence}" for sentence in problems.shown[:_MOST]]
            if problems.count > _MOST:
                lines.append("  … (--json shows more)")
    if config.options:
        words = " ".join(f"{flag} {value}" for flag, value in config.options.items())
        lines += ["", f"Its startup code and files: start-re-manager {words}"]
    return "\n".join(lines)


def for_programs(
    state: State,
    without: Sequence[str],
    config: OldConfig,
    source: str,
    answer: pb.ImportStateResponse | None,
    *,
    applied: bool,
    refusal: str,
) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "source": source,
        "import_id": state.import_id,
        "without": list(without),
        "queue": {"items": state.items},
        "history": {"entries": state.entries, "too_old": state.entries_too_old},
        "running_item": _running(state),
        "permissions": {"user_groups": sorted(state.permissions.user_groups)}
        if state.permissions is not None
        else None,
        "mode": state.mode,
        "lock": _lock_fields(state),
        "autostart": state.autostart,
        "left_out": {"count": state.left_out.count, "problems": state.left_out.shown},
        "remarks": {"count": state.remarks.count, "sentences": state.remarks.shown},
        "obstacles": state.obstacles,
        "startup_options": dict(config.options),
        "applied": applied,
        "refusal": refusal,
        "progress": _progress(answer),
    }


def _progress(answer: pb.ImportStateResponse | None) -> Mapping[str, Any] | None:
    if answer is None:
        return None
    complete = answer.complete_time.ToMilliseconds() / 1000 if answer.HasField("complete_time") else None
    return {
        "history_done": answer.history_done,
        "items_done": answer.items_done,
        "known_count": answer.known_count,
        "complete_time": complete,
    }


def when(answer: pb.ImportStateResponse) -> str:
    """When an import was completed, in local time."""
    return datetime.fromtimestamp(answer.complete_time.ToSeconds(), tz=timezone.utc).astimezone().strftime("%c")


def _running(state: State) -> dict[str, Any] | None:
    if state.running is None:
        return None
    name, user, uid = state.running
    return {"name": name, "user": user, "item_uid": uid, "returns_to_the_queue": state.running_returns}


def _history(state: State) -> str:
    text = _count(state.entries, "entry", "entries")
    if state.entries_too_old:
        text += f"; {state.entries_too_old} older ones are left out, because the server keeps no more"
    return text


def _permissions(state: State) -> str:
    if state.permissions is None:
        return "none found: those of the server stay"
    names = sorted(state.permissions.user_groups)
    return f"{_count(len(names), 'group')}: {', '.join(names)}"


def _mode(state: State) -> str:
    if state.mode is None:
        return "none found: that of the server stays"
    return ", ".join(f"{name} {'on' if value else 'off'}" for name, value in state.mode.items())


def _lock(state: State) -> str:
    if "lock" in state.obstacles:
        return f"can't be imported: {state.obstacles['lock']}"
    if state.lock is None:
        return "not locked"
    lock = state.lock.message
    what = " and ".join(name for name in ("environment", "queue") if getattr(lock, name))
    note = f": {lock.note}" if lock.note else ""
    return f"{what}, by {lock.user}{note}; with the same key"


def _lock_fields(state: State) -> dict[str, Any] | None:
    if state.lock is None:
        return None
    lock = state.lock.message
    return {"environment": lock.environment, "queue": lock.queue, "user": lock.user, "note": lock.note}


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"
