"""A bare subscriber of the information socket, as programs write it themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import msgpack
import zmq
from typing_extensions import Self

CONSOLE, STATUS = "QS_Console", "QS_Info"
WAIT_SECONDS = 20.0


class Subscriber:
    """Receives messages of both topics."""

    def __init__(self, address: str, *, encoding: str = "json") -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"QS_")
        self._socket.connect(address)
        self._json = encoding == "json"
        self._wait_until_subscribed()

    def next(self, within: float = WAIT_SECONDS) -> tuple[str, Any]:
        """The topic and the content of the next message; TimeoutError if there is none in time."""
        if not self._socket.poll(int(within * 1000)):
            raise TimeoutError(f"nothing was published within {within} s")
        topic, body = self._socket.recv_multipart()
        message = json.loads(body) if self._json else msgpack.unpackb(body)
        assert set(message) == {"time", "msg"}
        assert abs(message["time"] - time.time()) < WAIT_SECONDS
        return topic.decode(), message["msg"]

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing is published for some time."""
        return not self._socket.poll(int(seconds * 1000))

    def texts_until(self, ending: str) -> list[str]:
        """Pieces of console text up to the one with which the text has this ending in it."""
        pieces: list[str] = []
        tail = ""
        while ending not in tail:
            topic, content = self.next()
            if topic == CONSOLE:
                pieces.append(content)
                tail = tail[-len(ending) :] + content
        return pieces

    def statuses_until(self, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Statuses up to the first one that is wanted."""
        found: list[dict[str, Any]] = []
        while not found or not wanted(found[-1]):
            topic, content = self.next()
            if topic == STATUS:
                assert list(content) == ["status"]
                found.append(content["status"])
        return found

    def _wait_until_subscribed(self) -> None:
        # A status comes once a second.
        self.statuses_until(lambda _: True)

    def close(self) -> None:
        """Vanish."""
        self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
