"""Run documents as the event model knows them: a name and a dictionary.

Fields that the contract types and those it carries in `extra` are combined again, so the result is the document
that the RunEngine emitted. The columns of a descriptor, and the devices that fill them, come in the document's order,
other names in alphabetical order. Fields that the event model requires are always there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.message import Message
from queueserver.common.v1 import document_pb2, value_pb2

from queueserver_client.values import decode, decode_map

#: The event model's names, where the contract has others.
_NAMES = {"event_descriptor": "descriptor"}
_KEYS = {
    "DatumPage.datum_ids": "datum_id",
    "EventPage.seq_nums": "seq_num",
    "EventPage.times": "time",
    "EventPage.uids": "uid",
    "descriptor_uid": "descriptor",
    "resource_uid": "resource",
    "run_start_uid": "run_start",
    "stream_resource_uid": "stream_resource",
}
#: Lists and maps that a document may lack; one that has an empty one has it in `extra`.
_DISPENSABLE = {"choices", "configuration", "dimensions", "dims", "fields", "hints", "num_events", "object_keys"}
#: Fields that are no part of the document by themselves.
_APART = {"columns", "extra"}


def decode_document(proto: document_pb2.RunDocument) -> tuple[str, dict[str, Any]]:
    """Name of the document, for example "event", and its content. An unknown kind gives an empty name."""
    kind = proto.WhichOneof("kind")
    if kind is None:
        return "", {}
    return _NAMES.get(kind, kind), _content(getattr(proto, kind))


def _content(body: Any) -> dict[str, Any]:
    """A document, or a part of it that has `extra`."""
    content: dict[str, Any] = {}
    for field in body.DESCRIPTOR.fields:
        name, value = field.name, getattr(body, field.name)
        if name in _APART or (field.has_presence and not body.HasField(name)):
            continue
        if name in _DISPENSABLE and field.is_repeated and not value:
            continue
        key = _KEYS.get(f"{body.DESCRIPTOR.name}.{name}") or _KEYS.get(name, name)
        if isinstance(value, Mapping):
            content[key] = {entry: _value(value[entry]) for entry in _ordered(value, _order(body, name))}
        elif field.is_repeated:
            content[key] = [_value(element) for element in value]
        else:
            content[key] = _value(value)
    if isinstance(body, document_pb2.DataKey):
        content["shape"] = [None if length == -1 else length for length in body.shape]
    content.update(decode_map(body.extra))
    return content


def _value(value: Any) -> Any:
    if not isinstance(value, Message):
        return value
    decoder: Callable[[Any], Any] = _DECODERS.get(type(value), _content)
    return decoder(value)


def _index_range(value: document_pb2.IndexRange) -> dict[str, int]:
    return {"start": value.start, "stop": value.stop}


def _limit_range(value: document_pb2.LimitRange) -> dict[str, float | None]:
    return {
        "low": value.low if value.HasField("low") else None,
        "high": value.high if value.HasField("high") else None,
    }


_DECODERS: dict[type, Callable[[Any], Any]] = {
    document_pb2.ColumnNames: lambda columns: list(columns.names),
    document_pb2.Dimension: lambda dimension: [list(dimension.fields), dimension.stream],
    document_pb2.IndexRange: _index_range,
    document_pb2.LimitRange: _limit_range,
    value_pb2.DataValue: decode,
}


def _order(body: Any, field: str) -> Iterable[str]:
    """The order of a map's keys, as far as the document says it."""
    if field == "data_keys":
        columns: Iterable[str] = body.columns
        return columns
    if not isinstance(body, document_pb2.EventDescriptor):
        return ()
    device_of = {column: device for device, names in body.object_keys.items() for column in names.names}
    return dict.fromkeys(device_of[column] for column in body.columns if column in device_of)


def _ordered(names: Iterable[str], order: Iterable[str]) -> list[str]:
    """Names in a given order; names that it lacks come after them."""
    place = {name: index for index, name in enumerate(order)}
    return sorted(names, key=lambda name: (place.get(name, len(place)), name))
