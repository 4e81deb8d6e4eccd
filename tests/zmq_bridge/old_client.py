"""A bare client of the 0MQ API, as programs write it themselves: a REQ socket and JSON or msgpack."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

import msgpack
import zmq
from typing_extensions import Self

#: Seconds within which every call has to be answered; clients of the API wait for as long.
ANSWER_SECONDS = 2.0


class OldClient:
    """Sends one request at a time."""

    def __init__(
        self, address: str, *, encoding: str = "json", server_key: str = "", patience: float = ANSWER_SECONDS
    ) -> None:
        self._patience = patience
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        if server_key:
            public, secret = zmq.curve_keypair()
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, server_key.encode())
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
        self._socket.connect(address)
        self._json = encoding == "json"

    def __call__(self, method: str, /, **params: Any) -> dict[str, Any]:
        """The answer to a request; TimeoutError if there is none in time."""
        request = {"method": method, "params": params}
        answer: dict[str, Any] = self.send(json.dumps(request).encode() if self._json else msgpack.packb(request))
        return answer

    def send(self, data: bytes) -> Any:
        """The decoded answer to any bytes."""
        self.put(data)
        return self.take()

    def put(self, data: bytes) -> None:
        """Send without waiting for the answer."""
        self._socket.send(data)

    def take(self, within: float | None = None) -> Any:
        """Wait for the answer to what was sent last, and decode it."""
        within = self._patience if within is None else within
        if not self._socket.poll(int(within * 1000)):
            raise TimeoutError(f"no answer within {within} s")
        answer = self._socket.recv()
        return json.loads(answer) if self._json else msgpack.unpackb(answer)

    def is_answered(self) -> bool:
        """Whether the answer to what was sent last has come."""
        return bool(self._socket.poll(0))

    def close(self) -> None:
        """Vanish."""
        self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
