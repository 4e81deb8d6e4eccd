"""Texts of a certain form: dates, times and identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
#: Readers of Python 3.10 know no "Z".
_ZULU = re.compile(r"[Zz]\Z")
_READERS: Mapping[str, Callable[[str], Any]] = {
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}


def has_format(text: str, name: str) -> bool:
    """Whether a text has the form of that name; an unknown name requires nothing."""
    if name == "uuid":
        return _UUID.match(text) is not None
    read = _READERS.get(name)
    if read is None:
        return True
    try:
        read(_ZULU.sub("+00:00", text))
    except ValueError:
        return False
    return True
