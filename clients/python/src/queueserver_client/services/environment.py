"""The environment: the process in which startup code, devices and the RunEngine live."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import grpc
from queueserver.manager.v1 import environment_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import (
    DeadlineExceeded,
    EnvironmentExists,
    EnvironmentOpenFailed,
    InvalidState,
    ServiceUnavailable,
)
from queueserver_client.models.status import Environment, EnvironmentState, ManagerState

Progress = Callable[[Environment], None]

#: Startup code of a large beamline takes minutes; anything longer than this hangs.
WAIT_SECONDS = 600.0


class AsyncEnvironment:
    """``client.environment``. Errors: those of the methods of the same name in EnvironmentService."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open(
        self,
        *,
        exist_ok: bool = False,
        wait: bool = True,
        on_progress: Progress | None = None,
        wait_timeout: float = WAIT_SECONDS,
    ) -> Environment:
        """Start the environment and load the startup code.

        Args:
            exist_ok: Take an environment that is open, or is being opened by another client.
            wait: Wait until it is open. Otherwise the call returns once opening has begun.
            on_progress: Called with the environment as it is now and at each change.
            wait_timeout: Seconds to wait at most.

        Raises:
            EnvironmentOpenFailed: with file, line, exception and traceback.
            EnvironmentExists: it is open already, and ``exist_ok`` was not set.
            InvalidState: the Manager is not idle.
        """
        try:
            answer = await self._connection.change(
                self._connection.stubs.environment.OpenEnvironment, pb.OpenEnvironmentRequest()
            )
            environment_id = answer.environment_id
        except InvalidState as error:
            is_there = isinstance(error, EnvironmentExists) or error.state is ManagerState.CREATING_ENVIRONMENT
            if not (exist_ok and is_there):
                raise
            if not wait:
                return await self.get()
            environment_id = ""  # that which is there, or is about to be
        if not wait:
            return Environment(environment_id, EnvironmentState.INITIALIZING)
        environment = await self.wait(environment_id, on_progress=on_progress, wait_timeout=wait_timeout)
        if environment.failure is not None and environment.state is EnvironmentState.CLOSED:
            refusal = Refusal(
                grpc.StatusCode.FAILED_PRECONDITION, "ENVIRONMENT_OPEN_FAILED", environment.failure.message
            )
            raise EnvironmentOpenFailed(refusal, environment.failure)
        return environment

    async def close(self, *, wait: bool = True, wait_timeout: float = WAIT_SECONDS) -> Environment:
        """End the environment in good order. Raises EnvironmentClosed, InvalidState."""
        answer = await self._connection.change(
            self._connection.stubs.environment.CloseEnvironment, pb.CloseEnvironmentRequest()
        )
        if not wait:
            return Environment(answer.environment_id, EnvironmentState.CLOSING)
        return await self.wait(answer.environment_id, wait_timeout=wait_timeout)

    async def destroy(self, *, wait: bool = True, wait_timeout: float = WAIT_SECONDS) -> Environment:
        """Kill the environment, whatever it is doing. Raises EnvironmentClosed."""
        answer = await self._connection.change(
            self._connection.stubs.environment.DestroyEnvironment, pb.DestroyEnvironmentRequest()
        )
        if not wait:
            return Environment(answer.environment_id, EnvironmentState.DESTROYING)
        return await self.wait(answer.environment_id, wait_timeout=wait_timeout)

    async def get(self) -> Environment:
        """The environment as it is now, with the reason for which the last one failed."""
        stub = self._connection.stubs.environment
        answer = await self._connection.read(stub.GetEnvironment, pb.GetEnvironmentRequest())
        return Environment.from_proto(answer.environment)

    async def wait(
        self, environment_id: str = "", *, on_progress: Progress | None = None, wait_timeout: float = WAIT_SECONDS
    ) -> Environment:
        """Wait until no operation on the environment is in progress; returns the environment as it is then.

        It keeps waiting over a restart of the Manager. Raises DeadlineExceeded, NotFound, and ServiceUnavailable if
        the server is still away at the end.
        """
        request = pb.WaitEnvironmentRequest(environment_id=values.text(environment_id, "environment_id"))
        deadline = time.monotonic() + wait_timeout
        away: ServiceUnavailable | None = None
        attempt = 0

        def heard(environment: Environment) -> None:
            nonlocal away
            away = None
            if on_progress is not None:
                on_progress(environment)

        while True:
            try:
                return await self._follow(request, heard, deadline)
            except ServiceUnavailable as error:
                away = error
            except DeadlineExceeded as error:
                # The reason why there was no answer matters more than that there was none in time.
                raise away or error from None
            if time.monotonic() >= deadline:
                raise away
            await self._connection.back_off(attempt, deadline - time.monotonic())
            attempt += 1

    async def _follow(self, request: pb.WaitEnvironmentRequest, on_progress: Progress, deadline: float) -> Environment:
        last: Environment | None = None
        left = max(deadline - time.monotonic(), 0.0)
        await self._connection.ready(left, left)
        stub = self._connection.stubs.environment
        stream = self._connection.stream(
            stub.WaitEnvironment, request, timeout=max(deadline - time.monotonic(), 0.001), silence=None
        )
        async with contextlib.aclosing(stream):
            async for answer in stream:
                last = Environment.from_proto(answer.environment)
                on_progress(last)
        if last is None:
            raise DeadlineExceeded(
                Refusal(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "", "The server ended the wait without an answer: wait again."
                )
            )
        return last
