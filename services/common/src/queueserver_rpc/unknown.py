"""Fields of a request that this service does not know, because whoever sent it has a later contract.

Protobuf ignores such fields. If one of them says what to spare, or where to put something, then what is done without
it is not what was asked for. So a request that changes something is refused if it has any; one that only reads is not.

Where the field is, is worked out only when there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from queueserver_rpc.faults import RequestFault
from queueserver_rpc.reasons import ErrorReason
from queueserver_rpc.steps import Work, at_once

_CONTRACT, _REASON = "queueserver.", ErrorReason.ERROR_REASON_FIELD_UNKNOWN
#: Fields of JSON values that are no step of a path: people write `item.kwargs.num`.
_SILENT = {
    "google.protobuf.Struct.fields",
    "google.protobuf.ListValue.values",
    "google.protobuf.Value.struct_value",
    "google.protobuf.Value.list_value",
}


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
    """The first field of a decoded message that is not known; ``data`` is what it was decoded from.

    Afterwards the message has no such fields.
    """
    return _fault(type(message).FromString(data)) if at_once(_has_unknown(message)) else None


def unknown_in_piece(message: Message, piece: bytes, path: str) -> Work[RequestFault | None]:
    """The first field that is not known in the next fields of a message, in steps.

    ``message`` has what came before, and ``path`` is where it is in the request. Raises DecodeError.
    """
    fields = type(message).FromString(piece)
    yield
    if not (yield from _has_unknown(fields)):
        return None
    return _fault(type(message).FromString(piece), path, before=message)


def _has_unknown(message: Message) -> Work[bool]:
    """Whether a message had fields that are not known, which it then has no longer.

    Both sizes are those of an encoding that Protobuf makes of the message, so they differ for nothing else, however
    the message was encoded when it came.
    """
    size = message.ByteSize()
    yield
    message.DiscardUnknownFields()
    yield
    return message.ByteSize() != size


def _fault(message: Message, path: str = "", before: Message | None = None) -> RequestFault:
    where, number_is_known = next(_unknown(message, path, before), (path or "request", False))
    if number_is_known:
        return RequestFault(_REASON, where, "is encoded in a way that this server does not know: use a newer server")
    return RequestFault(_REASON, where, "is no field that this server knows: leave it out, or use a newer server")


def _unknown(message: Message, path: str, before: Message | None = None) -> Iterator[tuple[str, bool]]:
    """Path of each field that is not known, and whether another field has its number: then it is encoded otherwise.

    If the message is a piece of a longer one, ``before`` has the fields that come before the piece.
    """
    fields: Any = UnknownFieldSet(message)
    for unknown in fields:
        known = message.DESCRIPTOR.fields_by_number.get(unknown.field_number)
        yield _join(path, known.name if known else str(unknown.field_number)), known is not None
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        name = path if field.full_name in _SILENT else _join(path, field.name)
        if not field.is_repeated:
            yield from _unknown(value, name)
        elif not field.message_type.GetOptions().map_entry:
            first = len(getattr(before, field.name)) if before is not None else 0
            for index, element in enumerate(value, first):
                yield from _unknown(element, f"{name}[{index}]")
        elif field.message_type.fields_by_name["value"].message_type is not None:
            for key in value:
                yield from _unknown(value[key], _join(name, str(key)))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
