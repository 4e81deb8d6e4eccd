"""EnvironmentService: convert, call, convert back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from queueserver.manager.v1 import environment_service_pb2 as pb
from queueserver.manager.v1.environment_service_pb2_grpc import EnvironmentServiceServicer

from queueserver_manager.operations.commit.reply import Encode
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.replies import reply_to
from queueserver_manager.rpc.status_message import environment_to_proto


class EnvironmentServicer(EnvironmentServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def OpenEnvironment(self, request: pb.OpenEnvironmentRequest, context: Any) -> Any:  # noqa: N802
        """Contract: EnvironmentService.OpenEnvironment."""
        reply = reply_to(request, caller_of(context), _answer(pb.OpenEnvironmentResponse))
        return await self._current_term.term().environment.open(reply)

    async def CloseEnvironment(self, request: pb.CloseEnvironmentRequest, context: Any) -> Any:  # noqa: N802
        """Contract: EnvironmentService.CloseEnvironment."""
        reply = reply_to(request, caller_of(context), _answer(pb.CloseEnvironmentResponse))
        return await self._current_term.term().environment.close(reply)

    async def DestroyEnvironment(self, request: pb.DestroyEnvironmentRequest, context: Any) -> Any:  # noqa: N802
        """Contract: EnvironmentService.DestroyEnvironment."""
        caller = caller_of(context)
        reply = reply_to(request, caller, _answer(pb.DestroyEnvironmentResponse))
        return await self._current_term.term().environment.destroy(caller.user, reply)

    async def GetEnvironment(  # noqa: N802
        self, request: pb.GetEnvironmentRequest, context: Any
    ) -> pb.GetEnvironmentResponse:
        """Contract: EnvironmentService.GetEnvironment."""
        del request, context
        environment = self._current_term.term().environment.get()
        return pb.GetEnvironmentResponse(environment=environment_to_proto(environment))

    async def WaitEnvironment(  # noqa: N802
        self, request: pb.WaitEnvironmentRequest, context: Any
    ) -> AsyncIterator[pb.WaitEnvironmentResponse]:
        """Contract: EnvironmentService.WaitEnvironment."""
        del context
        async for environment in self._current_term.term().environment.wait(request.environment_id):
            yield pb.WaitEnvironmentResponse(environment=environment_to_proto(environment))


def _answer(
    response: type[pb.OpenEnvironmentResponse | pb.CloseEnvironmentResponse | pb.DestroyEnvironmentResponse],
) -> Encode[str]:
    """How a method responds that commands an environment."""

    def encode(environment_id: str, _revision: int) -> bytes:
        return response(environment_id=environment_id).SerializeToString()

    return encode
