"""The control socket: requests in, answers out, as a REP socket has them, but for many clients at once.

Guarantees: a request is answered whatever is in it, and no client waits for another one's request. The requests of one
client are carried out one after the other. What is held in memory is bounded: the length of a message, the messages
that wait of one client, and the bytes of all requests that are carried out; what goes beyond is refused at once. A
client that went away is forgotten.

Not guaranteed: an answer to what is not sent as a REQ socket sends it, with an empty frame first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import zmq
import zmq.asyncio

from queueserver_zmq_bridge.sockets import encryption
from queueserver_zmq_bridge.sockets.binding import bind
from queueserver_zmq_bridge.sockets.encoding import DecodeError, Encoding

#: Bytes of one message; a longer one ends the connection.
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
#: Bytes of a request: it is decoded in one go, during which no other client is answered.
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
#: Bytes of the requests of all clients that are carried out or wait, and how many clients may have one.
MAX_HELD_BYTES: Final = 4 * MAX_MESSAGE_BYTES
MAX_CLIENTS: Final = 1000
#: Requests of one client that wait; a client of the protocol has one at a time.
MAX_WAITING: Final = 10
#: Messages of one client that 0MQ itself keeps, in each direction.
_KEPT_MESSAGES: Final = 2
_HANDSHAKE_MS, _HEARTBEAT_MS, _SILENT_MS = 5_000, 10_000, 30_000
#: How long requests that are carried out, and then answers, may still take when the bridge ends.
_LAST_SECONDS, _LAST_MS = 1.0, 500
_TOO_MUCH: Final = "The server is busy with other requests and did not carry out this one. Send it again."
_TOO_LONG: Final = f"The request is longer than {MAX_REQUEST_BYTES:,} bytes. Send it in several parts."
_TOO_MANY: Final = f"More than {MAX_WAITING} requests of this client wait. Send the next one when one was answered."

#: What answers a decoded request: the object to send, or None for no answer at all.
Answering: TypeAlias = "Callable[[object], Awaitable[dict[str, object] | None]]"


class ControlSocket:
    """Reads requests and sends answers."""

    def __init__(self, context: zmq.asyncio.Context, address: str, encoding: Encoding, private_key: str = "") -> None:
        """Raises BindError for what is no key."""
        self.address = address
        self._encoding = encoding
        self._socket = socket = context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, _LAST_MS)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.RCVHWM, _KEPT_MESSAGES)
        socket.setsockopt(zmq.SNDHWM, _KEPT_MESSAGES)
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _SILENT_MS)
        if private_key:
            encryption.protect(socket, private_key)
        #: The requests of each client that has some: the one that is being carried out, and those that wait.
        self._requests: dict[bytes, deque[bytes]] = {}
        self._held_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def bind(self) -> None:
        """Open the socket. Raises BindError."""
        self.address = bind(self._socket, self.address, "--zmq-control-addr")

    async def serve(self, answer: Answering) -> None:
        """Carry out requests until this is cancelled."""
        try:
            while True:
                sender, *message = await self._socket.recv_multipart()
                if len(message) > 1 and not message[0]:
                    # A request has one frame; several of them can't be decoded, like no text at all.
                    await self._take(sender, message[1] if message[2:] == [] else b"", answer)
        finally:
            await self._settle()

    async def _settle(self) -> None:
        """Let what is carried out be answered, for a moment: the request that stops the server is among it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, sender: bytes, request: bytes, answer: Answering) -> None:
        """Have a request carried out, or refuse it."""
        requests = self._requests.get(sender)
        if len(request) > MAX_REQUEST_BYTES:
            await self._refuse(sender, _TOO_LONG)
        elif requests is not None and len(requests) >= MAX_WAITING:
            await self._refuse(sender, _TOO_MANY)
        elif self._held_bytes + len(request) > MAX_HELD_BYTES or (
            requests is None and len(self._requests) >= MAX_CLIENTS
        ):
            await self._refuse(sender, _TOO_MUCH)
        elif requests is not None:
            self._held_bytes += len(request)
            requests.append(request)
        else:
            self._held_bytes += len(request)
            self._requests[sender] = requests = deque((request,))
            task = asyncio.create_task(self._carry_out(sender, requests, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, sender: bytes, requests: deque[bytes], answer: Answering) -> None:
        """The requests of one client, until none waits."""
        try:
            while requests:
                request = requests[0]
                reply = await self._reply(request, answer)
                requests.popleft()
                self._held_bytes -= len(request)
                if reply is not None:
                    await self._socket.send_multipart((sender, b"", reply))
        finally:
            self._held_bytes -= sum(map(len, requests))
            del self._requests[sender]

    async def _reply(self, request: bytes, answer: Answering) -> bytes | None:
        try:
            decoded = self._encoding.decode(request)
        except DecodeError as error:
            return self._refusal(f"Failed to decode the request: {error}")
        reply = await answer(decoded)
        try:
            return None if reply is None else self._encoding.encode(reply)
        except (TypeError, ValueError, OverflowError) as error:
            return self._refusal(f"The answer can't be encoded in {self._encoding.name}: {error}")

    async def _refuse(self, sender: bytes, message: str) -> None:
        await self._socket.send_multipart((sender, b"", self._refusal(message)))

    def _refusal(self, message: str) -> bytes:
        return self._encoding.encode({"success": False, "msg": message})

    def close(self) -> None:
        """Close the socket; the last answers may still be on their way."""
        self._socket.close(linger=_LAST_MS)
