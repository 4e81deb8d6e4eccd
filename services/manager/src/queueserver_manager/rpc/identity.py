"""The caller's identity, from the metadata of the call.

On one machine, where only loopback is served and no credentials are required, a caller may say who it is; this is
the only case there is so far. A header of HTTP/2 carries ASCII only, so each name has two keys: a plain one, and one
whose value is the name in UTF-8 ("-bin" tells gRPC so), which wins if both are there.
"""

from __future__ import annotations

from typing import Any

from queueserver_manager.domain.permissions import names
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.caller import Caller

USER_KEY = "qserver-user"
GROUP_KEY = "qserver-user-group"
ROOT_KEY = "qserver-root-submits"
LOCK_KEY = "x-lock-key"
DEFAULT_USER = "anonymous"
_BINARY = "-bin"


def caller_of(context: Any) -> Caller:
    """The caller; without a group if it sent none. Raises FieldInvalid."""
    metadata = dict(context.invocation_metadata() or ())
    user, group = _name(metadata, USER_KEY, DEFAULT_USER), _name(metadata, GROUP_KEY, "")
    return Caller(user, group, means_root=metadata.get(ROOT_KEY) == "true", lock_key=_lock_key(metadata))


def _lock_key(metadata: dict[str, str | bytes]) -> str:
    for found in (LOCK_KEY + _BINARY, LOCK_KEY):
        value = metadata.get(found)
        if value:
            return value if isinstance(value, str) else _decoded(value, found)
    return ""


def _name(metadata: dict[str, str | bytes], key: str, default: str) -> str:
    for found in (key + _BINARY, key):
        value = metadata.get(found)
        if value:
            return _checked(value, found)
    return default


def _checked(value: str | bytes, key: str) -> str:
    name = names.composed(value if isinstance(value, str) else _decoded(value, key))
    problem = names.problem_of(name)
    if problem:
        raise FieldInvalid(key, problem)
    return name


def _decoded(value: bytes, key: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise FieldInvalid(key, f"must be text in UTF-8, and is not from byte {error.start} on") from None
