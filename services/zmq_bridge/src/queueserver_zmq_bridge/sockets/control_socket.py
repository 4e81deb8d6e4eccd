"""The control socket: requests in, answers out, as a REP socket has them, but for many clients at once.

Guarantees: a request is answered whatever is in it, and no client waits for another one's request. The requests of one
client are carried out one after the other. What is held in memory is bounded: the length of a message, the messages
that wait of one client, and those that are carried out. A client that went away is forgotten.
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
#: Requests of all clients that are carried out at the same time; further ones are read when one of them has ended.
MAX_REQUESTS: Final = 100
#: Requests of one client that wait; a client of the protocol has one at a time.
MAX_WAITING: Final = 10
#: Messages of one client that 0MQ itself keeps, in each direction.
_KEPT_MESSAGES: Final = 10
_HANDSHAKE_MS, _HEARTBEAT_MS, _SILENT_MS = 5_000, 10_000, 30_000

#: What answers a decoded request: the object to send, or None for no answer at all.
Answering: TypeAlias = "Callable[[object], Awaitable[dict[str, object] | None]]"


class ControlSocket:
    """Reads requests and sends answers."""

    def __init__(self, context: zmq.asyncio.Context, address: str, encoding: Encoding, private_key: str = "") -> None:
        self.address = address
        self._encoding = encoding
        self._socket = socket = context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.RCVHWM, _KEPT_MESSAGES)
        socket.setsockopt(zmq.SNDHWM, _KEPT_MESSAGES)
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, _SILENT_MS)
        if private_key:
            encryption.protect(socket, private_key)
        #: Requests of each client: the one that is being carried out, and those that wait.
        self._clients: dict[bytes, deque[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(MAX_REQUESTS)

    def bind(self) -> None:
        """Open the socket. Raises BindError."""
        self.address = bind(self._socket, self.address, "--zmq-control-addr")

    async def serve(self, answer: Answering) -> None:
        """Carry out requests until this is cancelled."""
        try:
            while True:
                frames = await self._socket.recv_multipart()
                # identity, an empty frame, then the request; anything else is not of a client of the protocol
                if len(frames) < 3 or frames[1]:  # noqa: PLR2004 - explained above
                    continue
                await self._take(frames[0], frames[2] if len(frames) == 3 else b"", answer)  # noqa: PLR2004
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, client: bytes, request: bytes, answer: Answering) -> None:
        waiting = self._clients.get(client)
        if waiting is not None:
            if len(waiting) < MAX_WAITING:
                waiting.append(request)
            return
        await self._free.acquire()
        self._clients[client] = deque((request,))
        task = asyncio.create_task(self._carry_out(client, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, client: bytes, answer: Answering) -> None:
        """The requests of one client, until none waits."""
        waiting = self._clients[client]
        try:
            while waiting:
                reply = await self._reply(waiting.popleft(), answer)
                if reply is not None:
                    await self._socket.send_multipart((client, b"", reply))
        finally:
            del self._clients[client]
            self._free.release()

    async def _reply(self, request: bytes, answer: Answering) -> bytes | None:
        try:
            decoded = self._encoding.decode(request)
        except DecodeError as error:
            return self._encoding.encode({"success": False, "msg": f"Failed to decode the request: {error}"})
        reply = await answer(decoded)
        return None if reply is None else self._encoding.encode(reply)

    def close(self) -> None:
        """Close the socket at once."""
        self._socket.close(linger=0)
