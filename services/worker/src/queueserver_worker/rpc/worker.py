"""The servicer of WorkerService: each method unpacks a request, calls the Worker, responds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.event_pb2 import WorkerEvents
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceServicer

from queueserver_worker.supervisor.errors import InvalidRequestError
from queueserver_worker.supervisor.executions.interruptions import EngineRequest
from queueserver_worker.supervisor.worker import Worker

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["WorkerService"].full_name
HEARTBEAT_SECONDS = 0.5


class WorkerServicer(WorkerServiceServicer):
    """Serves one Worker. The supervisor's exceptions pass through; the server's interceptor translates them."""

    def __init__(self, worker: Worker, insecure: Callable[[], bool]) -> None:
        """``insecure`` tells whether the Worker is open to every client that can reach it."""
        self._worker = worker
        self._insecure = insecure

    async def OpenEnvironment(  # noqa: N802 - named by the contract
        self, request: pb.OpenEnvironmentRequest, context: Any
    ) -> pb.OpenEnvironmentResponse:
        """Start an environment."""
        del context
        self._worker.open_environment(request.epoch, request.environment_id)
        return pb.OpenEnvironmentResponse()

    async def CloseEnvironment(  # noqa: N802 - as above
        self, request: pb.CloseEnvironmentRequest, context: Any
    ) -> pb.CloseEnvironmentResponse:
        """Begin to close the environment."""
        del context
        self._worker.close_environment(request.epoch)
        return pb.CloseEnvironmentResponse()

    async def DestroyEnvironment(  # noqa: N802 - as above
        self, request: pb.DestroyEnvironmentRequest, context: Any
    ) -> pb.DestroyEnvironmentResponse:
        """Kill the environment."""
        del context
        self._worker.destroy_environment(request.epoch, request.user)
        return pb.DestroyEnvironmentResponse()

    async def RunPlan(  # noqa: N802 - as above
        self, request: pb.RunPlanRequest, context: Any
    ) -> pb.RunPlanResponse:
        """Start an execution."""
        del context
        if not request.HasField("item"):
            raise InvalidRequestError("item", "the plan call is missing")
        access = request.access if request.HasField("access") else None
        self._worker.run_plan(
            request.epoch, request.execution_id, request.item, access, request.acknowledged, request.environment_id
        )
        return pb.RunPlanResponse()

    async def RunTask(  # noqa: N802 - as above
        self, request: pb.RunTaskRequest, context: Any
    ) -> pb.RunTaskResponse:
        """Start a task."""
        del context
        self._worker.run_task(request.epoch, request.command, request.environment_id)
        return pb.RunTaskResponse()

    async def ControlRunEngine(  # noqa: N802 - as above
        self, request: pb.ControlRunEngineRequest, context: Any
    ) -> pb.ControlRunEngineResponse:
        """Pass on a request for the running plan."""
        del context
        asked = EngineRequest(request.execution_id, request.action, request.note, request.user)
        self._worker.control_run_engine(request.epoch, asked)
        return pb.ControlRunEngineResponse()

    async def AnswerQuestion(  # noqa: N802 - as above
        self, request: pb.AnswerQuestionRequest, context: Any
    ) -> pb.AnswerQuestionResponse:
        """Pass on the answer to a question of the running plan."""
        del context
        self._worker.answer_question(request.epoch, request.question_id, request.text)
        return pb.AnswerQuestionResponse()

    async def GetMetadata(  # noqa: N802 - as above
        self, request: pb.GetMetadataRequest, context: Any
    ) -> pb.GetMetadataResponse:
        """Ask the environment for the RunEngine's metadata."""
        del request, context
        return pb.GetMetadataResponse(metadata=await self._worker.metadata())

    async def SimulatePlan(  # noqa: N802 - as above
        self, request: pb.SimulatePlanRequest, context: Any
    ) -> pb.SimulatePlanResponse:
        """Ask the environment what a plan would do."""
        del context
        if not request.HasField("item"):
            raise InvalidRequestError("item", "the plan call is missing")
        return pb.SimulatePlanResponse(simulation=await self._worker.simulate(request))

    async def GetWorkerInfo(  # noqa: N802 - as above
        self, request: pb.GetWorkerInfoRequest, context: Any
    ) -> pb.GetWorkerInfoResponse:
        """Facts about the Worker."""
        del request, context
        return pb.GetWorkerInfoResponse(info=await self._worker.info())

    async def AcknowledgeOutcomes(  # noqa: N802 - as above
        self, request: pb.AcknowledgeOutcomesRequest, context: Any
    ) -> pb.AcknowledgeOutcomesResponse:
        """Forget outcomes that are stored."""
        del context
        self._worker.acknowledge(request.epoch, request.outcome_ids)
        return pb.AcknowledgeOutcomesResponse()

    async def WatchWorker(  # noqa: N802 - as above
        self, request: pb.WatchWorkerRequest, context: Any
    ) -> AsyncIterator[pb.WatchWorkerResponse]:
        """Send the snapshot, then events, then heartbeats when there are none."""
        del context
        snapshot, watcher = self._worker.watch(request.after_sequence, request.boot_id)
        snapshot.insecure_listen = self._insecure()
        with closing(watcher):
            yield pb.WatchWorkerResponse(snapshot=snapshot)
            while (events := await watcher.batch(HEARTBEAT_SECONDS)) is not None:
                if events:
                    yield pb.WatchWorkerResponse(events=WorkerEvents(events=events))
                else:
                    yield pb.WatchWorkerResponse(heartbeat=pb.Heartbeat())
