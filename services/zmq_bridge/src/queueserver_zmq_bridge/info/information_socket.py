"""The information socket: one topic for console text, one for the status; each message has two frames, topic and body.

Guarantees: a subscriber that is slow, or gone, does not delay others: what it does not take is dropped for it alone,
and what is held for it is bounded.

Not guaranteed: any encryption, which subscribers of the protocol don't know on this socket; a bound for the number of
subscriptions that one subscriber makes.
"""

from __future__ import annotations

import time
from typing import Any, Final

import zmq
import zmq.asyncio

from queueserver_zmq_bridge.sockets.binding import bind
from queueserver_zmq_bridge.sockets.encoding import Encoding

CONSOLE: Final = b"QS_Console"
STATUS: Final = b"QS_Info"
#: Messages that are held for one subscriber, so that it loses nothing when a lot is printed at once. A piece of console
#: text has at most some tens of kilobytes; what is held for several subscribers is held once.
_HELD_MESSAGES: Final = 5000
#: All that subscribers send is names of topics.
_MOST_RECEIVED_BYTES: Final = 256
_HANDSHAKE_MS, _HEARTBEAT_MS, _SILENT_MS = 5_000, 10_000, 30_000


class InformationSocket:
    """Publishes."""

    def __init__(self, context: zmq.asyncio.Context, address: str, encoding: Encoding) -> None:
        self.address = address
        self._encoding = encoding
        self._socket = socket = context.socket(zmq.PUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SNDHWM, _HELD_MESSAGES)
        socket.setsockopt(zmq.MAXMSGSIZE, _MOST_RECEIVED_BYTES)
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _SILENT_MS)

    def bind(self) -> None:
        """Open the socket. Raises BindError."""
        self.address = bind(self._socket, self.address, "--zmq-info-addr")

    async def publish_console(self, text: str, at: float) -> None:
        """Publish a piece of console text that was written ``at`` this time."""
        await self._publish(CONSOLE, {"time": at, "msg": text})

    async def publish_status(self, status: dict[str, Any]) -> None:
        """Publish a status."""
        await self._publish(STATUS, {"time": time.time(), "msg": {"status": status}})

    async def _publish(self, topic: bytes, message: dict[str, Any]) -> None:
        await self._socket.send_multipart((topic, self._encoding.encode(message)))

    def close(self) -> None:
        """Close the socket at once."""
        self._socket.close(linger=0)
