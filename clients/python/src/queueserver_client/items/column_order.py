"""The order of columns, which an event takes from the descriptor of its stream.

An event of the contract has its readings by name, in no order. Not guaranteed: readings of a stream whose descriptor
was not seen, because the watch was resumed by another process after it, stay in alphabetical order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from queueserver_client.events import RunDocument

#: At most this many descriptors are remembered. Those of a run that has stopped are forgotten; the limit is for runs
#: whose end was lost.
MAX_DESCRIPTORS = 1_000


class ColumnOrder:
    """Puts the readings of events in order. Show it every document, in order."""

    def __init__(self) -> None:
        #: Run and columns by uid of the descriptor.
        self._streams: dict[str, tuple[str, Sequence[str]]] = {}

    def apply(self, document: RunDocument) -> RunDocument:
        """Take a document; returns it with its columns in order."""
        content = document.document
        if document.name == "descriptor":
            self._streams[content["uid"]] = (document.run_uid, list(content["data_keys"]))
            if len(self._streams) > MAX_DESCRIPTORS:
                del self._streams[next(iter(self._streams))]
        elif document.name == "stop":
            self._streams = {uid: stream for uid, stream in self._streams.items() if stream[0] != document.run_uid}
        elif content.get("descriptor") in self._streams and "data" in content:
            columns = self._streams[content["descriptor"]][1]
            ordered = {part: _in_order(content[part], columns) for part in ("data", "timestamps")}
            return replace(document, document={**content, **ordered})
        return document


def _in_order(values: Any, columns: Sequence[str]) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {**{column: values[column] for column in columns if column in values}, **values}
