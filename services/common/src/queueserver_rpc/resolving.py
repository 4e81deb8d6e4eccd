"""Finds out which addresses a host name stands for, within a bound: a resolver may take a minute to give up."""

from __future__ import annotations

import socket
import threading
from typing import Any

#: The user who typed the name waits for the sentence about it.
_SECONDS = 0.8

Place = tuple[socket.AddressFamily, Any]


class UnknownHostError(OSError):
    """A host that can't be found. Its text is a part of a sentence."""


def resolve(host: str | None, port: str | int, flags: int = 0) -> list[Place]:
    """Families and addresses for TCP sockets; without a host those that mean every interface.

    Raises UnknownHostError. Blocks, for at most a second.
    """
    found: list[Place] = []
    problem = [f"nothing says within {_SECONDS:g} s where the host {host} is"]

    def look_up() -> None:
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        except (OSError, UnicodeError):
            problem[0] = f"the host {host} is unknown"
        else:
            found.extend((family, place) for family, _, _, _, place in places)

    thread = threading.Thread(target=look_up, name="resolver", daemon=True)
    thread.start()
    thread.join(_SECONDS)
    if not found:
        raise UnknownHostError(problem[0])
    return found
