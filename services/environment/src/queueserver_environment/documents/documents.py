"""Run documents, as bluesky emits them, on their way to the supervisor, which fills the fields of the contract.

Guarantees: what a plan emits is passed on unchanged, with the exceptions that `values` names; nothing is validated. The
run of each document is found as long as its run is open.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from queueserver_environment.documents.values import passed_on
from queueserver_environment.messages.frames import RunDocumentEmitted
from queueserver_environment.process.frames import size_of_value

_Fields = Mapping[str, Any]
DOCUMENTS: Final = frozenset(
    {
        *("start", "descriptor", "event", "event_page", "stop"),
        *("resource", "datum", "datum_page", "stream_resource", "stream_datum"),
    }
)
"""Names of the documents that the channel carries."""
MAX_VALUE_BYTES: Final = 1024 * 1024
"""Longest value in a document that is too long as a whole."""
MAX_NAME: Final = 1_000
"""The longest text in such a document that is still sent."""
_IDENTIFYING: Final = frozenset(
    {
        *("uid", "time", "run_start", "scan_id", "plan_name", "name", "descriptor", "seq_num", "exit_status", "reason"),
        *("spec", "root", "resource_path", "path_semantics", "datum_id", "resource"),
        *("data_key", "mimetype", "uri", "stream_resource"),
    }
)
"""What is left of a document that is sent without its content."""
_PARTS: Final = 4
"""Levels of maps in which large values are looked for: those of a descriptor's configuration."""
_AROUND: Final = -2
"""Depth of a document: it and its map of data do not count."""


class DocumentConverter:
    """Takes documents in the order of their emission, and remembers which run they belong to."""

    def __init__(self) -> None:
        self._run_of: dict[str, str] = {}
        """Run by the uid of each descriptor and resource of the open runs."""

    def convert(self, name: str, document: _Fields) -> Iterator[RunDocumentEmitted]:
        """Take one document; the deprecated "bulk_events" gives one message per event, others give one.

        Raises
        ------
        ValueError
            There is no document of that name, or it is no map.

        """
        if name == "bulk_events":
            for events in document.values():
                for event in events:
                    yield from self.convert("event", event)
            return
        if name not in DOCUMENTS or not isinstance(document, Mapping):
            raise ValueError("no document of the event model has that name and form")
        yield RunDocumentEmitted(self._run_uid(name, document), {name: passed_on(document, _AROUND)})

    def _run_uid(self, name: str, document: _Fields) -> str:
        if name == "start":
            return str(document.get("uid", ""))
        if "run_start" in document:
            run = str(document["run_start"])
        else:
            keys = (document.get("descriptor"), document.get("resource"), document.get("stream_resource"))
            run = next((self._run_of[str(key)] for key in keys if str(key) in self._run_of), "")
        if name == "stop":
            self._run_of = {uid: of for uid, of in self._run_of.items() if of != run}
        elif run and name in ("descriptor", "resource", "stream_resource"):
            self._run_of[str(document.get("uid"))] = run
        return run


def without_large_values(message: RunDocumentEmitted) -> RunDocumentEmitted:
    """Copy a document, with a note in place of each value of more than MAX_VALUE_BYTES."""
    return RunDocumentEmitted(message.run_uid, _without_large_values(message.document or {}, _PARTS + 1))


def without_content(message: RunDocumentEmitted) -> RunDocumentEmitted:
    """Copy what identifies a document, with a note in place of everything else."""
    ((name, document),) = (message.document or {}).items()
    kept = {key: value for key, value in document.items() if key in _IDENTIFYING and _is_short(value)}
    kept["left_out"] = f"{size_of_value(document)} bytes are too many to be sent"
    return RunDocumentEmitted(message.run_uid[:MAX_NAME], {name: kept})


def _without_large_values(values: Mapping[str, Any], parts: int) -> dict[str, Any]:
    kept = dict(values)
    for key, value in kept.items():
        size = size_of_value(value)
        if size > MAX_VALUE_BYTES and parts and type(value) is dict:
            kept[key] = _without_large_values(value, parts - 1)
        elif size > MAX_VALUE_BYTES:
            kept[key] = f"left out: {size} bytes are too many to be sent"
    return kept


def _is_short(value: Any) -> bool:
    return isinstance(value, (int, float)) or (isinstance(value, str) and len(value) <= MAX_NAME)
