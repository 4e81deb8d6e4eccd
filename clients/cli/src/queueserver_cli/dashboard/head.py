"""The head of the screen: the connection, the status, and what needs a person's attention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter

from queueserver_client import ConnectionState, ManagerState, Status
from rich.console import Console
from rich.text import Text

from queueserver_cli.dashboard.link import Standing
from queueserver_cli.dashboard.look import Look, clock, elapsed
from queueserver_cli.dashboard.state import State
from queueserver_cli.words.event_words import counted
from queueserver_cli.words.execution_words import message_words, sentence
from queueserver_cli.words.legacy_json import known
from queueserver_cli.words.lock_lines import holder_line, request_line
from queueserver_cli.words.storage_words import storage_words
from queueserver_cli.words.waiting_words import waiting_words

#: Seconds for which a notice about the watch is shown.
NOTICE_SECONDS = 60.0
#: One sentence takes no more lines than this.
_MOST_LINES = 3
_WRAPPING = Console(file=None, width=80, legacy_windows=False)


def link_lines(state: State, look: Look, now: datetime) -> list[Text]:
    """Whether the server is there; without it, since when, and the time of the rest."""
    link = state.link
    standing = link.standing(now)
    address = look.text(link.address)
    if standing is Standing.CONNECTED:
        return [Text(f"connected{look.dot}{address}", style="green")]
    then = clock(link.last_sign)
    since = f"{then} ({elapsed(link.silence(now))})"
    if standing is Standing.QUIET:
        first = f" NO SIGN OF LIFE since {since}{look.dot}{address} "
        second = f"What is below is of {then}."
    else:
        first = f" NOT CONNECTED since {since}{look.dot}{address} "
        second = f"What is below is of {then}. {look.text(link.lost_because)} Trying again."
    return [Text(first, style="bold reverse red"), Text(second, style="yellow")]


def status_line(state: State, look: Look) -> list[Text]:
    """What the Manager does, in one line; none if the status is not watched."""
    status = state.view.status
    if status is None:
        return []
    environment = status.environment
    parts = [
        f"manager {known(status.manager_state)}{_marks(status)}",
        f"environment {known(environment.state)} {environment.progress}".rstrip(),
        f"RunEngine {environment.run_engine_state}" if environment.run_engine_state.number else "",
        f"{status.items_in_history} in history",
        counted(environment.background_tasks, "background task") if environment.background_tasks else "",
    ]
    return [Text(look.text(look.dot.join(filter(None, parts))), style="bold")]


def _marks(status: Status) -> str:
    marks = {
        "pausing": status.pause_pending,
        "stops after this item": status.queue_stop_pending,
        "loop": status.queue_mode.loop,
        "ignores failures": status.queue_mode.ignore_failures,
        "autostart": status.queue_autostart_enabled,
    }
    return "".join(f", {mark}" for mark, is_set in marks.items() if is_set)


def attention_lines(state: State, look: Look, width: int, most: int, now: datetime) -> list[Text]:
    """What needs a person's attention, the most urgent first, in no more lines than there is room for."""
    lines: list[Text] = []
    for words, style in filter(itemgetter(0), _sentences(state, now)):
        wrapped = Text(look.text(words), style=style).wrap(_WRAPPING, max(width, 1))
        if len(wrapped) > _MOST_LINES:
            wrapped[_MOST_LINES - 1].append(look.more)
        lines += wrapped[:_MOST_LINES]
    if len(lines) > most:
        lines = [*lines[: most - 1], Text(f"{look.more} and more: qserver why", style="yellow")]
    return lines


def _sentences(state: State, now: datetime) -> Iterator[tuple[str, str]]:
    """Sentences, each with its style; empty ones are left out."""
    notice, status = state.notice, state.view.status
    if notice is not None and (now - notice.time).total_seconds() < NOTICE_SECONDS:
        yield f"{clock(notice.time)} {notice.words}", "magenta"
    if state.lock is not None:
        # The holder has to answer.
        yield request_line(state.lock), "bold magenta"
        yield holder_line(state.lock), "bold"
    if status is not None:
        if status.manager_state is ManagerState.PAUSED:
            yield "The plan is paused: qserver re resume, or to end it re stop, re abort, re halt", "bold yellow"
        for words in waiting_words(status.environment):
            yield _sentence(words), "bold yellow"
        for words in storage_words(status):
            yield words, "bold red"
        yield from _of_the_environment(status)
        if status.invalid_items:
            verb = "would fail as things are: qserver queue get"
            yield f"{counted(status.invalid_items, 'item')} in the queue {verb}", "yellow"
    failed = state.failed_entry()
    if failed is not None:
        result = failed.result
        when = f" at {clock(result.stop_time)}" if result.stop_time is not None else ""
        why = f": {message_words(result)}" if message_words(result) else ""
        words = sentence(f"The last plan, {failed.item.name}, {known(result.exit_status)}{when}{why}")
        yield f"{words} See: qserver why", "red"


def _of_the_environment(status: Status) -> Iterator[tuple[str, str]]:
    environment = status.environment
    if status.worker is ConnectionState.DOWN:
        yield "The Worker can't be reached: the environment is shown as it was last known.", "bold red"
    elif status.environment_exists and not environment.responsive:
        yield "The environment has sent no sign of life for some seconds.", "bold red"
    if environment.failure is not None:
        yield environment.failure.message, "red"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
