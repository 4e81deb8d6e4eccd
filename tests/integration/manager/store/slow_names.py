"""A name server for tests of connections to Redis, and a Redis that is reached by a port."""

from __future__ import annotations

import socket
import threading
from typing import Any

NAME = "redis.example"
Found = list[tuple[Any, ...]]


class SlowNames:
    """A name server that answers only when the test lets it. Knows one name."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answering = threading.Event()
        self.place = "127.0.0.1"
        self._look_up = socket.getaddrinfo

    def look_up(self, host: str, port: int, *, type: int, flags: int = 0) -> Found:  # noqa: A002 - as the library has it
        """In place of ``socket.getaddrinfo``."""
        if flags or host != NAME:
            return self._look_up(host, port, type=type, flags=flags)
        self.asked.append(host)
        assert self.answering.wait(60)
        if not self.place:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._look_up(self.place, port, type=type)
