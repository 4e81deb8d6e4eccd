"""Run documents: from the dictionaries that bluesky emits to the typed Document message.

Guarantees: a field that the event model names goes to its typed field when it has the right type, everything else
goes to `extra`, so nothing is lost. The run of each document is found as long as its run is open.
Does not validate: what a plan emits is passed on as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from queueserver.common.v1 import document_pb2 as pb
from queueserver.worker.v1.environment_channel_pb2 import RunDocumentEmitted

from queueserver_worker.environment.values import fill, fill_entries, key_text

_Fields = Mapping[str, Any]
KINDS: Final = {"descriptor": "event_descriptor"}
"""Member of RunDocument's `kind` where it differs from the document's name."""
FIELDS: Final = {
    "descriptor": "descriptor_uid",
    "resource": "resource_uid",
    "run_start": "run_start_uid",
    "stream_resource": "stream_resource_uid",
}
"""Field of the message where it differs from the document's key."""
_EXACT: Final = 2**53
MAX_VALUE_BYTES: Final = 1024 * 1024
"""Longest value in a document that is too long as a whole."""
MAX_NAME: Final = 1_000
"""Longest text in a document of which only that is sent."""


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
        target = getattr(message.document, KINDS.get(name, name))
        target.SetInParent()
        _fill_fields(target, document)
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
    document = getattr(copy.document, str(copy.document.WhichOneof("kind")))
    for name in ("data", "timestamps", "datum_kwargs", "parameters", "extra"):
        for value in getattr(document, name, {}).values():
            size = value.ByteSize()
            if size > MAX_VALUE_BYTES:
                value.text = f"left out: {size} bytes are too many to be sent"
    return copy


def without_content(message: RunDocumentEmitted) -> RunDocumentEmitted:
    """Copy what a document is and belongs to, with a note in place of everything else."""
    copy = RunDocumentEmitted(run_uid=message.run_uid[:MAX_NAME])
    kind = str(message.document.WhichOneof("kind"))
    document, target = getattr(message.document, kind), getattr(copy.document, kind)
    target.extra["left_out"].text = f"{document.ByteSize()} bytes are too many to be sent"
    for field, value in document.ListFields():
        is_short = not isinstance(value, str) or len(value) <= MAX_NAME
        if field.message_type is None and not field.is_repeated and is_short:
            setattr(target, field.name, value)
    return copy


def _text(value: Any) -> str | None:
    return key_text(value) if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, float):
        return float(value)
    integer = _integer(value)
    return float(integer) if integer is not None and abs(integer) <= _EXACT else None


def _integer(value: Any) -> int | None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        return None
    return int(value) if -(2**63) <= value < 2**63 else None


_TYPED: Final[dict[type, dict[str, Callable[[Any], Any]]]] = {
    pb.RunStart: {"uid": _text, "time": _number, "scan_id": _integer, "plan_name": _text},
    pb.EventDescriptor: {"uid": _text, "time": _number, "run_start": _text, "name": _text},
    pb.DataKey: {"source": _text, "dtype": _text, "units": _text, "precision": _integer, "object_name": _text},
    pb.EventDocument: {"uid": _text, "time": _number, "descriptor": _text, "seq_num": _integer},
    pb.EventPage: {"descriptor": _text},
    pb.RunStop: {"uid": _text, "time": _number, "run_start": _text, "exit_status": _text, "reason": _text},
    pb.ResourceDocument: {"uid": _text, "run_start": _text, "spec": _text, "resource_path": _text, "root": _text},
    pb.Datum: {"datum_id": _text, "resource": _text},
    pb.DatumPage: {"resource": _text},
    pb.StreamResource: {"uid": _text, "run_start": _text, "data_key": _text, "mimetype": _text, "uri": _text},
    pb.StreamDatum: {"uid": _text, "stream_resource": _text, "descriptor": _text},
}
"""Fields with one value each, and how the value must look; None means it goes to `extra` instead."""


def _set_shape(target: pb.DataKey, shape: Any) -> bool:
    if not isinstance(shape, (list, tuple)):
        return False
    lengths = [-1 if length is None else _integer(length) for length in shape]
    if None in lengths:
        return False
    target.shape.extend(length for length in lengths if length is not None)
    return True


def _set_data_keys(target: pb.EventDescriptor, data_keys: Any) -> bool:
    if not isinstance(data_keys, Mapping) or not all(isinstance(key, Mapping) for key in data_keys.values()):
        return False
    for name, data_key in data_keys.items():
        _fill_fields(target.data_keys[key_text(name)], data_key)
    return True


def _set_num_events(target: pb.RunStop, num_events: Any) -> bool:
    if not isinstance(num_events, Mapping) or None in map(_integer, num_events.values()):
        return False
    for name, count in num_events.items():
        target.num_events[key_text(name)] = count
    return True


def _set_range(field: str) -> Callable[[pb.StreamDatum, Any], bool]:
    def set_range(target: pb.StreamDatum, value: Any) -> bool:
        if not isinstance(value, Mapping) or set(value) != {"start", "stop"} or None in map(_integer, value.values()):
            return False
        getattr(target, field).CopyFrom(pb.IndexRange(start=value["start"], stop=value["stop"]))
        return True

    return set_range


def _set_values(field: str) -> Callable[[Any, Any], bool]:
    def set_values(target: Any, value: Any) -> bool:
        if not isinstance(value, Mapping):
            return False
        fill_entries(getattr(target, field), value)
        return True

    return set_values


def _set_column(field: str, check: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    def set_column(target: Any, value: Any) -> bool:
        if not isinstance(value, (list, tuple, np.ndarray)):
            return False
        column = [check(element) for element in value]
        if None in column:
            return False
        getattr(target, field).extend(column)
        return True

    return set_column


_STRUCTURED: Final[dict[type, dict[str, Callable[[Any, Any], bool]]]] = {
    pb.DataKey: {"shape": _set_shape},
    pb.EventDescriptor: {"data_keys": _set_data_keys},
    pb.EventDocument: {"data": _set_values("data"), "timestamps": _set_values("timestamps")},
    pb.EventPage: {
        "uid": _set_column("uid", _text),
        "time": _set_column("time", _number),
        "seq_num": _set_column("seq_num", _integer),
        "data": _set_values("data"),
        "timestamps": _set_values("timestamps"),
    },
    pb.RunStop: {"num_events": _set_num_events},
    pb.Datum: {"datum_kwargs": _set_values("datum_kwargs")},
    pb.DatumPage: {
        "datum_id": _set_column("datum_id", _text),
        "datum_kwargs": _set_values("datum_kwargs"),
    },
    pb.StreamResource: {"parameters": _set_values("parameters")},
    pb.StreamDatum: {"seq_nums": _set_range("seq_nums"), "indices": _set_range("indices")},
}
"""Fields with parts; the setter answers False, and has set nothing, if the value goes to `extra` instead."""


def _fill_fields(target: Any, document: _Fields) -> None:
    typed = _TYPED[type(target)]
    structured = _STRUCTURED.get(type(target), {})
    for name, value in document.items():
        if name in typed:
            checked = typed[name](value)
            if checked is not None:
                setattr(target, FIELDS.get(name, name), checked)
                continue
        elif name in structured and structured[name](target, value):
            continue
        fill(target.extra[key_text(name)], value)
