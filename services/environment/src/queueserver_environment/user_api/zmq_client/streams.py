"""What a server publishes: console output and its status, in threads or with asyncio."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Final

import zmq
import zmq.asyncio

from queueserver_environment.user_api.zmq_client.failures import ZMQEncoding, decoded, process_zmq_encoding_name

default_zmq_info_address: Final = "tcp://localhost:60625"
_CONSOLE, _INFO = "QS_Console", "QS_Info"
Message = dict[str, Any]
#: A message is its topic and its content.
_FRAMES: Final = 2


class _Receiver:
    """What all receivers have.

    Parameters
    ----------
    zmq_subscribe_addr
        Address of the server's information socket; None for ``tcp://localhost:60625``.
    encoding
        "json" or "msgpack", as the server publishes.
    zmq_topic
        Topic of the messages.
    timeout
        Milliseconds to wait for a message; None to wait for ever.

    """

    _context: Any

    def __init__(
        self, zmq_subscribe_addr: str | None, encoding: str | ZMQEncoding, zmq_topic: str, timeout: float | None
    ) -> None:
        self._encoding = process_zmq_encoding_name(encoding)
        self._topic = zmq_topic
        self._timeout = timeout
        self._is_subscribed = False
        self._socket = self._context.socket(zmq.SUB)
        try:
            self._socket.linger = 0
            self._socket.connect(zmq_subscribe_addr or default_zmq_info_address)
        except BaseException:
            self._socket.close()
            raise

    def __del__(self) -> None:
        made = getattr(self, "_socket", None)
        if made is not None:
            made.close(linger=0)

    def subscribe(self) -> None:
        """Begin to collect messages; those before are not received."""
        if not self._is_subscribed:
            self._socket.subscribe(self._topic)
            self._is_subscribed = True

    def unsubscribe(self) -> None:
        """Stop collecting messages."""
        if self._is_subscribed:
            self._socket.unsubscribe(self._topic)
            self._is_subscribed = False

    def _waits(self, timeout: float | None) -> int | None:
        """Milliseconds to wait; None for ever."""
        chosen = self._timeout if timeout is not None and timeout < 0 else timeout
        return None if chosen is None else int(chosen)

    def _message(self, frames: list[bytes]) -> Message:
        if len(frames) != _FRAMES:
            raise ValueError(f"a message has {len(frames)} parts instead of a topic and its content")
        message: Message = decoded(frames[1], self._encoding)
        return message

    def _none_came(self, waited: int | None) -> TimeoutError:
        return TimeoutError(f"No message came within {waited} ms.")


class _ThreadReceiver(_Receiver):
    _context = property(lambda _: zmq.Context.instance())

    def recv(self, timeout: float | None = -1) -> Message:
        """Return the next message, ``{"time": …, "msg": …}``; subscribes if that was not done.

        `timeout` is in milliseconds; None waits for ever, -1 as long as the receiver was told to. Raises TimeoutError.
        """
        self.subscribe()
        waited = self._waits(timeout)
        if not self._socket.poll(waited):
            raise self._none_came(waited)
        return self._message(self._socket.recv_multipart())


class _AsyncReceiver(_Receiver):
    _context = property(lambda _: zmq.asyncio.Context.instance())
    _callback: Callable[[Message], object] | None = None
    _job: "asyncio.Task[None] | None" = None

    async def recv(self, timeout: float | None = -1) -> Message:
        """Return the next message, as the receiver for threads does. Raises TimeoutError."""
        self.subscribe()
        waited = self._waits(timeout)
        if not await self._socket.poll(waited):
            raise self._none_came(waited)
        return self._message(await self._socket.recv_multipart())

    def set_callback(self, cb: Callable[[Message], object] | None) -> None:
        """Set the function or coroutine function that gets each message from :meth:`start` on; None for none."""
        self._callback = cb

    def start(self) -> None:
        """Receive messages in the running event loop until :meth:`stop`."""
        if self._job is None or self._job.done():
            self.subscribe()
            self._job = asyncio.get_running_loop().create_task(self._receive())

    def stop(self, *, unsubscribe: bool = True) -> None:
        """Stop receiving, and collecting too unless `unsubscribe` is false."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if unsubscribe:
            self.unsubscribe()

    async def _receive(self) -> None:
        while True:
            message = self._message(await self._socket.recv_multipart())
            if self._callback is not None:
                waiting = self._callback(message)
                if inspect.isawaitable(waiting):
                    await waiting


class ReceiveConsoleOutput(_ThreadReceiver):
    """Receives what a server prints."""

    def __init__(
        self,
        *,
        zmq_subscribe_addr: str | None = None,
        encoding: str | ZMQEncoding = "json",
        zmq_topic: str = _CONSOLE,
        timeout: float | None = 1000,
    ) -> None:
        super().__init__(zmq_subscribe_addr, encoding, zmq_topic, timeout)


class ReceiveConsoleOutputAsync(_AsyncReceiver):
    """Receives what a server prints, with asyncio."""

    def __init__(
        self,
        *,
        zmq_subscribe_addr: str | None = None,
        encoding: str | ZMQEncoding = "json",
        zmq_topic: str = _CONSOLE,
        timeout: float | None = 1000,
    ) -> None:
        super().__init__(zmq_subscribe_addr, encoding, zmq_topic, timeout)


class ReceiveSystemInfo(_ThreadReceiver):
    """Receives the status that a server publishes."""

    def __init__(
        self,
        *,
        zmq_subscribe_addr: str | None = None,
        encoding: str | ZMQEncoding = "json",
        zmq_topic: str = _INFO,
        timeout: float | None = 1000,
    ) -> None:
        super().__init__(zmq_subscribe_addr, encoding, zmq_topic, timeout)


class ReceiveSystemInfoAsync(_AsyncReceiver):
    """Receives the status that a server publishes, with asyncio."""

    def __init__(
        self,
        *,
        zmq_subscribe_addr: str | None = None,
        encoding: str | ZMQEncoding = "json",
        zmq_topic: str = _INFO,
        timeout: float | None = 1000,
    ) -> None:
        super().__init__(zmq_subscribe_addr, encoding, zmq_topic, timeout)
