"""Addresses of a Redis server, in every form in which people write them."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from queueserver_rpc.redis_options import refusal_of_options, without_password_option
from queueserver_rpc.redis_places import FORMS, moves, places_of

from queueserver_standalone.errors import StandaloneError

_SCHEMES = ("redis", "rediss", "unix")
_HIGHEST_PORT = 65535
_FORMS = f"redis://user:password@host:port/db, rediss://…, unix:///path/to/socket, host[:port[/db]], {FORMS}"
_NOT_VALID = f"The address given by --redis-addr is not complete or not valid. Write it as {_FORMS}."


def redis_url(text: str) -> str:
    """Convert an address to a URL.

    ``text`` is a URL with the scheme redis, rediss or unix, or ``host``, ``host:port``, ``host:port/db``,
    ``host/db``. Raises StandaloneError, without repeating a password, if it is none of these.
    """
    text = text.strip()
    url = text if "://" in text else f"redis://{text}"
    if moves(url):
        if places_of(url) is None:
            raise StandaloneError(_NOT_VALID)
        _refuse_options(url)
        return url
    scheme = url.partition("://")[0]
    if scheme not in _SCHEMES:
        message = f"Redis can't be reached by '{scheme}://'. Give --redis-addr as {_FORMS}."
        raise StandaloneError(message)
    try:
        parts = urlsplit(url)
        valid = bool(parts.path.strip("/")) if scheme == "unix" else _is_host(parts.hostname, parts.port, parts.path)
    except ValueError:  # a port that is not a number, or an unclosed bracket
        valid = False
    if not valid:
        raise StandaloneError(_NOT_VALID)
    _refuse_options(url)
    return url


def _refuse_options(url: str) -> None:
    problem = refusal_of_options(url)
    if problem is not None:
        raise StandaloneError(problem)


def without_password(url: str) -> str:
    """The address for messages: a password, if there is one, is replaced by stars."""
    url = without_password_option(url, "***")
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user = quote(parts.username or "", safe="")
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:***@{host}").geturl()


def socket_url(path: str) -> str:
    """Address of a Redis server on the unix socket ``path`` (absolute)."""
    return f"unix://{quote(path)}"


def _is_host(host: str | None, port: int | None, path: str) -> bool:
    database = path.strip("/")
    return bool(host) and (port is None or 0 < port <= _HIGHEST_PORT) and (not database or database.isdigit())
