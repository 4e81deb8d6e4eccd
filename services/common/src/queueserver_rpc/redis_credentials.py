"""User and password for Redis that are said apart from its address, so that no command line shows them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

USERNAME_OPTION, PASSWORD_FILE_OPTION = "--redis-username", "--redis-password-file"
#: Without a prefix.
USERNAME_NAME, PASSWORD_NAME, PASSWORD_FILE_NAME = "REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_PASSWORD_FILE"
_MOST_BYTES = 4096
_SAYS_USER = re.compile(r"[^?]*://[^/?#]*@|.*[?&](username|password)=", re.DOTALL)


class CredentialsError(ValueError):
    """The user or the password can't be used; the message says why, without the password."""


def with_credentials(address: str, username: str, password: str, password_file: Path | None) -> str:
    """The address with this user and password; unchanged if none are said. Raises CredentialsError."""
    if password and password_file is not None:
        raise CredentialsError(
            f"The password for Redis is said twice, by QSERVER_{PASSWORD_NAME} and by {PASSWORD_FILE_OPTION}: "
            "leave one out."
        )
    secret = _password_in(password_file) if password_file is not None else password
    if not secret:
        if username:
            raise CredentialsError(f"{USERNAME_OPTION} needs a password: give {PASSWORD_FILE_OPTION} too.")
        return address
    url = address if "://" in address else f"redis://{address}"
    if _SAYS_USER.match(url):
        raise CredentialsError(
            f"The Redis address has a user or a password already: leave it out there, or leave out {USERNAME_OPTION}, "
            f"{PASSWORD_FILE_OPTION} and their variables."
        )
    pairs = {"username": username, "password": secret}
    options = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items() if value)
    return f"{url}{'&' if '?' in url else '?'}{options}"


def _password_in(path: Path) -> str:
    try:
        with path.expanduser().open("rb") as file:
            text = file.read(_MOST_BYTES + 1).decode().rstrip("\r\n")
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise CredentialsError(f"{PASSWORD_FILE_OPTION}: {path} can't be read: {reason}.") from None
    if not text or "\n" in text or len(text) > _MOST_BYTES:
        raise CredentialsError(f"{PASSWORD_FILE_OPTION}: {path} must hold the password alone, in one line.")
    return text
