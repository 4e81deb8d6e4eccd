"""The whole life of an item, as lines for people and as a dictionary for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from queueserver_client import Item, ItemStatus, RunSummary

from queueserver_cli.display.printed_text import PrintedText
from queueserver_cli.display.terminal_text import console_line
from queueserver_cli.waiting.attempts import Attempts, next_attempt, state_word
from queueserver_cli.words.event_words import counted
from queueserver_cli.words.execution_words import message_words, seconds_words
from queueserver_cli.words.legacy_json import entry_dict, item_dict, plain, run_dict

#: Runs that are listed for people.
_SHOWN_RUNS = 20
#: Characters shown of the reason why another attempt ended.
_SHOWN_WHY = 120
#: Lines of what it printed, and of a traceback, that are shown for people.
_SHOWN_LINES = 20
_INDENT = " " * 13


@dataclass(frozen=True)
class ItemLife:
    """All that is known of one item."""

    status: ItemStatus
    attempts: Attempts
    runs: Sequence[RunSummary]
    printed: PrintedText

    def lines(self) -> Iterator[str]:
        """What people see."""
        item = self.status.item
        yield _call(item)
        yield _row("uid", item.uid)
        yield _row("state", self._state())
        yield _row("submitted", f"{moment_words(item.create_time)} by {item.user} ({item.user_group})")
        yield from self._times()
        yield from (_row("problem", f"{each.field}: {each.description}") for each in item.problems)
        for name in ("meta", "properties"):
            if getattr(item, name):
                yield _row(name, repr(plain(getattr(item, name))))
        yield from self._runs()
        yield from self._attempts()
        yield from self._text()

    def _state(self) -> str:
        word = state_word(self.status)
        if self.status.index is not None:
            return f"{word}, at {self.status.index} in the queue"
        return word

    def _times(self) -> Iterator[str]:
        entry, running = self.status.history_entry, self.status.running
        if running is not None:
            yield _row("began", moment_words(running.claim_time))
        if entry is None:
            return
        result = entry.result
        yield _row("began", moment_words(result.start_time) if result.start_time is not None else "never")
        after = seconds_words(result)
        yield _row("ended", moment_words(result.stop_time) + (f", after {after}" if after else ""))
        if result.ended_by:
            yield _row("ended by", result.ended_by)
        if message_words(result):
            yield _row("why", message_words(result))
        if result.failure_cause.number:
            yield _row("cause", str(result.failure_cause).replace("_", " "))
        yield from (_row("notice", notice) for notice in result.notices)
        if entry.requeued_as_uid and not next_attempt(self.status):
            yield _row("repeated", f"as {entry.requeued_as_uid}")

    def _runs(self) -> Iterator[str]:
        if not self.runs:
            return
        yield _row("runs", counted(len(self.runs), "run"))
        for run in self.runs[:_SHOWN_RUNS]:
            number = f"scan {run.scan_id}" if run.scan_id is not None else "no number"
            yield f"{_INDENT}{number}  {run.uid}  {'open' if run.is_open else run.exit_status}"
        if len(self.runs) > _SHOWN_RUNS:
            yield f"{_INDENT}… and {len(self.runs) - _SHOWN_RUNS} more: qserver --json item {self.status.item.uid}"

    def _attempts(self) -> Iterator[str]:
        attempts = self.attempts
        if len(attempts.known) == 1 and not attempts.has_earlier:
            return
        yield _row("attempts", "" if not attempts.has_earlier else "of earlier ones nothing is known any more")
        for each in attempts.known:
            is_this = each.item.uid == self.status.item.uid
            yield f"{_INDENT}{each.item.attempt}  {each.item.uid}  {state_word(each)}{_attempt_words(each, is_this)}"
        if attempts.has_later:
            yield f"{_INDENT}later ones are not listed"

    def _text(self) -> Iterator[str]:
        entry = self.status.history_entry
        if entry is not None and entry.result.traceback:
            yield _row("traceback", "")
            yield from _last_lines(entry.result.traceback, "the whole of it: qserver --json item UID")
        if self.printed.text:
            note = "" if self.printed.is_whole else self.printed.note
            yield _row("printed", note)
            yield from _last_lines(self.printed.text, f"more of it: qserver logs {self.status.item.uid}")

    def document(self) -> dict[str, Any]:
        """What programs get."""
        status = self.status
        entry = status.history_entry
        item = entry_dict(entry) if entry is not None else item_dict(status.item)
        created = status.item.create_time
        return {
            "item": item | {"attempt": status.item.attempt},
            "state": status.state.value,
            "index": status.index,
            "revision": status.revision,
            "time_created": created.timestamp() if created is not None else None,
            "execution_id": _execution_id(status),
            "runs": [run_dict(run) for run in self.runs],
            "attempts": [_attempt(each) for each in self.attempts.known],
            "attempts_are_whole": not (self.attempts.has_earlier or self.attempts.has_later),
            "printed": self.printed.text,
            "printed_is_whole": self.printed.is_whole,
        }


def moment_words(time: datetime | None) -> str:
    """Local date and time of day."""
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}" if time is not None else "at an unknown time"


def _call(item: Item) -> str:
    if item.item_type.value == "instruction":
        return item.name
    arguments = [repr(plain(value)) for value in item.args or ()]
    arguments += [f"{key}={plain(value)!r}" for key, value in (item.kwargs or {}).items()]
    return f"{item.name}({', '.join(arguments)})"


def _row(name: str, text: str) -> str:
    return f"  {name:10} {text}".rstrip()


def _last_lines(text: str, more: str) -> Iterator[str]:
    lines = [console_line(line) for line in text.rstrip("\n").split("\n")]
    if len(lines) > _SHOWN_LINES:
        yield f"{_INDENT}… {len(lines) - _SHOWN_LINES} lines before; {more}"
    yield from (f"{_INDENT}{line}".rstrip() for line in lines[-_SHOWN_LINES:])


def _attempt_words(status: ItemStatus, is_this: bool) -> str:
    if is_this:
        return "  (this one)"
    why = message_words(status.history_entry.result) if status.history_entry is not None else ""
    return f": {why if len(why) <= _SHOWN_WHY else why[:_SHOWN_WHY] + '…'}" if why else ""


def _execution_id(status: ItemStatus) -> str | None:
    if status.running is not None:
        return status.running.execution_id
    return status.history_entry.execution_id if status.history_entry is not None else None


def _attempt(status: ItemStatus) -> dict[str, Any]:
    entry = status.history_entry
    body: dict[str, Any] = {"item_uid": status.item.uid, "attempt": status.item.attempt, "state": status.state.value}
    if entry is not None:
        body |= {"exit_status": entry.result.exit_status.value, "msg": entry.result.message}
    return body
