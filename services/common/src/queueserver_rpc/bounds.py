"""How long a request may be, as the contract says beside its fields, checked before anything else is done with it.

Guarantees: excess elements are found at no cost for each of them, and no text of a valid request has
more than its bytes. Messages that several services share (items, permissions) are checked by the code that reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from queueserver_long_work.chunked_decoding import varint

from queueserver_rpc.faults import RequestFault
from queueserver_rpc.reasons import ErrorReason

#: Bounds of what has none of its own, documented in the contract.
TEXT_BYTES, ELEMENTS, REQUEST_BYTES = 1_000, 1_000, 64 * 1024
#: Bound of each message of a list, such as an item of a batch. A longer one would be decoded in one long stretch.
ELEMENT_BYTES = 2 * 1024 * 1024
_OPTIONS = "queueserver.common.v1."
_TEXT = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


class Bounds:
    """Bounds of the requests of one type."""

    def __init__(self, request: Descriptor) -> None:
        self.max_bytes: int = _option(request, "max_request_bytes", REQUEST_BYTES)
        self._parts = tuple(_parts_of(request, request))
        #: Bound of each repeated field of the request itself, by name.
        self._counts = {part.field.name: part.most for part in self._parts if part.is_count and not part.parents}

    def parts(self) -> Iterator[tuple[str, int, bool]]:
        """Each field that has a bound: its path, the bound, and whether that is a number of elements."""
        return ((".".join((*part.parents, part.field.name)), part.most, part.is_count) for part in self._parts)

    def too_long(self, data: bytes) -> RequestFault | None:
        """What is wrong with the length of a request that is not decoded yet."""
        if len(data) <= self.max_bytes:
            return None
        return RequestFault(
            ErrorReason.ERROR_REASON_REQUEST_TOO_LARGE,
            "",
            f"has {len(data)} bytes, and at most {self.max_bytes} are allowed: "
            "send it in several requests, or put large data into a file and pass its name",
        )

    def too_many(self, message: Message) -> RequestFault | None:
        """Which repeated field has too many elements, also while the message is being decoded."""
        for name, most in self._counts.items():
            if len(getattr(message, name)) > most:
                return _too_many(name, most)
        return None

    def violation(self, message: Message) -> RequestFault | None:
        """The first thing that is too long in a decoded request."""
        for part in self._parts:
            found = part.violation(message)
            if found is not None:
                return found
        return None


def too_long_element(message: Message, piece: bytes, path: str) -> RequestFault | None:
    """What is wrong with the length of the next fields of a message, which are not decoded yet.

    ``message`` has what came before, and ``path`` is where it is in the request.
    """
    if len(piece) <= ELEMENT_BYTES:
        return None
    # So long a piece is a single field.
    tag, position = varint(piece, 0)
    field: Any = message.DESCRIPTOR.fields_by_number.get(tag >> 3)
    if field is None or not field.is_repeated or field.message_type is None:
        return None
    if field.message_type.GetOptions().map_entry:
        return None
    where, length = f"{path}.{field.name}" if path else field.name, varint(piece, position)[0]
    return RequestFault(
        ErrorReason.ERROR_REASON_REQUEST_TOO_LARGE,
        f"{where}[{len(getattr(message, field.name))}]",
        f"has {length} bytes, and at most {ELEMENT_BYTES} are allowed: put large data into a file and pass its name",
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One field that has a bound, and the messages in which it is."""

    parents: Sequence[str]
    field: FieldDescriptor
    most: int
    is_count: bool

    def violation(self, message: Any) -> RequestFault | None:
        for parent in self.parents:
            if not message.HasField(parent):
                return None
            message = getattr(message, parent)
        value = getattr(message, self.field.name)
        path = ".".join((*self.parents, self.field.name))
        if self.is_count:
            return _too_many(path, self.most) if len(value) > self.most else None
        if not self.field.is_repeated:
            return _too_long_text(path, self.most) if _is_longer(value, self.most) else None
        for index, text in enumerate(value):
            if _is_longer(text, self.most):
                return _too_long_text(f"{path}[{index}]", self.most)
        return None


def _is_longer(text: str | bytes, most: int) -> bool:
    # A character has at most four bytes.
    return len(text) * 4 > most and len(text.encode() if isinstance(text, str) else text) > most


def _too_many(path: str, most: int) -> RequestFault:
    return RequestFault(
        ErrorReason.ERROR_REASON_BATCH_TOO_LARGE,
        path,
        f"may have {most} elements and has more: send them in several requests",
    )


def _too_long_text(path: str, most: int) -> RequestFault:
    return RequestFault(ErrorReason.ERROR_REASON_FIELD_INVALID, path, f"must have at most {most} bytes")


def _parts_of(request: Descriptor, message: Descriptor, parents: tuple[str, ...] = ()) -> Iterator[_Part]:
    for field in message.fields:
        if field.is_repeated:
            yield _Part(parents, field, _option(field, "max_count", ELEMENTS), is_count=True)
        if field.type in _TEXT:
            yield _Part(parents, field, _option(field, "max_bytes", TEXT_BYTES), is_count=False)
        inner = field.message_type
        if inner is not None and not field.is_repeated and inner.file.package == request.file.package:
            yield from _parts_of(request, inner, (*parents, field.name))


def _option(described: Descriptor | FieldDescriptor, name: str, default: int) -> int:
    """A bound that the contract writes beside a field or a message."""
    try:
        extension: Any = descriptor_pool.Default().FindExtensionByName(_OPTIONS + name)
    except KeyError:  # none of the contract's files that are loaded writes any
        return default
    return int(described.GetOptions().Extensions[extension]) or default
