"""Server reflection that costs nothing until somebody asks.

What answers brings in the descriptors of descriptors: 3 MB in each service, for a call that people make now and then
by grpcurl. It is imported with the first call, in a thread, so that other calls do not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

SERVICE_NAME: str = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name


class ReflectionServicer(reflection_pb2_grpc.ServerReflectionServicer):  # type: ignore[misc]  # it has no type information
    """Answers as gRPC's own servicer does, which it makes when it is called first."""

    def __init__(self, service_names: Sequence[str]) -> None:
        self._service_names = service_names
        self._servicer: Any = None

    async def ServerReflectionInfo(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - the name of the method in the contract
        """Tell which services there are, and their descriptors."""
        if self._servicer is None:
            self._servicer = await asyncio.to_thread(_make, self._service_names)
        async for response in self._servicer.ServerReflectionInfo(requests, context):
            yield response


def add_reflection(server: grpc.aio.Server, service_names: Sequence[str]) -> None:
    """Let a server tell about these services and about reflection itself."""
    servicer = ReflectionServicer((*service_names, SERVICE_NAME))
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)


def _make(service_names: Sequence[str]) -> Any:
    from grpc_reflection.v1alpha.reflection import aio  # noqa: PLC0415 - see above

    return aio.ReflectionServicer(service_names)
