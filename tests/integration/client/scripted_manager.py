"""A gRPC server that answers as a test tells it: enough to test a client, and nothing of a Manager's rules."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import grpc
from google.protobuf import descriptor, message_factory
from queueserver.manager.v1 import (
    environment_service_pb2,
    event_service_pb2,
    history_service_pb2,
    inventory_service_pb2,
    lock_service_pb2,
    permission_service_pb2,
    planning_service_pb2,
    queue_service_pb2,
    run_engine_service_pb2,
    server_service_pb2,
    status_service_pb2,
    task_service_pb2,
)
from queueserver_rpc.status import Refusal, abort

MODULES: tuple[ModuleType, ...] = (
    environment_service_pb2,
    event_service_pb2,
    history_service_pb2,
    inventory_service_pb2,
    lock_service_pb2,
    permission_service_pb2,
    planning_service_pb2,
    queue_service_pb2,
    run_engine_service_pb2,
    server_service_pb2,
    status_service_pb2,
    task_service_pb2,
)


@dataclass
class ScriptedManager:
    """Serves every method of the contract from ``answers``.

    An answer is a message (or bytes that are none), a Refusal, or a function of the request that gives either; for
    a streaming method an asynchronous generator function of the request. A list is consumed answer by answer.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    #: Name, request and metadata of each call, in order.
    calls: list[tuple[str, Any, dict[str, Any]]] = field(default_factory=list)
    address: str = ""
    _server: grpc.aio.Server | None = None

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        for module in MODULES:
            for service in module.DESCRIPTOR.services_by_name.values():
                handlers = {method.name: self._handler(method) for method in service.methods}
                self._server.add_generic_rpc_handlers(
                    (grpc.method_handlers_generic_handler(service.full_name, handlers),)
                )
        self.address = f"{host}:{self._server.add_insecure_port(f'{host}:{port}')}"
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)

    async def restart(self) -> None:
        """Go away and come back at the same address."""
        await self.stop()
        await self.start(int(self.address.rpartition(":")[2]))

    def requests(self, name: str) -> list[Any]:
        return [request for called, request, _ in self.calls if called == name]

    def _handler(self, method: descriptor.MethodDescriptor) -> Any:
        request_class = message_factory.GetMessageClass(method.input_type)
        make: Callable[..., Any] = grpc.unary_unary_rpc_method_handler
        serve: Callable[..., Any] = self._unary(method.name)
        if method.server_streaming:
            make, serve = grpc.unary_stream_rpc_method_handler, self._stream(method.name)
        return make(serve, request_class.FromString, _encode)

    def _unary(self, name: str) -> Callable[..., Any]:
        async def serve(request: Any, context: Any) -> Any:
            answer = self._note(name, request, context)
            if callable(answer):
                answer = answer(request)
            if inspect.isawaitable(answer):
                answer = await answer
            if isinstance(answer, Refusal):
                await abort(context, answer)
            return answer

        return serve

    def _stream(self, name: str) -> Callable[..., Any]:
        async def serve(request: Any, context: Any) -> AsyncIterator[Any]:
            answer = self._note(name, request, context)
            if isinstance(answer, Refusal):
                await abort(context, answer)
            async for message in answer(request):
                if isinstance(message, Refusal):
                    await abort(context, message)
                yield message

        return serve

    def _note(self, name: str, request: Any, context: Any) -> Any:
        self.calls.append((name, request, dict(context.invocation_metadata())))
        answer = self.answers[name]
        return answer.pop(0) if isinstance(answer, list) else answer


def _encode(message: Any) -> bytes:
    return message if isinstance(message, bytes) else bytes(message.SerializeToString())


class Silence:
    """An answer that never comes, and whether it was asked for."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def __call__(self, _request: object) -> None:
        self.asked.set()
        await until_cancelled()


async def until_cancelled() -> None:
    """Keep a stream open until its client ends it."""
    await asyncio.Event().wait()
