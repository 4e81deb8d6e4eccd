"""Which options a Redis address may have, after its "?": those that name a database, a user or a certificate.

The Manager and what starts it refuse the same ones, before anything is connected. Options of the Redis library that
change how it waits, repeats or decodes are none: the Manager relies on its own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus

_OPTIONS = ("db", "username", "password", "client_name")
_ENCRYPTED = "rediss"
_ENCRYPTION_PREFIX = "ssl_"
#: They name files. Processes that start each other may have different working directories.
_PATHS = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
_OPTION = re.compile(r"(?<=[?&])([^=&]*)=[^&]*")


def without_password_option(url: str, hidden: str) -> str:
    """The address with something else in the place of a password among its options."""
    return _OPTION.sub(lambda found: f"{found[1]}={hidden}" if _is_password(found[1]) else found[0], url)


def _is_password(name: str) -> bool:
    return unquote_plus(name).endswith("password")


def refusal_of_options(url: str) -> str | None:
    """A sentence about the first option that can't be used; None if all can. Shows no value but a path."""
    encrypted = re.match(rf"{_ENCRYPTED}[:+]", url) is not None
    query = url.partition("?")[2].partition("#")[0]
    for name, value in parse_qsl(query, keep_blank_values=True):
        if encrypted and name in _PATHS and not (Path(value).is_absolute() and os.access(value, os.R_OK)):
            return f"The Redis address has {name}={value}: give it the absolute path of something that can be read."
        if name in _OPTIONS or (encrypted and name.startswith(_ENCRYPTION_PREFIX)):
            continue
        return (
            f"The Redis address has an option {name!r}, which can't be used: leave it out. "
            f"Options are {', '.join(_OPTIONS)} and, with {_ENCRYPTED}://, {_ENCRYPTION_PREFIX}…"
        )
    return None
