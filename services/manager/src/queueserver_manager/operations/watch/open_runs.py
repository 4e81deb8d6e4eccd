"""What a client that joins a run late needs to understand it: the documents with which it began."""

from __future__ import annotations

from queueserver_manager.worker_client.port import DocumentRole, DocumentWritten

#: The most runs that are followed, and bytes of their documents; beyond that the oldest runs are dropped.
_MAX_RUNS, _MAX_BYTES = 100, 16 * 1024 * 1024


class OpenRuns:
    """Start and descriptor documents of the runs that are open, serialized WatchEvents by run uid."""

    def __init__(self) -> None:
        self._runs: dict[str, list[bytes]] = {}
        self._bytes = 0

    def note(self, document: DocumentWritten) -> None:
        """A document was emitted."""
        if document.role is DocumentRole.START:
            self._drop(document.run_uid)
            self._keep(document.run_uid, document.wire)
        elif document.role is DocumentRole.STOP:
            self._drop(document.run_uid)
        elif document.role is DocumentRole.DESCRIPTOR and document.run_uid in self._runs:
            self._keep(document.run_uid, document.wire)

    def _keep(self, run_uid: str, wire: bytes) -> None:
        self._runs.setdefault(run_uid, []).append(wire)
        self._bytes += len(wire)
        while self._bytes > _MAX_BYTES or len(self._runs) > _MAX_RUNS:
            self._drop(next(iter(self._runs)))

    def _drop(self, run_uid: str) -> None:
        self._bytes -= sum(map(len, self._runs.pop(run_uid, ())))

    def documents(self) -> list[bytes]:
        """Serialized WatchEvents, in order within each run."""
        return [wire for documents in self._runs.values() for wire in documents]

    def clear(self) -> None:
        """Forget everything: the environment that emitted them is gone."""
        self._runs.clear()
        self._bytes = 0
