"""At which addresses a service listens: on this machine alone, unless it was told to serve every client.

Without TLS no credentials are required, so every client that can reach a service can do everything that it can do.
Addresses of the loopback interface (127.0.0.0/8, ::1, localhost) and unix sockets are always allowed, others must be
requested: also every host name but localhost, whatever it means at present.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import errno
import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence

from queueserver_process.variables import value_of

from queueserver_rpc.resolving import UnknownHostError, resolve

INSECURE_OPTION = "--insecure-listen"
INSECURE_VARIABLE = "QSERVER_INSECURE_LISTEN"
UNIX = "unix:"
#: Before an address, as gRPC knows them; the longer ones first.
_SCHEMES = ("dns:///", "dns:", "ipv4:", "ipv6:")
_EVERY_INTERFACE = ("", "*")
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})
_HIGHEST_PORT = 65535
_OTHER_ADDRESS = "Choose an address of this machine, for example 127.0.0.1:60630."


class ListenError(OSError):
    """An address that can't or must not be listened on. Its text says why, and what to do."""


def add_insecure_option(parser: argparse.ArgumentParser) -> None:
    """Give a parser the option that allows every address; `insecure_by_environment` reads the variable for it."""
    parser.add_argument(
        INSECURE_OPTION,
        action="store_true",
        help="let --listen be an address that others than this machine's own programs can reach, although no "
        f"credentials are required: anyone who reaches it can run any code; also from {INSECURE_VARIABLE}=1",
    )


def insecure_by_environment(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `INSECURE_VARIABLE` allows every address. Raises ValueError if it says neither yes nor no."""
    word = value_of("INSECURE_LISTEN", environment).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"{INSECURE_VARIABLE} must be 1 or 0, not {word:.40}.")
    return word in _YES


def host_and_port(address: str) -> tuple[str, str]:
    """The two parts of HOST:PORT, without a scheme of gRPC and without the brackets of an IPv6 address."""
    for scheme in _SCHEMES:
        address = address.removeprefix(scheme)
    host, _, port = address.rpartition(":")
    return (host[1:-1] if host.startswith("[") and host.endswith("]") else host), port


def is_address(text: str) -> bool:
    """Whether a text has the form of an address to listen on: HOST:PORT (port 0: any) or unix:PATH."""
    if text.startswith(UNIX):
        return len(text) > len(UNIX)
    host, port = host_and_port(text)
    return bool(host) and port.isascii() and port.isdigit() and int(port[:9]) <= _HIGHEST_PORT


def reaches_beyond_this_machine(address: str) -> bool:
    """Whether a service at an address could be reached from elsewhere."""
    if address.startswith(UNIX):
        return False
    host, _ = host_and_port(address)
    if host.lower() == "localhost":
        return False
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return True
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return not (mapped or found).is_loopback


def refuse_unasked(address: str, *, insecure: bool, tls_options: Sequence[str] = ()) -> None:
    """Raises ListenError for an address that reaches beyond this machine, unless that was requested.

    ``tls_options`` are those with which the service would require certificates, if it has any.
    """
    if insecure or not reaches_beyond_this_machine(address):
        return
    host, _ = host_and_port(address)
    misspelt = difflib.get_close_matches(host.lower(), ["localhost"], cutoff=0.8)
    ways = ["Listen on 127.0.0.1 or on a unix socket"]
    if tls_options:
        ways.append(f"require certificates with {', '.join(tls_options)}")
    ways.append(f"add {INSECURE_OPTION} if only those whom you trust can reach it (docs/how-to/security.md)")
    raise ListenError(
        f"Can't listen on {address}: {'did you mean localhost? Anyone' if misspelt else 'anyone'} who reaches it could "
        f"run any code on this machine, because no credentials are required. {', or '.join(ways)}."
    )


def warning(address: str) -> str:
    """What it means to listen on an address that reaches beyond this machine."""
    return (
        f"Anyone who reaches {address} can run any code on this machine and move its devices, because no credentials "
        f"are required ({INSECURE_OPTION}): let a firewall guard it."
    )


def check_free(address: str) -> None:
    """Raises ListenError if HOST:PORT is unknown, not of this machine, not allowed or taken.

    It checks before gRPC does, which reports the same in many lines of its own. Blocks, for at most a second.
    """
    host, port = host_and_port(address)
    try:
        places = resolve(None if host in _EVERY_INTERFACE else host, port, socket.AI_PASSIVE)
    except UnknownHostError as error:
        raise ListenError(f"Can't listen on {address}: {error}. {_OTHER_ADDRESS}") from error
    for family, place in places:
        with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                probe.bind(place)
            except OSError as error:
                # A name such as localhost may stand for an address that this machine does not have.
                if error.errno != errno.EADDRNOTAVAIL or _is_ip(host):
                    raise ListenError(f"Can't listen on {address}: {_reason(error, host)}") from error


def _reason(error: OSError, host: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "another program listens there. Stop it if it is an older Queue Server, or choose another port by --listen."
        )
    if error.errno == errno.EACCES:
        return "this port is reserved for the system. Choose one above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. {_OTHER_ADDRESS}"
    return f"{error.strerror}. {_OTHER_ADDRESS}"


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
