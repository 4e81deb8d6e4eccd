"""WorkerService of the contract, served inside the test process by what a :class:`TaskScript` says.

It runs on threads of its own, so it answers also while the test is busy starting a Manager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import grpc
from grpc_status import rpc_status
from queueserver.common.v1 import environment_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.event_pb2 import WorkerEvents
from queueserver.worker.v1.worker_service_pb2_grpc import (
    WorkerServiceServicer,
    add_WorkerServiceServicer_to_server,
)
from queueserver_client import ExitStatus
from queueserver_rpc.status import Refusal, to_proto

from tests.integration.manager.task_script import TaskScript
from tests.integration.manager.worker_script import Fate

HEARTBEAT_SECONDS = 0.5
#: Each watch occupies a thread, and so does each command that hangs.
_THREADS = 16


class WorkerServer:
    """The server, on a unix socket in ``directory``. Close it."""

    def __init__(self, directory: Path, script: TaskScript) -> None:
        self.address = f"unix:{directory / 'worker.sock'}"
        self._script = script
        self._threads = ThreadPoolExecutor(_THREADS)
        self._server = grpc.server(self._threads)
        add_WorkerServiceServicer_to_server(_Servicer(script), self._server)  # type: ignore[abstract] # all that is needed
        self._server.add_insecure_port(self.address)
        self._server.start()

    def close(self) -> None:
        """End all calls and the threads."""
        self._script.let_go()
        self._script.break_connection()
        self._server.stop(None).wait()
        self._threads.shutdown()


class _Servicer(WorkerServiceServicer):
    def __init__(self, script: TaskScript) -> None:
        self._script = script

    def OpenEnvironment(  # noqa: N802 - named by the contract
        self, request: pb.OpenEnvironmentRequest, context: Any
    ) -> pb.OpenEnvironmentResponse:
        script = self._script
        with script.changed:
            self._fence(request.epoch, context)
            if script.is_open:
                _refuse(context, "ENVIRONMENT_EXISTS")
            script.open(request.environment_id)
        return pb.OpenEnvironmentResponse()

    def RunPlan(self, request: pb.RunPlanRequest, context: Any) -> pb.RunPlanResponse:  # noqa: N802 - as above
        script = self._script
        with script.changed:
            self._fence(request.epoch, context)
            script.commands += 1
            self._note(request.acknowledged)
            known = script.knows(request.execution_id)
            usable = script.environment.state == environment_pb2.ENVIRONMENT_STATE_IDLE
            fate = script.fates.popleft() if script.fates and usable and not known else Fate.ACCEPTED
            self._lose_command(fate, context)
            script.acknowledge(request.acknowledged)
            if known:
                return pb.RunPlanResponse()
            if fate is Fate.REFUSED_LATE:
                script.meet_again()
            if not usable or fate in {Fate.REFUSED, Fate.REFUSED_LATE}:
                _refuse(context, "ENVIRONMENT_BUSY")
            script.begin(request.execution_id, request.item.item_uid)
            self._lose_reply(fate, request.execution_id, lambda: script.finish(ExitStatus.COMPLETED), context)
        return pb.RunPlanResponse()

    def RunTask(self, request: pb.RunTaskRequest, context: Any) -> pb.RunTaskResponse:  # noqa: N802 - as above
        script = self._script
        uid, background = request.command.task_uid, request.command.run_in_background
        with script.changed:
            self._fence(request.epoch, context)
            known = script.knows_task(uid)
            usable = script.takes_task(request.environment_id, background=background)
            fate = script.task_fates.popleft() if script.task_fates and usable and not known else Fate.ACCEPTED
            self._lose_command(fate, context)
            if known:
                return pb.RunTaskResponse()
            if fate is Fate.REFUSED_LATE:
                script.meet_again()
            if not usable or fate in {Fate.REFUSED, Fate.REFUSED_LATE}:
                _refuse(context, "ENVIRONMENT_BUSY")
            script.begin_task(uid, background=background)
            self._lose_reply(fate, uid, lambda: script.end_task(uid), context)
        return pb.RunTaskResponse()

    def _lose_command(self, fate: Fate, context: Any) -> None:
        if fate is Fate.HANGS:
            self._script.hang()
        elif fate is Fate.ENVIRONMENT_DIES:
            self._script.lose_environment()
        elif fate is Fate.WORKER_RESTARTS:
            self._script.restart()
        elif fate is not Fate.COMMAND_LOST:
            return
        _vanish(context)

    def _lose_reply(self, fate: Fate, execution_id: str, end: Callable[[], None], context: Any) -> None:
        script = self._script
        if fate in {Fate.ENDS_FIRST, Fate.ENDS_AND_REPLY_LOST}:
            end()
        if fate is Fate.ENDS_FIRST:
            # It is stored when the Manager says so, or comes with another item. Shorter than it waits for the reply,
            # so that a Manager that stores nothing before gets one, too.
            commands = script.commands
            script.changed.wait_for(lambda: execution_id in script.accounted or script.commands > commands, 3)
        elif fate is Fate.HANGS_ACCEPTED:
            script.hang()
            _vanish(context)
        elif fate in {Fate.REPLY_LOST, Fate.ENDS_AND_REPLY_LOST}:
            _vanish(context)

    def AcknowledgeOutcomes(  # noqa: N802 - as above
        self, request: pb.AcknowledgeOutcomesRequest, context: Any
    ) -> pb.AcknowledgeOutcomesResponse:
        script = self._script
        with script.changed:
            self._fence(request.epoch, context)
            script.fences += not request.outcome_ids
            if request.outcome_ids:
                self._note(request.outcome_ids)
                fate, script.fate_of_acknowledgement = script.fate_of_acknowledgement, Fate.ACCEPTED
                self._lose_command(fate, context)
                script.acknowledge(request.outcome_ids)
        return pb.AcknowledgeOutcomesResponse()

    def WatchWorker(self, request: pb.WatchWorkerRequest, context: Any) -> Iterator[pb.WatchWorkerResponse]:  # noqa: N802 - as above
        script = self._script
        context.add_callback(self._wake)
        with script.changed:
            connection, snapshot = script.connection, script.snapshot()
        sent = request.after_sequence if request.boot_id == snapshot.boot_id else 0
        yield pb.WatchWorkerResponse(snapshot=snapshot)

        def news() -> slice:
            return slice(sent, script.told)

        def is_over() -> bool:
            return connection != script.connection or not context.is_active()

        while True:
            with script.changed:
                script.changed.wait_for(lambda: is_over() or bool(script.journal[news()]), HEARTBEAT_SECONDS)
                if is_over():
                    break
                events = script.journal[news()]
            sent += len(events)
            yield (
                pb.WatchWorkerResponse(events=WorkerEvents(events=events))
                if events
                else pb.WatchWorkerResponse(heartbeat=pb.Heartbeat())
            )
        _vanish(context)

    def _wake(self) -> None:
        """A watcher has left: its thread is to find out at once."""
        with self._script.changed:
            self._script.changed.notify_all()

    def _note(self, acknowledged: Iterable[str]) -> None:
        self._script.accounted.update(acknowledged)
        self._script.changed.notify_all()

    def _fence(self, epoch: int, context: Any) -> None:
        if epoch < self._script.epoch:
            _refuse(context, "STALE_EPOCH")
        self._script.epoch = epoch
        self._script.changed.notify_all()


def _refuse(context: Any, reason: str) -> NoReturn:
    refusal = Refusal(grpc.StatusCode.FAILED_PRECONDITION, reason, "The script says so.")
    context.abort_with_status(rpc_status.to_status(to_proto(refusal)))
    raise AssertionError("abort_with_status returned")


def _vanish(context: Any) -> NoReturn:
    """What a client sees when a connection breaks or a service is gone."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "The script says so.")
    raise AssertionError("abort returned")
