"""Checks an existing Redis before anything is started that needs it.

A wrong address, password or certificate is reported at once, in a sentence. When Redis goes away later, the Manager
waits for it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from queueserver_rpc.redis_places import Places, places_of
from queueserver_rpc.resolving import UnknownHostError, resolve

from queueserver_standalone.configuration.redis_address import without_password
from queueserver_standalone.errors import StandaloneError

_DEFAULT_PORT = 6379
_ANSWER_SECONDS = 0.7
_LONGEST_LINE = 512
_START_IT = "Start it, or correct --redis-addr."
#: As the Redis library reads an option of a URL.
_NO = ("0", "F", "FALSE", "N", "NO")
#: Errors of Redis, and what they mean for the address.
_REFUSALS = {
    "NOAUTH": "asks for a password: give it by --redis-password-file, or in the URL, redis://user:password@host:port",
    "WRONGPASS": "refuses the user or the password: correct it where it is given",
    "ERR invalid password": "refuses the password: correct it where it is given",
    "ERR AUTH": "has no password: leave it out",
    "ERR Client sent AUTH": "has no password: leave it out",
    "ERR DB index": "has no database of that number: correct it in the URL",
    "ERR invalid DB index": "has no database of that number: correct it in the URL",
    "DENIED": "answers only to its own machine without a password: give it one",
}


def check_redis(url: str) -> None:
    """Return if a Redis answers at a URL. Raises StandaloneError. Blocks, for about a second at most."""
    shown = without_password(url)
    if (places := places_of(url)) is not None:
        _check_any(places, shown)
        return
    try:
        with _connected(url) as connection:
            if urlsplit(url).scheme != "rediss":
                _ask(connection, _questions(url), shown)
                return
            with _encrypted(connection, url) as secret:
                _ask(secret, _questions(url), shown)
    except UnknownHostError as error:
        raise StandaloneError(f"Redis can't be reached at {shown}: {error}. Correct --redis-addr.") from error
    except TimeoutError as error:
        raise StandaloneError(f"Redis does not answer at {shown}. {_START_IT}") from error
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or str(error)
        raise StandaloneError(
            f"Redis can't be reached at {shown}: its encryption fails ({reason}). Correct the "
            "certificates in --redis-addr."
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StandaloneError(f"Redis can't be reached at {shown}: {reason}. {_START_IT}") from error


def _check_any(places: Places, shown: str) -> None:
    """Return if a connection to one of the servers can be opened; the Manager finds out the rest."""
    reasons: list[str] = []
    for host, port in places.hosts:
        try:
            with _connected(f"redis://[{host}]:{port}" if ":" in host else f"redis://{host}:{port}"):
                return
        except (UnknownHostError, OSError) as error:
            reasons.append(f"{host}:{port}: {getattr(error, 'strerror', None) or error}")
    raise StandaloneError(f"Redis can't be reached at {shown} ({'; '.join(reasons)}). {_START_IT}")


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


def _encrypted(connection: socket.socket, url: str) -> ssl.SSLSocket:
    """The connection, encrypted as the options of the URL say and as the Manager does it."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    context = ssl.create_default_context()
    required = options.get("ssl_cert_reqs", "required")
    context.check_hostname = required != "none" and options.get("ssl_check_hostname", "true").upper() not in _NO
    context.verify_mode = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL}.get(required, ssl.CERT_REQUIRED)
    if "ssl_certfile" in options:
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"), options.get("ssl_password", ""))
    if "ssl_ca_certs" in options or "ssl_ca_path" in options:
        context.load_verify_locations(options.get("ssl_ca_certs"), options.get("ssl_ca_path"))
    return context.wrap_socket(connection, server_hostname=parts.hostname)


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
            if not answer and isinstance(connection, ssl.SSLSocket):
                # A server that misses a certificate may only say so by an alert, or by its silence.
                raise StandaloneError(
                    f"The Redis at {shown} closes the connection. If it asks for a certificate, name one by "
                    "ssl_certfile and ssl_keyfile in --redis-addr."
                )
            if not answer.startswith(("+", "-", ":")):
                raise StandaloneError(f"The server at {shown} is not Redis. Correct --redis-addr.")
            # The Manager waits until anything else, such as loading, is over.
            for beginning, meaning in _REFUSALS.items():
                if answer.startswith(f"-{beginning}"):
                    raise StandaloneError(f"The Redis at {shown} {meaning}.")


def _encode(words: list[str]) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
