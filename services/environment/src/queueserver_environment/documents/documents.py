"""Run documents: from the dictionaries that bluesky emits to the typed message.

Guarantees: a field that the event model names goes to its typed field when it has the right type, everything else
goes to `extra`, so nothing is lost. The run of each document is found as long as its run is open.
Does not validate: what a plan emits is passed on unchanged.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.message import Message
from queueserver.common.v1.value_pb2 import DataValue
from queueserver.worker.v1.environment_channel_pb2 import RunDocumentEmitted

from queueserver_environment.documents.document_fields import fill_fields

_Fields = Mapping[str, Any]
_KINDS: Final = {"descriptor": "event_descriptor"}
"""Member of RunDocument's `kind` where it differs from the document's name."""
MAX_VALUE_BYTES: Final = 1024 * 1024
"""Longest value in a document that is too long as a whole."""
MAX_NAME: Final = 1_000
"""The longest text in such a document that is still sent."""


class DocumentConverter:
    """Converts documents in the order of their emission, and remembers which run they belong to."""

    def __init__(self) -> None:
        self._run_of: dict[str, str] = {}
        """Run by the uid of each descriptor and resource of the open runs."""

    def convert(self, name: str, document: _Fields) -> Iterator[RunDocumentEmitted]:
        """Convert one document; the deprecated "bulk_events" gives one message per event, others give one."""
        if name == "bulk_events":
            for events in document.values():
                for event in events:
                    yield from self.convert("event", event)
            return
        message = RunDocumentEmitted(run_uid=self._run_uid(name, document))
        target = getattr(message.document, _KINDS.get(name, name))
        target.SetInParent()
        fill_fields(target, document)
        yield message

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
    copy = RunDocumentEmitted()
    copy.CopyFrom(message)
    _leave_out_large_values(copy.document)
    return copy


def without_content(message: RunDocumentEmitted) -> RunDocumentEmitted:
    """Copy what identifies a document, with a note in place of everything else."""
    copy = RunDocumentEmitted(run_uid=message.run_uid[:MAX_NAME])
    kind = str(message.document.WhichOneof("kind"))
    document, target = getattr(message.document, kind), getattr(copy.document, kind)
    target.extra["left_out"].text = f"{document.ByteSize()} bytes are too many to be sent"
    for field, value in document.ListFields():
        is_short = not isinstance(value, str) or len(value) <= MAX_NAME
        if field.message_type is None and not field.is_repeated and is_short:
            setattr(target, field.name, value)
    return copy


def _leave_out_large_values(message: Message) -> None:
    for _, content in message.ListFields():
        for part in _messages(content):
            if not isinstance(part, DataValue):
                _leave_out_large_values(part)
            elif (size := part.ByteSize()) > MAX_VALUE_BYTES:
                part.text = f"left out: {size} bytes are too many to be sent"


def _messages(content: Any) -> Iterator[Message]:
    """The messages that a field holds, one or a map of them."""
    if isinstance(content, Message):
        yield content
    elif isinstance(content, Mapping):
        yield from (part for part in content.values() if isinstance(part, Message))
