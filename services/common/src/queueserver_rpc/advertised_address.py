"""Which addresses a server may advertise: HOST:PORT, as clients or other Managers can reach it from elsewhere.

The Manager and what starts it refuse the same ones, before anything is started. Whether the host is known and the
port is reachable is not checked.
"""

from __future__ import annotations

import ipaddress

_HIGHEST_PORT = 65535


def refusal_of_address(text: str, whose: str = "clients") -> str | None:
    """What an address must be for those who connect to it, as the end of a sentence; None if it is that."""
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 < int(port[:9]) <= _HIGHEST_PORT
    if is_port and _is_host(host) and not is_every_interface(host):
        return None
    return f"must be HOST:PORT as {whose} can reach it, for example beamline.example.org:60630, not {text:.80}"


def is_every_interface(host: str) -> bool:
    """Whether a host means all addresses of the machine that listens there: no place that clients could reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return host in {"", "*"}


def _is_host(host: str) -> bool:
    if host.startswith("[") and host.endswith("]"):
        try:
            return ipaddress.ip_address(host[1:-1]).version == 6  # noqa: PLR2004 - of the protocol
        except ValueError:
            return False
    return host.isprintable() and not any(character.isspace() or character in ":[]" for character in host)
