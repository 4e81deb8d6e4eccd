"""Run documents as the event model knows them: a name and a dictionary.

Fields that the contract types and those it carries in `extra` are put together again, so what comes out is
the document that the RunEngine emitted.
"""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import document_pb2

from queueserver_client.values import decode_map

#: The event model's names, where the contract has others.
_NAMES = {"event_descriptor": "descriptor"}
_KEYS = {
    "descriptor_uid": "descriptor",
    "resource_uid": "resource",
    "run_start_uid": "run_start",
    "stream_resource_uid": "stream_resource",
}


def decode_document(proto: document_pb2.RunDocument) -> tuple[str, dict[str, Any]]:
    """Name of the document, for example "event", and its content. An unknown kind gives an empty name."""
    kind = proto.WhichOneof("kind")
    if kind is None:
        return "", {}
    body = getattr(proto, kind)
    name = _NAMES.get(kind, kind)
    return name, _body(name, body)


def _body(kind: str, body: Any) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for field in body.DESCRIPTOR.fields:
        if field.name == "extra" or (field.has_presence and not body.HasField(field.name)):
            continue
        content[_KEYS.get(field.name, field.name)] = _field(
            field.name, getattr(body, field.name), repeated=field.is_repeated
        )
    if kind in {"resource", "stream_resource"} and not content["run_start"]:
        del content["run_start"]
    content.update(decode_map(body.extra))
    return content


def _field(name: str, value: Any, *, repeated: bool) -> Any:
    if name == "data_keys":
        return {column: _data_key(key) for column, key in value.items()}
    if name in {"seq_nums", "indices"}:
        return {"start": value.start, "stop": value.stop}
    if name == "num_events":
        return dict(value)
    if name in {"data", "timestamps", "datum_kwargs", "parameters"}:
        return decode_map(value)
    return list(value) if repeated else value


def _data_key(key: document_pb2.DataKey) -> dict[str, Any]:
    content: dict[str, Any] = {"source": key.source, "dtype": key.dtype}
    content["shape"] = [None if length == -1 else length for length in key.shape]
    for name in ("units", "precision", "object_name"):
        if key.HasField(name):
            content[name] = getattr(key, name)
    content.update(decode_map(key.extra))
    return content
