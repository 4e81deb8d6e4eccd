"""What a client that comes late to a run needs to understand it: the documents with which it began."""

from __future__ import annotations

from queueserver_manager.worker_client.port import DocumentRole, DocumentWritten

#: Runs that are followed at most; with more open ones the oldest are let go.
_MAX_RUNS = 100


class OpenRuns:
    """Start and descriptor documents of the runs that are open, serialized WatchEvents by run uid."""

    def __init__(self) -> None:
        self._runs: dict[str, list[bytes]] = {}

    def note(self, document: DocumentWritten) -> None:
        """A document was emitted."""
        if document.role is DocumentRole.START:
            if len(self._runs) >= _MAX_RUNS:
                del self._runs[next(iter(self._runs))]
            self._runs[document.run_uid] = [document.wire]
        elif document.role is DocumentRole.STOP:
            self._runs.pop(document.run_uid, None)
        elif document.role is DocumentRole.DESCRIPTOR and document.run_uid in self._runs:
            self._runs[document.run_uid].append(document.wire)

    def documents(self) -> list[bytes]:
        """Serialized WatchEvents, in order within each run."""
        return [wire for documents in self._runs.values() for wire in documents]

    def clear(self) -> None:
        """Forget all: what emitted them is gone."""
        self._runs.clear()
