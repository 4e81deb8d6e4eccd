"""Which documents of some runs have come, and whether that is all of them.

A run's stop document says how many events each stream has; the history says which runs there were. So it is known, not
guessed, that documents are missing, unless a run has no stop document: then only a gap in the events shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from queueserver_client.events import RunDocument
from queueserver_client.models.items import RunSummary


@dataclass
class _Run:
    """What has come of one run."""

    started: bool = False
    streams: dict[str, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    #: Events by stream, as the stop document says; None if it has not come, or does not say.
    announced: Mapping[str, int] | None = None
    stopped: bool = False

    def take(self, name: str, document: Mapping[str, Any]) -> None:
        """Count a document."""
        if name == "start":
            self.started = True
        elif name == "descriptor":
            self.streams[document["uid"]] = document.get("name", "")
        elif name in {"event", "event_page"}:
            stream = self.streams.get(document["descriptor"], "")
            self.events[stream] += len(document["seq_num"]) if name == "event_page" else 1
        elif name == "stop":
            self.stopped, self.announced = True, document.get("num_events")

    def is_whole(self) -> bool:
        """Whether all of its documents have come, as far as they say."""
        announced = {stream: count for stream, count in (self.announced or {}).items() if count}
        return self.started and self.stopped and (self.announced is None or announced == dict(self.events))


class RunTally:
    """The documents of the runs of one item."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        #: Documents of any item were lost somewhere.
        self.gap = False

    def take(self, document: RunDocument) -> None:
        """Count a document."""
        self._runs.setdefault(document.run_uid, _Run()).take(document.name, document.document)

    def knows(self, document: RunDocument) -> bool:
        """Whether this start or descriptor document has come."""
        run = self._runs.get(document.run_uid)
        if run is None:
            return False
        return run.started if document.name == "start" else document.document.get("uid") in run.streams

    def incomplete(self, runs: Iterable[RunSummary]) -> tuple[str, ...]:
        """Uids of those of the item's runs of which documents are missing, or may be."""
        return tuple(run.uid for run in runs if not self._has_all_of(run))

    def _has_all_of(self, run: RunSummary) -> bool:
        found = self._runs.get(run.uid, _Run())
        if run.is_open:  # its process ended in the middle: it has no stop document
            return found.started and not self.gap
        return found.is_whole() and not (self.gap and found.announced is None)
