"""The Worker: commands from Managers on one side, its environment and its journal on the other.

Guarantees: a Manager that was replaced is refused (its epoch is lower than the highest that was seen); commands are
carried out one at a time, each in one iteration of the loop; one that is refused changes nothing (outcomes that RunPlan
acknowledges are forgotten nevertheless: that they are stored is a fact, whether or not the plan starts).
The highest epoch is not kept across restarts of the Worker: its environment does not survive them either, and the
first command of the owner sets it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version

from async_timeout import timeout
from google.protobuf.struct_pb2 import Struct
from queueserver.common.v1.item_pb2 import Item
from queueserver.common.v1.permissions_pb2 import SubmitterAccess
from queueserver.common.v1.process_pb2 import WorkerInfo
from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.worker.v1.event_pb2 import WorkerSnapshot
from queueserver.worker.v1.worker_service_pb2 import SimulatePlanRequest, TaskCommand
from queueserver_process.process_facts import ProcessFacts

from queueserver_worker.supervisor.environment import Environment
from queueserver_worker.supervisor.errors import (
    ExecutionEndedError,
    InvalidRequestError,
    StaleEpochError,
    WorkerError,
    WorkerStoppingError,
)
from queueserver_worker.supervisor.executions.interruptions import ACTIONS, EngineRequest
from queueserver_worker.supervisor.executions.outcomes import Outcomes
from queueserver_worker.supervisor.journal import Journal, Watcher
from queueserver_worker.supervisor.process.about import About
from queueserver_worker.supervisor.process.console import Echo, silence
from queueserver_worker.supervisor.process.process import Launch

MAX_ID = 200
"""Longest identity, in characters, that a caller may choose."""
MAX_NOTE = 2_000
"""Characters of a note that are passed on: an abort must not fail because its note is long."""
MAX_ANSWER = 10_000
"""Longest answer to a question, in characters."""


class Worker:
    """What a Manager can ask of a Worker."""

    def __init__(
        self, launch: Launch, journal: Journal, outcomes: Outcomes, echo: Echo = silence, about: About | None = None
    ) -> None:
        self._journal = journal
        self._outcomes = outcomes
        outcomes.directory.on_change = journal.storage_changed
        self._version = version("queueserver-worker")
        self._about = about or About(ProcessFacts(self._version, {}), ("", ""), {})
        self._environment = Environment(launch, journal, outcomes, echo, self._about)
        self._highest_epoch = 0
        self._stopping = False

    def open_environment(self, epoch: int, environment_id: str) -> None:
        """Start an environment; returns when its process runs, or could not be started (see the events).

        Raises StaleEpochError, InvalidRequestError, WorkerStoppingError or EnvironmentExistsError.
        """
        _check_id("environment_id", environment_id)
        self._fence(epoch)
        self._refuse_when_stopping()
        self._environment.open(environment_id)

    def close_environment(self, epoch: int) -> None:
        """Begin to close the environment. Raises StaleEpochError, EnvironmentClosedError, EnvironmentBusyError."""
        self._fence(epoch)
        self._environment.close()

    def destroy_environment(self, epoch: int, user: str) -> None:
        """Kill the environment, as this user asks. Raises StaleEpochError or EnvironmentClosedError."""
        self._fence(epoch)
        self._environment.destroy(user[:MAX_ID])

    def run_plan(
        self,
        epoch: int,
        execution_id: str,
        item: Item,
        access: SubmitterAccess | None,
        acknowledged: Iterable[str],
        environment_id: str,
    ) -> None:
        """Start an execution, unless this one was accepted before; forget outcomes that are stored.

        Without `access` the submitter may use everything; with an `environment_id` only that environment does it.

        Raises StaleEpochError, InvalidRequestError, WorkerStoppingError, EnvironmentClosedError,
        EnvironmentBusyError or RunEngineMissingError.
        """
        _check_id("execution_id", execution_id)
        self._fence(epoch)
        self._outcomes.acknowledge(acknowledged)
        if self._is_known(execution_id):
            return
        try:
            self._refuse_when_stopping()
            self._environment.require(environment_id)
            self._environment.run_plan(execution_id, item, access)
        except WorkerError:
            self._environment.forget_execution(execution_id)
            raise

    def run_task(self, epoch: int, command: TaskCommand, environment_id: str) -> None:
        """Start a task, unless this one was accepted before.

        Raises StaleEpochError, InvalidRequestError, WorkerStoppingError, EnvironmentClosedError or
        EnvironmentBusyError.
        """
        _check_id("command.task_uid", command.task_uid)
        if command.WhichOneof("work") is None:
            raise InvalidRequestError("command", "say what is to be done: a function, a script or an update")
        self._fence(epoch)
        if self._is_known(command.task_uid):
            return
        self._refuse_when_stopping()
        self._environment.require(environment_id)
        self._environment.run_task(command)

    def control_run_engine(self, epoch: int, request: EngineRequest) -> None:
        """Pause, resume or end an execution; returns when the environment was told to, or will be told with the plan.

        See `RunEngineControl` and `RunningPlan.accept`.

        Raises StaleEpochError, InvalidRequestError, ExecutionEndedError, EnvironmentClosedError,
        RunEngineMissingError, NotRunningError or NotPausedError.
        """
        if request.action not in ACTIONS:
            raise InvalidRequestError("action", "say what is to be done")
        if len(request.execution_id) > MAX_ID:
            raise InvalidRequestError("execution_id", f"it must have at most {MAX_ID} characters")
        self._fence(epoch)
        if self._outcomes.knows(request.execution_id):
            raise ExecutionEndedError(request.execution_id)
        self._environment.control(replace(request, note=request.note[:MAX_NOTE], user=request.user[:MAX_ID]))

    def answer_question(self, epoch: int, question_id: str, text: str) -> None:
        """Answer the question that the running plan asks; an empty id means any. Returns when the environment was told.

        Raises StaleEpochError, InvalidRequestError, EnvironmentClosedError, RunEngineMissingError or
        QuestionNotFoundError.
        """
        if len(text) > MAX_ANSWER:
            raise InvalidRequestError("text", f"it must have at most {MAX_ANSWER} characters")
        self._fence(epoch)
        self._environment.answer_question(question_id, text)

    async def metadata(self) -> Struct:
        """The RunEngine's metadata.

        Raises EnvironmentClosedError, RunEngineMissingError or EnvironmentUnresponsiveError.
        """
        return await self._environment.metadata()

    async def simulate(self, request: SimulatePlanRequest) -> Simulation:
        """What a plan would do. Raises EnvironmentClosedError or EnvironmentUnresponsiveError."""
        return await self._environment.simulate(request)

    async def info(self) -> WorkerInfo:
        """Facts about the Worker and its environment."""
        return await self._about.info()

    def acknowledge(self, epoch: int, execution_ids: Iterable[str]) -> None:
        """Forget outcomes that are stored. Raises StaleEpochError."""
        self._fence(epoch)
        self._outcomes.acknowledge(execution_ids)

    def watch(self, after_sequence: int, boot_id: str) -> tuple[WorkerSnapshot, Watcher]:
        """The Worker as it is, and the events after `after_sequence`."""
        return self.snapshot(), self._journal.watch(after_sequence, boot_id)

    def snapshot(self) -> WorkerSnapshot:
        """The Worker as it is: includes every event that was published."""
        execution = self._environment.execution
        return WorkerSnapshot(
            boot_id=self._journal.boot_id,
            version=self._version,
            last_sequence=self._journal.last_sequence,
            first_kept_sequence=self._journal.first_kept_sequence,
            environment=self._environment.view,
            inventory=self._environment.inventory,
            execution=execution.message if execution is not None else None,
            outcomes=self._outcomes.waiting(),
            running_task_uids=self._environment.running_tasks,
            task_outcomes=self._outcomes.waiting_tasks(),
            storage=self._outcomes.directory.storage,
        )

    async def stop(self, plan_timeout: float, close_timeout: float, acknowledge_timeout: float) -> None:
        """End the environment and its plan, and give a Manager that watches time to store the outcomes.

        Takes at most about the sum of the timeouts (seconds).
        """
        self._stopping = True
        await self._environment.stop(plan_timeout, close_timeout)
        if self._journal.watchers:
            with contextlib.suppress(asyncio.TimeoutError):
                async with timeout(acknowledge_timeout):
                    await self._outcomes.all_acknowledged.wait()
        self._journal.close()

    def _is_known(self, uid: str) -> bool:
        running = self._environment.execution
        executed = {*self._environment.running_tasks, running.execution_id if running is not None else ""}
        return uid in executed or self._outcomes.knows(uid)

    def _fence(self, epoch: int) -> None:
        if epoch < self._highest_epoch:
            raise StaleEpochError(epoch, self._highest_epoch)
        self._highest_epoch = epoch

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise WorkerStoppingError


def _check_id(field: str, value: str) -> None:
    if not value or len(value) > MAX_ID:
        raise InvalidRequestError(field, f"it must have 1 to {MAX_ID} characters, for example those of a UUID")
