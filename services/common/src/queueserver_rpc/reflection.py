"""Server reflection, v1 and v1alpha, from a descriptor set, so that clients get the comments of the contract too.

It costs nothing until a client asks: the set is read with the first call, in a thread, so that other calls do not wait
for it. Answers are made of the bytes of whole files.

Reflection v1 has the messages of v1alpha under another name. grpcio's package knows v1alpha alone, and returns what is
in the memory of the process, where there are no comments.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2 as pb

from queueserver_rpc.descriptors import Descriptors

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
#: For one request: a name of the contract has less than a hundred.
MAX_REQUEST_BYTES = 4096
_NOT_FOUND, _INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT


class Reflection:
    """Answers what clients ask about these services and about reflection itself."""

    def __init__(self, service_names: Sequence[str], descriptor_set: Path) -> None:
        self._service_names = sorted((*service_names, *SERVICES))
        self._path = descriptor_set
        self._descriptors: Descriptors | None = None

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve both versions."""
        handler: Any = grpc.stream_stream_rpc_method_handler(
            self._answer_all, response_serializer=pb.ServerReflectionResponse.SerializeToString
        )
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}) for name in SERVICES]
        )

    async def _answer_all(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        if self._descriptors is None:
            self._descriptors = await asyncio.to_thread(Descriptors.read, self._path)
        brought: set[str] = set()
        async for data in requests:
            if len(data) > MAX_REQUEST_BYTES:
                await context.abort(_INVALID, f"A request of reflection may have {MAX_REQUEST_BYTES} bytes.")
            try:
                request = pb.ServerReflectionRequest.FromString(data)
            except DecodeError:
                await context.abort(_INVALID, "The request is not a ServerReflectionRequest.")
            yield self._answer(self._descriptors, request, brought)

    def _answer(self, descriptors: Descriptors, request: Any, brought: set[str]) -> Any:
        answer = pb.ServerReflectionResponse(valid_host=request.host, original_request=request)
        what = request.WhichOneof("message_request")
        try:
            if what == "list_services":
                services = [pb.ServiceResponse(name=name) for name in self._service_names]
                answer.list_services_response.service.extend(services)
            elif what == "all_extension_numbers_of_type":
                numbers = answer.all_extension_numbers_response
                numbers.base_type_name = request.all_extension_numbers_of_type
                numbers.extension_number.extend(descriptors.extensions_of(request.all_extension_numbers_of_type))
            elif what is not None:
                name = _FILE_OF[what](descriptors, request)
                answer.file_descriptor_response.file_descriptor_proto.extend(descriptors.with_imports(name, brought))
            else:
                _refuse(answer, _INVALID, "Say what you ask about, for example list_services.")
        except KeyError as missing:
            _refuse(answer, _NOT_FOUND, f"There is no {missing.args[0]} here.")
        return answer


#: The name of the requested file, by what the request says about it. Each raises KeyError if there is none.
_FILE_OF: dict[str, Callable[[Descriptors, Any], str]] = {
    "file_by_filename": lambda descriptors, request: descriptors.file(request.file_by_filename),
    "file_containing_symbol": lambda descriptors, request: descriptors.file_of(request.file_containing_symbol),
    "file_containing_extension": lambda descriptors, request: descriptors.file_of_extension(
        request.file_containing_extension.containing_type, request.file_containing_extension.extension_number
    ),
}


def _refuse(answer: Any, code: grpc.StatusCode, message: str) -> None:
    answer.error_response.error_code, answer.error_response.error_message = code.value[0], message
