"""Who calls, from the metadata of the call.

On one machine, where only loopback is served and no credentials are asked for, a caller may say who it is; this is
the only case there is so far. Names become part of items and of Redis, so they are kept short and printable.
"""

from __future__ import annotations

from typing import Any

from queueserver_manager.domain.errors import FieldInvalid
from queueserver_manager.operations.caller import Caller

USER_KEY = "qserver-user"
GROUP_KEY = "qserver-user-group"
DEFAULT_USER = "anonymous"
DEFAULT_GROUP = "admin"
_MAX_NAME = 100


def caller_of(context: Any) -> Caller:
    """The caller. Raises FieldInvalid."""
    metadata = dict(context.invocation_metadata() or ())
    return Caller(_name(metadata, USER_KEY, DEFAULT_USER), _name(metadata, GROUP_KEY, DEFAULT_GROUP))


def _name(metadata: dict[str, str | bytes], key: str, default: str) -> str:
    name = metadata.get(key) or default
    if not isinstance(name, str) or len(name) > _MAX_NAME or not name.isprintable():
        raise FieldInvalid(key, f"must be printable text of at most {_MAX_NAME} characters")
    return name
