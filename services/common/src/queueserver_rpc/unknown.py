"""Fields of a request that this service does not know, because its sender has a later contract.

Protobuf ignores such fields. If one of them says what to spare, or where to put something, then what is done without
it is not what was requested. So a request that changes something is refused if it has any; one that only reads is not.

The place of the field is determined only when there is one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from queueserver_long_work.chunked_decoding import FIXED32, FIXED64, LENGTH_DELIMITED, VARINT, end_of_field, varint
from queueserver_long_work.work import Work, at_once

from queueserver_rpc.faults import RequestFault
from queueserver_rpc.reasons import ErrorReason

_CONTRACT, _REASON = "queueserver.", ErrorReason.ERROR_REASON_FIELD_UNKNOWN
#: Fields of JSON values that are not steps of a path: people write `item.kwargs.num`.
_SILENT = {
    "google.protobuf.Struct.fields",
    "google.protobuf.ListValue.values",
    "google.protobuf.Value.struct_value",
    "google.protobuf.Value.list_value",
}
_WAY_OUT = "leave it out, or use a newer server"
#: Fields among which the unknown one is looked for. A request with more of them is not accepted anyway.
_MOST_SEARCHED = 100_000
#: How numbers are encoded, by the type of their field; everything else has its length before it.
_WIRE_TYPES = (
    dict.fromkeys((FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64), FIXED64)
    | dict.fromkeys((FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32), FIXED32)
    | dict.fromkeys((FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT32), VARINT)
    | dict.fromkeys((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SINT64), VARINT)
    | dict.fromkeys((FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_ENUM), VARINT)
)


def changes_something(method: str) -> bool:
    """Whether a call of this method (``/package.Service/Method``) may change anything, as the contract says.

    Methods of other contracts (health, reflection) count as those that do not.
    """
    name = method.removeprefix("/").replace("/", ".")
    if not name.startswith(_CONTRACT):
        return False
    options: MethodOptions = descriptor_pool.Default().FindMethodByName(name).GetOptions()
    return options.idempotency_level != MethodOptions.NO_SIDE_EFFECTS


def unknown_field(message: Message, data: bytes) -> RequestFault | None:
    """The first unknown field of a decoded message; ``data`` is what it was decoded from.

    Afterwards the message has no such fields.
    """
    return at_once(_fault(message, data)) if at_once(_has_unknown(message)) else None


def unknown_in_piece(message: Message, piece: bytes, path: str) -> Work[RequestFault | None]:
    """The first unknown field in the next fields of a message, in steps.

    ``message`` has what came before, and ``path`` is where it is in the request. Raises DecodeError.
    """
    fields = type(message).FromString(piece)
    yield
    if not (yield from _has_unknown(fields)):
        return None
    return (yield from _fault(fields, piece, path, before=message))


def _has_unknown(message: Message) -> Work[bool]:
    """Whether a message had unknown fields, which it then has no longer.

    Both sizes are those of an encoding that Protobuf makes of the message, so they differ for no other reason, however
    the message was encoded when it came.
    """
    size = message.ByteSize()
    yield
    message.DiscardUnknownFields()
    yield
    return message.ByteSize() != size


def _fault(message: Message, data: bytes, path: str = "", before: Message | None = None) -> Work[RequestFault]:
    """The first unknown field in what a message was decoded from, in steps."""
    search = _unknown(message.DESCRIPTOR, memoryview(data), path, before)
    for _ in range(_MOST_SEARCHED):
        try:
            next(search)
        except StopIteration as end:
            found = end.value
            break
        yield
    else:
        return RequestFault(_REASON, path or "request", "has a field that this server does not know: " + _WAY_OUT)
    where, number_is_known = found or (path or "request", False)
    if number_is_known:
        return RequestFault(_REASON, where, "is encoded in a way that this server does not know: use a newer server")
    return RequestFault(_REASON, where, "is not a field that this server knows: " + _WAY_OUT)


def _unknown(kind: Any, data: memoryview, path: str, before: Message | None = None) -> Work[tuple[str, bool] | None]:
    """Path of the first unknown field, and whether a known one has its number: then it is encoded differently.

    It is looked for in the encoding: protobuf tells of all such fields at once, which takes seconds if there are
    millions. If the message is a piece of a longer one, ``before`` has the fields that come before the piece.
    """
    position, elements = 0, Counter[str]()
    while position < len(data):
        tag, begin = varint(data, position)
        field = kind.fields_by_number.get(tag >> 3)
        if field is None:
            return _join(path, str(tag >> 3)), False
        if tag & 7 not in _wire_types(field):
            return _join(path, field.name), True
        position = end_of_field(data, position)
        if field.message_type is not None:
            content = data[varint(data, begin)[1] : position]
            name = path if field.full_name in _SILENT else _join(path, field.name)
            if field.message_type.GetOptions().map_entry:
                found = yield from _unknown_in_entry(field, content, name)
            else:
                if field.is_repeated:
                    first = len(getattr(before, field.name)) if before is not None else 0
                    name = f"{name}[{first + elements[field.name]}]"
                    elements[field.name] += 1
                found = yield from _unknown(field.message_type, content, name)
            if found is not None:
                return found
        yield
    return None


def _unknown_in_entry(field: FieldDescriptor, entry: memoryview, path: str) -> Work[tuple[str, bool] | None]:
    """As :func:`_unknown`, in an entry of a map: protobuf takes one that has more than key and value for unknown."""
    kind: Any = field.message_type
    key_field, value_field = kind.fields
    position, key, values = 0, "", []
    while position < len(entry):
        tag, begin = varint(entry, position)
        known = kind.fields_by_number.get(tag >> 3)
        if known is None or tag & 7 not in _wire_types(known):
            return _join(path, field.name) if field.full_name in _SILENT else path, True
        position = end_of_field(entry, position)
        if known is key_field and tag & 7 == LENGTH_DELIMITED:
            key = bytes(entry[varint(entry, begin)[1] : position]).decode()
        elif known is value_field and value_field.message_type is not None:
            values.append(entry[varint(entry, begin)[1] : position])
        yield
    for value in values:
        found = yield from _unknown(value_field.message_type, value, _join(path, key))
        if found is not None:
            return found
    return None


def _wire_types(field: FieldDescriptor) -> frozenset[int]:
    """How a known field may be encoded: numbers in a list one by one or together."""
    own = _WIRE_TYPES.get(field.type, LENGTH_DELIMITED)
    return frozenset({own, LENGTH_DELIMITED} if field.is_repeated else {own})


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
