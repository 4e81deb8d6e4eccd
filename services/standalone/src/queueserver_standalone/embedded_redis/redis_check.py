"""Checks an existing Redis before anything is started that needs it.

A wrong address or password is reported at once, in a sentence. When Redis goes away later, the Manager waits for it. An
encrypted connection is only opened, and the Manager finds out the rest.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from queueserver_rpc.resolving import UnknownHostError, resolve

from queueserver_standalone.configuration.redis_address import without_password
from queueserver_standalone.errors import StandaloneError

_DEFAULT_PORT = 6379
_ANSWER_SECONDS = 0.7
_LONGEST_LINE = 512
_START_IT = "Start it, or correct --redis-addr."
#: Errors of Redis, and what they mean for the address.
_REFUSALS = {
    "NOAUTH": "asks for a password: put it into the URL, redis://user:password@host:port",
    "WRONGPASS": "refuses the password: correct it in the URL",
    "ERR invalid password": "refuses the password: correct it in the URL",
    "ERR AUTH": "has no password: leave it out of the URL",
    "ERR Client sent AUTH": "has no password: leave it out of the URL",
    "ERR DB index": "has no database of that number: correct it in the URL",
    "ERR invalid DB index": "has no database of that number: correct it in the URL",
    "DENIED": "answers only to its own machine without a password: give it one",
}


def check_redis(url: str) -> None:
    """Return if a Redis answers at a URL. Raises StandaloneError. Blocks, for about a second at most."""
    shown = without_password(url)
    try:
        with _connected(url) as connection:
            if urlsplit(url).scheme != "rediss":
                _ask(connection, _questions(url), shown)
    except UnknownHostError as error:
        raise StandaloneError(f"Redis can't be reached at {shown}: {error}. Correct --redis-addr.") from error
    except TimeoutError as error:
        raise StandaloneError(f"Redis does not answer at {shown}. {_START_IT}") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StandaloneError(f"Redis can't be reached at {shown}: {reason}. {_START_IT}") from error


@contextlib.contextmanager
def _connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        places = [(socket.AF_UNIX, unquote(parts.path))]
    else:
        places = resolve(parts.hostname or "", parts.port or _DEFAULT_PORT)
    failure: OSError | None = None
    for family, place in places:
        with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            try:
                connection.connect(place)
            except OSError as error:
                failure = error
                continue
            yield connection
            return
    raise failure or OSError("there is no such address")


def _questions(url: str) -> list[list[str]]:
    """Commands that open a connection as the Manager does."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user = options.get("username", unquote(parts.username or ""))
    password = options.get("password", unquote(parts.password or ""))
    database = options.get("db", "" if parts.scheme == "unix" else parts.path.strip("/"))
    commands = [["AUTH", *([user] if user else []), password]] if password else []
    if database.isdigit() and int(database):
        commands.append(["SELECT", database])
    return [*commands, ["PING"]]


def _ask(connection: socket.socket, questions: list[list[str]], shown: str) -> None:
    with connection.makefile("rb") as answers:
        for words in questions:
            connection.sendall(_encode(words))
            answer = answers.readline(_LONGEST_LINE).decode(errors="replace").strip()
            if not answer.startswith(("+", "-", ":")):
                raise StandaloneError(f"The server at {shown} is not Redis. Correct --redis-addr.")
            # The Manager waits until anything else, such as loading, is over.
            for beginning, meaning in _REFUSALS.items():
                if answer.startswith(f"-{beginning}"):
                    raise StandaloneError(f"The Redis at {shown} {meaning}.")


def _encode(words: list[str]) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
