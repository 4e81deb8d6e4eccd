"""Send requests and wait for their answers, in threads or with asyncio.

Guarantees: one request at a time on a connection, and the answer of each is its own: after one that was not answered,
the connection is made anew.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import zmq
import zmq.asyncio

from queueserver_environment.user_api.zmq_client.failures import (
    NO_ANSWER,
    CommTimeoutError,
    ZMQEncoding,
    decoded,
    encoded,
    process_zmq_encoding_name,
)
from queueserver_environment.user_api.zmq_client.keys import generate_zmq_keys, validate_zmq_key

default_zmq_control_address: Final = "tcp://localhost:60615"
Answer = dict[str, Any]
Callback = Callable[[Answer, str], object]


class _Sender:
    """What both kinds of senders have: how they connect, encode and fail.

    Parameters
    ----------
    context
        Makes the socket.
    address, timeout_recv, timeout_send, raise_exceptions, server_public_key, encoding
        As in the senders.

    """

    def __init__(
        self,
        context: Any,
        address: str | None,
        timeout_recv: float,
        timeout_send: float,
        server_public_key: str | None,
        encoding: str | ZMQEncoding,
        *,
        raise_exceptions: bool,
    ) -> None:
        if server_public_key is not None:
            validate_zmq_key(server_public_key)
        self._encoding = process_zmq_encoding_name(encoding)
        self._context = context
        self._address = address or default_zmq_control_address
        self._timeout_recv, self._timeout_send = timeout_recv, timeout_send
        self._raises = raise_exceptions
        self._server_key = server_public_key
        self._socket: Any = None
        self._is_closed = False
        self._connect()

    def _connect(self) -> None:
        """Make the socket, or make it anew."""
        self._disconnect()
        made = self._context.socket(zmq.REQ)
        try:
            made.linger = 0
            made.sndtimeo = int(self._timeout_send)
            if self._server_key is not None:
                public, private = generate_zmq_keys()
                made.set(zmq.CURVE_SERVERKEY, self._server_key.encode())
                made.set(zmq.CURVE_PUBLICKEY, public.encode())
                made.set(zmq.CURVE_SECRETKEY, private.encode())
            made.connect(self._address)
        except BaseException:
            made.close()
            raise
        self._socket = made

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def _close(self) -> None:
        self._is_closed = True
        self._disconnect()

    def _request(self, method: str, params: Mapping[str, Any] | None) -> bytes:
        if self._is_closed:
            raise CommTimeoutError("ZMQ communication error: this sender was closed: make another one.")
        return encoded({"method": method, "params": params if params is not None else {}}, self._encoding)

    def _waits(self, timeout: float | None) -> int:
        """Milliseconds to wait for an answer."""
        return max(0, int(self._timeout_recv if timeout is None else timeout))

    def _answer(self, data: bytes) -> Answer:
        answer: Answer = decoded(data, self._encoding)
        return answer

    def _no_answer(self, waited: int) -> CommTimeoutError:
        return CommTimeoutError(NO_ANSWER.format(waited, self._address))

    def _failed(self, error: CommTimeoutError, raise_exceptions: bool | None) -> Answer:
        """Raise it, or return what says the same."""
        if self._raises if raise_exceptions is None else raise_exceptions:
            raise error
        return {"success": False, "msg": str(error)}


def _explained(error: Exception) -> CommTimeoutError:
    return CommTimeoutError(f"ZMQ communication error: {error}")


class ZMQCommSendThreads(_Sender):
    """Sends requests from threads.

    Parameters
    ----------
    zmq_server_address
        Address of the server; None for ``tcp://localhost:60615``.
    timeout_recv, timeout_send
        Milliseconds to wait for an answer, and until a request can be sent.
    raise_exceptions
        Raise CommTimeoutError if there is no answer; otherwise the answer is an object with ``success`` false.
    server_public_key
        The server's public key, if it encrypts.
    encoding
        "json" or "msgpack".

    """

    def __init__(
        self,
        *,
        zmq_server_address: str | None = None,
        timeout_recv: float = 2000,
        timeout_send: float = 500,
        raise_exceptions: bool = True,
        server_public_key: str | None = None,
        encoding: str | ZMQEncoding = "json",
    ) -> None:
        self._lock = threading.Lock()
        super().__init__(
            *(zmq.Context.instance(), zmq_server_address, timeout_recv, timeout_send, server_public_key, encoding),
            raise_exceptions=raise_exceptions,
        )

    def send_message(
        self,
        *,
        method: str,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        cb: Callback | None = None,
        raise_exceptions: bool | None = None,
    ) -> Answer | None:
        """Send a request and return the answer.

        Parameters
        ----------
        method, params
            The request.
        timeout
            Milliseconds to wait for the answer; None for those of the sender.
        cb
            Return at once; a thread calls this with the answer and an empty text, or with ``{}`` and what went wrong.
        raise_exceptions
            As in the sender; None for what was said there.

        Raises
        ------
        CommTimeoutError
            There was no answer in time.

        """
        if cb is not None:
            threading.Thread(target=self._tell, args=(cb, method, params, timeout), daemon=True).start()
            return None
        try:
            return self._exchange(method, params, timeout)
        except CommTimeoutError as error:
            return self._failed(error, raise_exceptions)

    def _tell(self, cb: Callback, method: str, params: Mapping[str, Any] | None, timeout: float | None) -> None:
        try:
            answer, problem = self._exchange(method, params, timeout), ""
        except CommTimeoutError as error:
            answer, problem = {}, str(error)
        cb(answer, problem)

    def _exchange(self, method: str, params: Mapping[str, Any] | None, timeout: float | None) -> Answer:
        with self._lock:
            request, waited = self._request(method, params), self._waits(timeout)
            try:
                self._socket.send(request)
                if self._socket.poll(waited):
                    return self._answer(self._socket.recv())
            except (zmq.ZMQError, ValueError) as error:
                self._connect()
                raise _explained(error) from error
            self._connect()
            raise self._no_answer(waited)

    def close(self) -> None:
        """Close the connection; further requests are refused."""
        with self._lock:
            self._close()


class ZMQCommSendAsync(_Sender):
    """Sends requests with asyncio.

    Parameters
    ----------
    loop
        The event loop; None for the running one.
    zmq_server_address, timeout_recv, timeout_send, raise_exceptions, server_public_key, encoding
        As of ZMQCommSendThreads.

    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        zmq_server_address: str | None = None,
        timeout_recv: float = 2000,
        timeout_send: float = 500,
        raise_exceptions: bool = True,
        server_public_key: str | None = None,
        encoding: str | ZMQEncoding = "json",
    ) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        super().__init__(
            *(zmq.asyncio.Context(), zmq_server_address, timeout_recv, timeout_send, server_public_key, encoding),
            raise_exceptions=raise_exceptions,
        )

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop."""
        return self._loop

    async def send_message(
        self,
        *,
        method: str,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        raise_exceptions: bool | None = None,
    ) -> Answer:
        """Send a request and return the answer; parameters and errors as of ZMQCommSendThreads."""
        try:
            async with self._lock:
                return await self._exchange(method, params, timeout)
        except CommTimeoutError as error:
            return self._failed(error, raise_exceptions)

    async def _exchange(self, method: str, params: Mapping[str, Any] | None, timeout: float | None) -> Answer:
        request, waited, is_answered = self._request(method, params), self._waits(timeout), False
        try:
            await self._socket.send(request)
            if await self._socket.poll(waited):
                answer = self._answer(await self._socket.recv())
                is_answered = True
                return answer
        except (zmq.ZMQError, ValueError) as error:
            raise _explained(error) from error
        finally:
            # Also when the caller is cancelled: the answer would be taken for that of the next request.
            if not is_answered and not self._is_closed:
                self._connect()
        raise self._no_answer(waited)

    def close(self) -> None:
        """Close the connection; further requests are refused."""
        self._close()
        self._context.term()


def zmq_single_request(
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    timeout: float | None = None,
    zmq_server_address: str | None = None,
    server_public_key: str | None = None,
    encoding: str | ZMQEncoding = "json",
) -> tuple[Answer | None, str]:
    """Send one request on a connection of its own.

    Returns
    -------
    tuple
        The answer and an empty text, or None and what went wrong. Parameters are as of ZMQCommSendThreads.

    """
    sender = ZMQCommSendThreads(
        zmq_server_address=zmq_server_address, server_public_key=server_public_key, encoding=encoding
    )
    try:
        return sender.send_message(method=method, params=params, timeout=timeout), ""
    except CommTimeoutError as error:
        return None, str(error)
    finally:
        sender.close()
