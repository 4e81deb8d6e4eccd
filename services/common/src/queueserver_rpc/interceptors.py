"""One place where exceptions of handlers become refusals.

A handler raises what its domain raises; the service's translator turns that into a :class:`Refusal`. An
exception the translator does not know is a defect of ours: it is logged with its traceback and the client
gets INTERNAL, so that bad input can never take a service down or leave a call hanging. A handler that was
interrupted in its work, because it waited for something that was given up, is answered with UNAVAILABLE.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from queueserver_long_work.chunked_decoding import decoded_in_turns
from queueserver_long_work.gc_policy import return_unused_memory
from queueserver_long_work.work import Work

from queueserver_rpc.bounds import Bounds, too_long_element
from queueserver_rpc.faults import RequestFault
from queueserver_rpc.reasons import ErrorReason, refused
from queueserver_rpc.status import FATE_UNKNOWN, Refusal, abort
from queueserver_rpc.unknown import changes_something, unknown_field, unknown_in_piece

Serializer = Callable[[Any], bytes]
Deserializer = Callable[[bytes], Any]
Translator = Callable[[Exception], "Refusal | None"]
_log = logging.getLogger(__name__)
#: Requests from this length on are decoded in time slices.
_LARGE_BYTES = 32 * 1024
# What a service makes of a request this long is many times as long, and worth returning afterwards.
_RETURNED_BYTES = 256 * 1024
_UNDECODABLE = refused(
    ErrorReason.ERROR_REASON_REQUEST_UNDECODABLE,
    "The request is not a valid message: text must be UTF-8, and values may be nested at most about 30 levels deep.",
)
_INTERRUPTED = refused(
    ErrorReason.ERROR_REASON_INTERRUPTED,
    "The service was interrupted in its answer: check whether your change was made, or repeat the request under "
    "the same request_id.",
    retry_after=1.0,
    metadata=FATE_UNKNOWN,
)


class UndecodableRequestError(Exception):
    """The bytes of a request are not the message they should be."""


class RequestFaultError(Exception):
    """The form of a request is not what the contract allows."""

    def __init__(self, fault: RequestFault) -> None:
        super().__init__(fault.description)
        self.refusal = fault.refusal()


@dataclass(frozen=True, slots=True)
class _Refused:
    """A request that reaches no handler."""

    error: Exception

    async def open(self, _context: Any) -> Any:
        raise self.error


@dataclass(frozen=True, slots=True)
class _LargeRequest:
    """A request that takes a while to decode."""

    data: bytes
    deserialize: Deserializer
    bounds: Bounds
    #: It may have no unknown fields.
    strict: bool

    async def open(self, context: Any) -> Any:
        if len(self.data) >= _RETURNED_BYTES:
            context.add_done_callback(lambda _: return_unused_memory())
        message = self.deserialize(b"")
        try:
            async for part in decoded_in_turns(message, self.data, _known if self.strict else _short):
                _raise(self.bounds.too_many(part))
        except DecodeError:
            raise UndecodableRequestError from None
        _raise(self.bounds.violation(message))
        return message


_CLOSED = (_Refused, _LargeRequest)


class RefusalInterceptor(grpc.aio.ServerInterceptor):
    """Wraps unary and server-streaming handlers so that their exceptions become typed refusals."""

    def __init__(self, translate: Translator) -> None:
        self._translate = translate
        # Handlers are found again for each call, and they are always the same.
        self._guarded: dict[str, Any] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Find the handler of a call and wrap it."""
        method = getattr(handler_call_details, "method", "?")
        known = self._guarded.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        guarded = self._guarded[method] = self._guard(handler, method)
        return guarded

    def _guard(self, handler: Any, method: str) -> Any:
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(handler.unary_stream, method),
                _bounded(handler.request_deserializer, method),
                _passing_bytes(handler.response_serializer),
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(handler.unary_unary, method),
            _bounded(handler.request_deserializer, method),
            _passing_bytes(handler.response_serializer),
        )

    def _unary(self, call: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
        async def guarded(request: Any, context: Any) -> Any:
            try:
                if isinstance(request, _CLOSED):
                    request = await request.open(context)
                return await call(request, context)
            except grpc.aio.AbortError:
                raise
            except asyncio.CancelledError:
                await _abort_if_awaited(context)
                raise
            except Exception as error:  # noqa: BLE001 - protects the client from a silent INTERNAL, and the service
                await abort(context, self._refused(error, method))

        return guarded

    def _stream(
        self, call: Callable[..., AsyncIterator[Any] | Awaitable[None]], method: str
    ) -> Callable[..., AsyncIterator[Any]]:
        async def guarded(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                if isinstance(request, _CLOSED):
                    request = await request.open(context)
                responses = call(request, context)
                if inspect.isawaitable(responses):  # a handler that writes its responses itself, as Health.Watch does
                    await responses
                    return
                async for response in responses:
                    yield response
            except grpc.aio.AbortError:
                raise
            except asyncio.CancelledError:
                await _abort_if_awaited(context)
                raise
            except Exception as error:  # noqa: BLE001 - as above
                await abort(context, self._refused(error, method))

        return guarded

    def _refused(self, error: Exception, method: str) -> Refusal:
        refusal = self._refusal(error, method)
        _log.debug("%s was refused: %s", method, refusal.message)
        return refusal

    def _refusal(self, error: Exception, method: str) -> Refusal:
        if isinstance(error, UndecodableRequestError):
            return _UNDECODABLE
        if isinstance(error, RequestFaultError):
            return error.refusal
        refusal = self._translate(error)
        if refusal is not None:
            return refusal
        _log.error("%s failed unexpectedly", method, exc_info=error)
        return refused(
            ErrorReason.ERROR_REASON_INTERNAL,
            f"The service met an error of its own ({type(error).__name__}). Its log has the details; please report it.",
        )


async def _abort_if_awaited(context: Any) -> None:
    """Report to the caller that the handler was interrupted, unless it is the call itself that was cancelled.

    gRPC does not tell the two apart: it leaves a waiting caller without an answer, and accepts none if no one waits.
    """
    with contextlib.suppress(grpc.aio.InternalError):
        await abort(context, _INTERRUPTED)


def _passing_bytes(serialize: Serializer) -> Serializer:
    """A handler may answer with a message it has serialized already."""
    return lambda response: response if isinstance(response, bytes) else serialize(response)


def _bounded(deserialize: Deserializer, method: str) -> Deserializer:
    """Let requests that are wrong in their form reach the guard: it is the request that is wrong, not we."""
    bounds = Bounds(deserialize(b"").DESCRIPTOR)
    strict = changes_something(method)

    def decode(data: bytes) -> Any:
        try:
            _raise(bounds.too_long(data))
            if len(data) >= _LARGE_BYTES:
                return _LargeRequest(data, deserialize, bounds, strict)
            message = deserialize(data)
            _raise(bounds.violation(message))
            if strict:
                _raise(unknown_field(message, data))
        except DecodeError:
            return _Refused(UndecodableRequestError())
        except RequestFaultError as error:
            return _Refused(error)
        return message

    return decode


def _short(message: Message, piece: bytes, path: str) -> Work[None]:
    """Check a piece of a request before it is decoded."""
    _raise(too_long_element(message, piece, path))
    yield


def _known(message: Message, piece: bytes, path: str) -> Work[None]:
    """As :func:`_short`, for a request that may have no unknown fields."""
    yield from _short(message, piece, path)
    _raise((yield from unknown_in_piece(message, piece, path)))


def _raise(found: RequestFault | None) -> None:
    if found is not None:
        raise RequestFaultError(found)
