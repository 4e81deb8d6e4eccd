"""Which field of a document's message each key of the event model fills, and what it must look like to do so.

Guarantees: a value that its field can't hold exactly goes to `extra`, under its own key, and leaves the field unset; so
does an empty list or map where a document may have none. Nothing is lost, and nothing appears twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import Message
from queueserver.common.v1 import document_pb2 as pb
from queueserver_protos.numbers import is_exact

from queueserver_worker.supervisor.frames.alike import remembering
from queueserver_worker.supervisor.frames.data_values import fill, fill_entries
from queueserver_worker.supervisor.frames.packed import Array

Check = Callable[[Any], Any]
"""Gives the value as the field takes it, or None if the field can't hold it."""
Setter = Callable[[Any, Any], bool]
"""Sets a field of a message to a value; returns False, and has set nothing, if the field can't hold it."""


def fill_fields(target: Any, document: dict[str, Any]) -> None:
    """Fill a document's message, or a part of it that has `extra`, from what was read. Raises BadFrameError."""
    setters = _SETTERS[type(target)]
    for key, value in document.items():
        setter = setters.get(key)
        if setter is None or not setter(target, value):
            fill(target.extra[key], value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, float):
        return value
    integer = _integer(value)
    return float(integer) if integer is not None and is_exact(integer) else None


def _integer(value: Any) -> int | None:
    if type(value) is not int:
        return None
    return value if -(2**63) <= value < 2**63 else None


def _length(value: Any) -> int | None:
    if value is None:
        return -1
    length = _integer(value)
    return None if length is None or length < 0 else length


_AS_THEY_ARE: Final[dict[Check, type]] = {_text: str, _number: float}
"""Values of that type are what the check returns for them."""


def _one(field: str, check: Check) -> Setter:
    """Set a field that has one value."""
    as_it_is = _AS_THEY_ARE.get(check)

    def set_one(target: Any, value: Any) -> bool:
        checked = value if type(value) is as_it_is else check(value)
        if checked is None:
            return False
        setattr(target, field, checked)
        return True

    return set_one


def _list(field: str, check: Check, *, may_be_empty: bool = False) -> Setter:
    """Set a field that is a list."""

    def set_list(target: Any, value: Any) -> bool:
        elements = _elements(value, check)
        if elements is None or not (elements or may_be_empty):
            return False
        getattr(target, field).extend(elements)
        return True

    return set_list


def _elements(value: Any, check: Check) -> list[Any] | None:
    if isinstance(value, Array):
        value = value.numbers()
    if not isinstance(value, list):
        return None
    elements = [check(element) for element in value]
    return None if None in elements else elements


def _values(field: str) -> Setter:
    """Set a field that is a map of values of any kind."""

    def set_values(target: Any, value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        fill_entries(getattr(target, field), value)
        return True

    return set_values


def _map(field: str, check: Check, *, may_be_empty: bool = False) -> Setter:
    """Set a field that is a map of values of one kind."""

    def set_map(target: Any, value: Any) -> bool:
        if not isinstance(value, dict) or not (value or may_be_empty):
            return False
        checked = [check(entry) for entry in value.values()]
        if None in checked:
            return False
        entries = getattr(target, field)
        for key, entry in zip(value, checked, strict=True):
            entries[key] = entry
        return True

    return set_map


def _part(field: str) -> Setter:
    """Set a field that is a message."""

    def set_part(target: Any, value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        part = getattr(target, field)
        part.SetInParent()
        fill_fields(part, value)
        return True

    return set_part


def _parts(field: str, *, required: frozenset[str] = frozenset()) -> Setter:
    """Set a field that is a map of messages, each made of a dictionary with at least the required keys."""

    def set_parts(target: Any, value: Any) -> bool:
        if not isinstance(value, dict) or not value:
            return False
        if not all(isinstance(part, dict) and required <= part.keys() for part in value.values()):
            return False
        entries = getattr(target, field)
        for name, part in value.items():
            fill_fields(_entry(entries, name), part)
        return True

    return set_parts


def _entry(entries: Any, name: Any) -> Message:
    entry: Message = entries[name]
    entry.SetInParent()
    return entry


def _set_data_keys(target: Any, value: Any) -> bool:
    if not isinstance(value, dict) or not all(isinstance(data_key, dict) for data_key in value.values()):
        return False
    _fill_data_keys(target, value, 0)
    return True


@remembering
def _fill_data_keys(target: Any, data_keys: Any, _depth: int) -> None:
    """Fill them in, which are the same in each run with the same devices."""
    for name, data_key in data_keys.items():
        fill_fields(target.data_keys[name], data_key)
    target.columns.extend(data_keys)


def _set_object_keys(target: pb.EventDescriptor, value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    columns = [_elements(names, _text) for names in value.values()]
    if None in columns:
        return False
    for name, names in zip(value, columns, strict=True):
        _entry(target.object_keys, name)
        target.object_keys[name].names.extend(names or ())
    return True


def _set_dimensions(target: pb.RunHints, value: Any) -> bool:
    dimensions = _elements(value, _dimension)
    if not dimensions:
        return False
    target.dimensions.extend(dimensions)
    return True


def _dimension(value: Any) -> pb.Dimension | None:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - columns and their stream
        return None
    fields, stream = _elements(value[0], _text), _text(value[1])
    return None if fields is None or stream is None else pb.Dimension(fields=fields, stream=stream)


def _range(field: str, ends: tuple[str, str], make: Callable[..., Message], check: Check) -> Setter:
    """Set a field that is a range with two ends and nothing else; None as an end leaves it open."""

    def set_range(target: Any, value: Any) -> bool:
        if not isinstance(value, dict) or set(value) != set(ends):
            return False
        checked = {end: check(value[end]) for end in ends if value[end] is not None or make is pb.IndexRange}
        if None in checked.values():
            return False
        getattr(target, field).CopyFrom(make(**checked))
        return True

    return set_range


def _texts(*keys: str, **fields: str) -> dict[str, Setter]:
    """Give setters of text fields: those with the name of their key, and others."""
    return {key: _one(field, _text) for key, field in {**{key: key for key in keys}, **fields}.items()}


_TIME: Final = {"time": _one("time", _number)}
_LIMITS: Final = ("low", "high")
_INDICES: Final = ("start", "stop")
_CONFIGURED: Final = frozenset({"data", "timestamps", "data_keys"})

_SETTERS: Final[dict[type, dict[str, Setter]]] = {
    pb.RunStart: {
        **_texts("uid", "plan_name"),
        **_TIME,
        "scan_id": _one("scan_id", _integer),
        "hints": _part("hints"),
    },
    pb.RunHints: {"dimensions": _set_dimensions},
    pb.EventDescriptor: {
        **_texts("uid", "name", run_start="run_start_uid"),
        **_TIME,
        "data_keys": _set_data_keys,
        "object_keys": _set_object_keys,
        "hints": _parts("hints"),
        "configuration": _parts("configuration", required=_CONFIGURED),
    },
    pb.ObjectHints: {"fields": _list("fields", _text)},
    pb.ObjectConfiguration: {
        "data_keys": _set_data_keys,
        "data": _values("data"),
        "timestamps": _map("timestamps", _number, may_be_empty=True),
    },
    pb.DataKey: {
        **_texts("source", "dtype", "dtype_numpy", "external", "units", "object_name"),
        "shape": _list("shape", _length, may_be_empty=True),
        "dims": _list("dims", _text),
        "precision": _one("precision", _integer),
        "choices": _list("choices", _text),
        "limits": _part("limits"),
    },
    pb.Limits: {
        name: _range(name, _LIMITS, pb.LimitRange, _number) for name in ("control", "display", "warning", "alarm")
    },
    pb.EventDocument: {
        **_texts("uid", descriptor="descriptor_uid"),
        **_TIME,
        "seq_num": _one("seq_num", _integer),
        "data": _values("data"),
        "timestamps": _map("timestamps", _number, may_be_empty=True),
    },
    pb.EventPage: {
        **_texts(descriptor="descriptor_uid"),
        "uid": _list("uids", _text, may_be_empty=True),
        "time": _list("times", _number, may_be_empty=True),
        "seq_num": _list("seq_nums", _integer, may_be_empty=True),
        "data": _values("data"),
        "timestamps": _values("timestamps"),
    },
    pb.RunStop: {
        **_texts("uid", "exit_status", "reason", run_start="run_start_uid"),
        **_TIME,
        "num_events": _map("num_events", _integer),
    },
    pb.ResourceDocument: {
        **_texts("uid", "spec", "resource_path", "root", "path_semantics", run_start="run_start_uid"),
        "resource_kwargs": _values("resource_kwargs"),
    },
    pb.Datum: {**_texts("datum_id", resource="resource_uid"), "datum_kwargs": _values("datum_kwargs")},
    pb.DatumPage: {
        **_texts(resource="resource_uid"),
        "datum_id": _list("datum_ids", _text, may_be_empty=True),
        "datum_kwargs": _values("datum_kwargs"),
    },
    pb.StreamResource: {
        **_texts("uid", "data_key", "mimetype", "uri", run_start="run_start_uid"),
        "parameters": _values("parameters"),
    },
    pb.StreamDatum: {
        **_texts("uid", stream_resource="stream_resource_uid", descriptor="descriptor_uid"),
        **{name: _range(name, _INDICES, pb.IndexRange, _integer) for name in ("seq_nums", "indices")},
    },
}
