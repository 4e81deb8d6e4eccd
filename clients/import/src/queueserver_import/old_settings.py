"""Permissions, mode, autostart and lock of a bluesky-queueserver, as messages of the contract."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from queueserver.common.v1 import permissions_pb2
from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver_client import ValueNotRepresentable
from queueserver_client.models.permissions import permissions_to_proto

from queueserver_import.failures import Broken
from queueserver_import.old_items import name_of

#: Bounds of the contract: characters of a key, bytes of a note.
_MAX_KEY, _MAX_NOTE = 128, 1000
_MODES: Final = ("loop", "ignore_failures")


@dataclass
class OldLock:
    """A lock and its key, which is never shown."""

    message: pb.ImportedLock
    key: str = field(repr=False)


def permissions_of(data: bytes) -> permissions_pb2.UserGroupPermissions:
    """Permissions as they are in Redis. Raises Broken."""
    return _permissions(_object(data))


def permissions_in(file: Path) -> permissions_pb2.UserGroupPermissions:
    """Permissions as they are in a file. Raises Broken."""
    try:
        found = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Broken(f"the file {file} can't be read: {error}") from None
    return _permissions(found)


def _permissions(found: Any) -> permissions_pb2.UserGroupPermissions:
    if not isinstance(found, dict):
        raise Broken("they are no object")
    try:
        return permissions_to_proto(found)
    except ValueNotRepresentable as error:
        raise Broken(str(error)) from None


def mode_of(data: bytes) -> dict[str, bool]:
    """The mode of the queue. Raises Broken."""
    mode = _object(data)
    if not isinstance(mode, dict) or not all(isinstance(mode.get(name, False), bool) for name in _MODES):
        raise Broken("it is not an object with truth values")
    return {name: mode.get(name, False) for name in _MODES}


def autostart_of(data: bytes) -> bool:
    """Whether the queue starts by itself. Raises Broken."""
    found = _object(data)
    if not isinstance(found, dict) or not isinstance(found.get("enabled"), bool):
        raise Broken("it is not an object that says whether it is enabled")
    return bool(found["enabled"])


def lock_of(data: bytes) -> OldLock | None:
    """The lock; None if nothing is locked. Raises Broken."""
    found = _object(data)
    if not isinstance(found, dict):
        raise Broken("it is no object")
    environment, queue = bool(found.get("environment")), bool(found.get("queue"))
    if not (environment or queue):
        return None
    key = found.get("lock_key")
    if not isinstance(key, str) or not key:
        raise Broken("it has no key")
    if not _is_unicode(key):
        raise Broken("its key has half a character, a surrogate, and a key must be valid Unicode text here")
    if len(unicodedata.normalize("NFC", key)) > _MAX_KEY:
        raise Broken(f"its key has more than {_MAX_KEY} characters, and a key may not have more here")
    lock = pb.ImportedLock(environment=environment, queue=queue, user=name_of(found.get("user")))
    lock.note = _note(found.get("note"))
    time = found.get("time")
    if isinstance(time, (int, float)) and not isinstance(time, bool) and 0 <= time < 2**37:
        lock.time.FromNanoseconds(int(time * 1e6) * 1000)
    return OldLock(lock, key)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _note(value: object) -> str:
    text = value if isinstance(value, str) else ""
    seen = "".join(one for one in text if one.isprintable() or one in "\n\t")
    return seen.encode(errors="replace")[:_MAX_NOTE].decode(errors="ignore")


def _object(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Broken(f"it is not JSON ({error})") from None
