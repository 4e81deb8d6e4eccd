"""What must be true when everything has come to rest: nothing lost, nothing twice, nothing out of order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from queueserver_client import ExitStatus, FailureCause, Item
from queueserver_client.models.items import HistoryEntry

from tests.chaos.recorder import Recorder
from tests.chaos.told import Submission, Told

#: The environment was killed, so what the plan had done is not known completely.
_CUT_SHORT = {FailureCause.ENVIRONMENT_LOST, FailureCause.WORKER_LOST, FailureCause.ENVIRONMENT_DESTROYED}


@dataclass
class Traces:
    """What plans wrote down outside the server, by label and attempt."""

    begun: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ended: set[str] = field(default_factory=set)
    #: Run uid by attempt.
    runs: dict[str, str] = field(default_factory=dict)
    #: When an attempt began and ended, in seconds of the wall clock.
    begun_at: dict[str, float] = field(default_factory=dict)
    ended_at: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Traces:
        """Read the file; there is none if no plan began."""
        return cls.of(file.read_text(encoding="utf-8") if file.exists() else "")

    @classmethod
    def of(cls, text: str) -> Traces:
        """Read what is in the file."""
        traces = cls()
        for line in text.splitlines():
            kind, label, attempt, *rest = line.split()
            if kind == "begin":
                traces.begun[label].append(attempt)
                traces.begun_at[attempt] = float(rest[-1])
            elif kind == "run":
                traces.runs[attempt] = rest[0]
            else:
                traces.ended.add(attempt)
                traces.ended_at[attempt] = float(rest[-1])
        return traces


@dataclass(frozen=True)
class Rest:
    """What the server shows when everything has come to rest."""

    queue: Sequence[Item]
    history: Sequence[HistoryEntry]


def label_of(item: Item) -> str:
    """Label of the submission that an item is an attempt at."""
    return str((item.args or ["", ""])[1])


def problems(told: Told, rest: Rest, traces: Traces, recorder: Recorder) -> list[str]:
    """Everything that is wrong, one sentence each; empty if nothing is."""
    entries: dict[str, list[HistoryEntry]] = defaultdict(list)
    for entry in rest.history:
        entries[label_of(entry.item)].append(entry)
    queued: dict[str, list[Item]] = defaultdict(list)
    for item in rest.queue:
        queued[label_of(item)].append(item)
    found = list(recorder.faults)
    found += _same_as_recorded(rest, recorder)
    for label in sorted({*entries, *queued} - set(told.submissions)):
        found.append(f"{label} was refused, but is in the queue or in the history")
    for label, submission in told.submissions.items():
        found += [f"{label}: {text}" for text in _of_item(submission, entries[label], queued[label])]
        found += [f"{label}: {text}" for text in _of_traces(label, entries[label], traces)]
    found += [f"{label} left a trace, but was never accepted" for label in set(traces.begun) - set(told.submissions)]
    found += _order(told, entries)
    return found


def _same_as_recorded(rest: Rest, recorder: Recorder) -> Iterator[str]:
    numbers = [entry.number for entry in rest.history]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the numbers of the history are not 1, 2, 3 …: {numbers}"
    executions = Counter(entry.execution_id for entry in rest.history)
    yield from (f"execution {one} is in the history {count} times" for one, count in executions.items() if count > 1)
    if [entry.number for entry in recorder.history] != numbers:
        yield f"the watch saw the entries {[entry.number for entry in recorder.history]} of the history, not {numbers}"
    for seen, stored in zip(recorder.history, rest.history, strict=False):
        if seen.number == stored.number and seen != stored:
            yield f"the watch saw as entry {seen.number} of the history {seen}, and it is {stored}"
    if list(recorder.view.items) != list(rest.queue):
        yield "the queue that the watch describes is not the queue that is listed"


def _of_item(told: Submission, entries: Sequence[HistoryEntry], queued: Sequence[Item]) -> Iterator[str]:
    """One chain of linked attempts: from what was accepted to a success, a removal, or a place in the queue."""
    uids = [entry.item.uid for entry in entries] + [item.uid for item in queued]
    if not uids:
        if told.uid is not None and not (told.removed or told.perhaps_removed):
            yield f"accepted as {told.uid}, and lost"
        return
    if told.uid is not None and uids[0] != told.uid:
        yield f"accepted as {told.uid}, but the first attempt is {uids[0]}"
    for before, after in pairwise(uids):
        requeued = next(entry.requeued_as_uid for entry in entries if entry.item.uid == before)
        if requeued != after:
            yield f"attempt {after} follows {before}, which was put back as {requeued or 'nothing'}"
    for entry in entries if queued else entries[:-1]:
        if entry.result.exit_status is ExitStatus.COMPLETED:
            yield f"execution {entry.execution_id} was completed, and another attempt followed"
    if len(queued) > 1:
        yield f"{len(queued)} times in the queue"
    if told.removed and queued:
        yield "removed, but in the queue"
    yield from _of_last(told, entries, queued)


def _of_last(told: Submission, entries: Sequence[HistoryEntry], queued: Sequence[Item]) -> Iterator[str]:
    if not entries or queued:
        return
    last = entries[-1]
    completed = last.result.exit_status is ExitStatus.COMPLETED
    if completed and last.requeued_as_uid:
        yield "completed, and put back nevertheless"
    if not completed and not last.requeued_as_uid:
        yield f"ended as {last.result.exit_status}, and was not put back"
    if not completed and last.requeued_as_uid and not (told.removed or told.perhaps_removed):
        yield f"put back as {last.requeued_as_uid} and lost: {last.result.message}"
    if completed and told.removed:
        yield "completed, although a client was told that it is removed"


def _of_traces(label: str, entries: Sequence[HistoryEntry], traces: Traces) -> Iterator[str]:
    """Every trace belongs to one execution, and every success has left its traces."""
    attempts = traces.begun.get(label, [])
    may_have_begun = [entry for entry in entries if entry.result.failure_cause is not FailureCause.NOT_STARTED]
    if len(attempts) > len(may_have_begun):
        yield f"began {len(attempts)} times, and the history has {len(may_have_begun)} executions"
    known = Counter(run.uid for entry in entries for run in entry.result.runs)
    yield from (f"run {run} is in the history {count} times" for run, count in known.items() if count > 1)
    unknown = [attempt for attempt in attempts if attempt in traces.runs and traces.runs[attempt] not in known]
    cut_short = [entry for entry in entries if entry.result.failure_cause in _CUT_SHORT and not entry.result.runs]
    if len(unknown) > len(cut_short):
        yield f"{len(unknown)} runs are in no execution"
    ended = {traces.runs[attempt] for attempt in attempts if attempt in traces.ended}
    for entry in entries:
        if entry.result.exit_status is ExitStatus.COMPLETED and not {run.uid for run in entry.result.runs} & ended:
            yield f"execution {entry.execution_id} is called completed, and left no trace of an end"


def _order(told: Told, entries: dict[str, list[HistoryEntry]]) -> Iterator[str]:
    """Items that one client submitted one after the other, and did not move, are executed in this order."""
    first: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for label, submission in told.submissions.items():
        if submission.uid is not None and not submission.moved and entries[label]:
            first[submission.client].append((submission.number, entries[label][0].number, label))
    for executed in first.values():
        for (_, before, one), (_, after, other) in pairwise(sorted(executed)):
            if before > after:
                yield f"{one} was submitted before {other}, and executed after it"
