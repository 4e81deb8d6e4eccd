"""Outcomes of executions and tasks, kept until the Manager has stored them.

Guarantees: an outcome that was added is there until it is acknowledged, even if the Worker is killed in between;
what ended is known for a while after it was acknowledged, so that a late retry does not start it again.
A half-written file is moved aside and named in the log.
Does not guarantee: survival of a power failure (files are not synced; a Manager that finds the execution unknown
afterwards treats it as lost), nor survival of a kill while the disk can't be written (see `state_directory`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from google.protobuf.message import DecodeError
from queueserver.worker.v1.event_pb2 import ExecutionOutcome, TaskOutcome

from queueserver_worker.supervisor.executions.state_directory import StateDirectory

Outcome: TypeAlias = ExecutionOutcome | TaskOutcome

REMEMBERED = 1000
"""How many acknowledged executions and tasks are still recognised."""
MAX_TASK_BYTES = 16 * 1024 * 1024
"""Outcomes of tasks that are kept with their return values: with the inventory they are part of each snapshot."""
_EXECUTION = ".outcome"
_TASK = ".task"
_CHECKSUM = struct.Struct(">I")
_log = logging.getLogger(__name__)


class Outcomes:
    """The outcomes that wait for their acknowledgement; one file for each, in the state directory."""

    def __init__(self, directory: StateDirectory) -> None:
        self.directory = directory
        self._waiting: dict[str, tuple[Outcome, Path]] = {}
        self._task_bytes = 0
        self._acknowledged: OrderedDict[str, None] = OrderedDict()
        self._number = 0
        self.all_acknowledged = asyncio.Event()
        self._load()
        self._update_event()

    def waiting(self) -> list[ExecutionOutcome]:
        """Outcomes of executions that were not acknowledged, oldest first."""
        return [outcome for outcome, _ in self._waiting.values() if isinstance(outcome, ExecutionOutcome)]

    def waiting_tasks(self) -> list[TaskOutcome]:
        """Outcomes of tasks that were not acknowledged, oldest first."""
        return [outcome for outcome, _ in self._waiting.values() if isinstance(outcome, TaskOutcome)]

    @property
    def room_for_values(self) -> int:
        """How many more bytes of return values can be kept."""
        return max(0, MAX_TASK_BYTES - self._task_bytes)

    def knows(self, uid: str) -> bool:
        """Whether this execution or task ended, as far as remembered."""
        return uid in self._waiting or uid in self._acknowledged

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome. It is in its file when this returns, or as soon as the disk allows it."""
        path = self._next_path(outcome)
        self._keep(outcome, path)
        self._update_event()
        payload = outcome.SerializeToString()
        if not self.directory.write(path, _CHECKSUM.pack(zlib.crc32(payload)) + payload):
            _log.error("The outcome of %s is kept in memory only, until it can be written.", _uid(outcome))

    def acknowledge(self, uids: Iterable[str]) -> None:
        """Forget outcomes that are stored elsewhere. Unknown ids are ignored."""
        for uid in uids:
            kept = self._waiting.pop(uid, None)
            if kept is None:
                continue
            outcome, path = kept
            self._task_bytes -= _task_bytes(outcome)
            self._acknowledged[uid] = None
            self.directory.remove(path)
            if len(self._acknowledged) > REMEMBERED:
                self._acknowledged.popitem(last=False)
        self._update_event()

    def _keep(self, outcome: Outcome, path: Path) -> None:
        self._waiting[_uid(outcome)] = (outcome, path)
        self._task_bytes += _task_bytes(outcome)

    def _update_event(self) -> None:
        if self._waiting:
            self.all_acknowledged.clear()
        else:
            self.all_acknowledged.set()

    def _next_path(self, outcome: Outcome) -> Path:
        self._number += 1
        suffix = _EXECUTION if isinstance(outcome, ExecutionOutcome) else _TASK
        return self.directory.path / f"{self._number:012d}{suffix}"

    def _load(self) -> None:
        for path in sorted(self.directory.path.iterdir()):
            if path.suffix not in {_EXECUTION, _TASK}:
                continue
            if path.stem.isdigit():
                self._number = max(self._number, int(path.stem))
            outcome = _read(path)
            if outcome is None:
                with contextlib.suppress(OSError):
                    path.replace(path.with_suffix(".damaged"))
                _log.warning("%s is damaged: it was put aside and is ignored.", path)
            else:
                self._keep(outcome, path)


def _uid(outcome: Outcome) -> str:
    return outcome.execution_id if isinstance(outcome, ExecutionOutcome) else outcome.task_uid


def _task_bytes(outcome: Outcome) -> int:
    return outcome.ByteSize() if isinstance(outcome, TaskOutcome) else 0


def _read(path: Path) -> Outcome | None:
    data = path.read_bytes()
    payload = data[_CHECKSUM.size :]
    if data[: _CHECKSUM.size] != _CHECKSUM.pack(zlib.crc32(payload)):
        return None
    kind: type[Outcome] = ExecutionOutcome if path.suffix == _EXECUTION else TaskOutcome
    try:
        outcome = kind.FromString(payload)
    except DecodeError:
        return None
    return outcome if _uid(outcome) else None
