"""Run documents: from what bluesky emitted to the typed message.

Guarantees: a field that the event model names goes to its typed field when it has the right type, everything else goes
to `extra`, so nothing is lost. A document that became too long to be sent on has notes in place of its large values.
Does not validate: what a plan emits is passed on unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.message import Message
from queueserver.common.v1.document_pb2 import RunDocument
from queueserver.common.v1.value_pb2 import DataValue

from queueserver_worker.supervisor.frames.document_fields import fill_fields
from queueserver_worker.supervisor.frames.packed import BadFrameError

MAX_DOCUMENT_BYTES: Final = 48 * 1024 * 1024
"""Longest document: it has to fit into one gRPC message on its way to the clients."""
MAX_VALUE_BYTES: Final = 1024 * 1024
"""Longest value in a document that is too long as a whole."""
MAX_NAME: Final = 1_000
"""The longest text in such a document that is still sent."""
_KINDS: Final = {
    "descriptor": "event_descriptor",
    **{name: name for name in ("start", "event", "event_page", "stop", "resource", "datum", "datum_page")},
    **{name: name for name in ("stream_resource", "stream_datum")},
}
"""Member of RunDocument's `kind` by bluesky's name of the document."""


def fill_document(message: RunDocument, body: Any) -> None:
    """Fill an empty message from a map with the document under its name. Raises BadFrameError."""
    if type(body) is not dict or len(body) != 1:
        raise BadFrameError("a document has not one name")
    ((name, document),) = body.items()
    kind = _KINDS.get(name)
    if kind is None or type(document) is not dict:
        raise BadFrameError("there is no document of that name and form")
    target = getattr(message, kind)
    target.SetInParent()
    fill_fields(target, document)
    if message.ByteSize() > MAX_DOCUMENT_BYTES:
        _leave_out_large_values(message)
        if message.ByteSize() > MAX_DOCUMENT_BYTES:
            # Many values that are not large, or long in another way: watchers at least learn that there is one.
            _leave_out_content(message, kind)


def _leave_out_content(message: RunDocument, kind: str) -> None:
    """Keep what identifies a document, with a note in place of everything else."""
    document = RunDocument()
    document.CopyFrom(message)
    message.Clear()
    whole, kept = getattr(document, kind), getattr(message, kind)
    kept.extra["left_out"].text = f"{whole.ByteSize()} bytes are too many to be sent"
    for field, value in whole.ListFields():
        is_short = not isinstance(value, str) or len(value) <= MAX_NAME
        if field.message_type is None and not field.is_repeated and is_short:
            setattr(kept, field.name, value)


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
