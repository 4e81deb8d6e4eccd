"""Which options a Redis address may have, after its "?": those that name a database, a user or a certificate.

The Manager and what starts it refuse the same ones, before anything is connected. Options of the Redis library that
change how it waits, repeats or decodes are none: the Manager relies on its own.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_plus

_OPTIONS = ("db", "username", "password", "client_name")
_ENCRYPTED = "rediss"
_ENCRYPTION_PREFIX = "ssl_"
_OPTION = re.compile(r"(?<=[?&])([^=&]*)=[^&]*")


def without_password_option(url: str, hidden: str) -> str:
    """The address with something else in the place of a password among its options."""
    return _OPTION.sub(lambda found: f"{found[1]}={hidden}" if _is_password(found[1]) else found[0], url)


def _is_password(name: str) -> bool:
    return unquote_plus(name).endswith("password")


def refusal_of_options(url: str) -> str | None:
    """A sentence about the first option that can't be used; None if all can. Never shows a value."""
    encrypted = url.startswith(f"{_ENCRYPTED}://")
    query = url.partition("?")[2].partition("#")[0]
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name in _OPTIONS or (encrypted and name.startswith(_ENCRYPTION_PREFIX)):
            continue
        return (
            f"The Redis address has an option {name!r}, which can't be used: leave it out. "
            f"Options are {', '.join(_OPTIONS)} and, with {_ENCRYPTED}://, {_ENCRYPTION_PREFIX}…"
        )
    return None
