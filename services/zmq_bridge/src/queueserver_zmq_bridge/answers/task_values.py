"""What a function returned, as a value of JSON."""

from __future__ import annotations

from typing import Any

from queueserver.common.v1 import value_pb2
from queueserver_client import values


def plain_value(value: value_pb2.DataValue) -> Any:
    """The value; arrays are lists, and bytes are text in base 64."""
    return _plain(values.decode(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, bytes):
        import base64  # noqa: PLC0415 - hardly ever

        return base64.b64encode(value).decode()
    to_list = getattr(value, "tolist", None)
    return to_list() if to_list is not None else value
