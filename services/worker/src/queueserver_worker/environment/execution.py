"""Execution of one plan: from the item to its result.

Runs in the main thread; an abort may come from any other thread at any moment. Guarantees: every execution ends
in exactly one result, whatever the plan raises, and the process survives it. After an execution the RunEngine is
idle again, or the next execution is refused with the advice to reopen the environment.
"""

import inspect
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import item_pb2 as pb
from queueserver.common.v1.environment_pb2 import (
    RUN_ENGINE_STATE_IDLE,
    RUN_ENGINE_STATE_PAUSED,
    RUN_ENGINE_STATE_RUNNING,
)
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, PlanFinished, PlanStarted, RunPlanCommand

from queueserver_worker.environment.arguments import ArgumentError, bind
from queueserver_worker.environment.failures import error_text, user_traceback
from queueserver_worker.environment.names import Names
from queueserver_worker.environment.run_engine import Send, WatchedRunEngine, state_name
from queueserver_worker.environment.structs import to_dict, to_list

_SET_BY_RUN_ENGINE: Final = {"uid", "time"}
ABORT_SECONDS: Final = 60.0
"""How long an abort waits for a moment at which the RunEngine can be interrupted."""


class NotStartedError(Exception):
    """The plan was not started; the message says why and what to do."""


class PlanExitError(Exception):
    """The plan tried to end the process, or raised what only a keyboard should."""


@dataclass
class _Execution:
    """What is going on now."""

    execution_id: str
    #: Set when somebody asked for an abort.
    abort_reason: str | None = None
    over: bool = False


class PlanExecutor:
    """Executes plans one after the other.

    Parameters
    ----------
    namespace
        Where plans and devices are found.
    engine
        The RunEngine, or None if the environment has none.
    send
        Takes the frames.
    flush
        Brings everything printed so far on its way.

    """

    def __init__(
        self, namespace: dict[str, Any], engine: WatchedRunEngine | None, send: Send, flush: Callable[[], None]
    ) -> None:
        self._namespace = namespace
        self._engine = engine
        self._send = send
        self._flush = flush
        self._lock = threading.Lock()
        self._execution: _Execution | None = None

    def execute(self, command: RunPlanCommand) -> None:
        """Run a plan to its end and report."""
        execution = _Execution(command.execution_id)
        with self._lock:
            self._execution = execution
        result = self._result_of(execution, command.item)
        with self._lock:
            execution.over = True
            self._execution = None
        if self._engine is not None:
            self._engine.wake_waiters()
        if result.message:
            # The RunEngine has logged the traceback already, and the result has it.
            sys.stderr.write(f"{result.message}\n")
        self._flush()
        self._send(FromEnvironment(finished=PlanFinished(execution_id=command.execution_id, result=result)))

    def request_abort(self, reason: str) -> None:
        """Abort the plan that is running, if any. Returns at once."""
        with self._lock:
            execution, engine = self._execution, self._engine
            if execution is None or engine is None or execution.abort_reason is not None:
                return
            execution.abort_reason = reason
        threading.Thread(target=self._interrupt, args=(execution, engine), name="abort", daemon=True).start()

    def _interrupt(self, execution: _Execution, engine: WatchedRunEngine) -> None:
        while engine.wait_for_state(
            lambda state: execution.over or state == RUN_ENGINE_STATE_RUNNING, timeout=ABORT_SECONDS
        ):
            with self._lock:
                if execution.over:
                    return
                if engine.request_pause():
                    return

    def _result_of(self, execution: _Execution, item: pb.Item) -> pb.ItemResult:
        try:
            engine, plan, metadata = self._prepare(item)
        except NotStartedError as error:
            return pb.ItemResult(
                exit_status=pb.EXIT_STATUS_FAILED,
                failure_cause=pb.FAILURE_CAUSE_NOT_STARTED,
                message=f"Plan {item.name!r} was not started: {error}",
                stop_time=_now(),
            )
        started = _now()
        self._send(FromEnvironment(started=PlanStarted(execution_id=execution.execution_id, start_time=started)))
        result = self._run(execution, engine, plan, metadata)
        result.start_time.CopyFrom(started)
        result.stop_time.CopyFrom(_now())
        return result

    def _prepare(self, item: pb.Item) -> tuple[WatchedRunEngine, Callable[[], Iterable[Any]], dict[str, Any]]:
        engine = self._ready_engine()
        names = Names(self._namespace)
        plan = names.plan(item.name)
        if plan is None:
            near = names.plans_like(item.name)
            hint = f"did you mean {' or '.join(near)}?" if near else "list the existing plans to see what there is."
            raise NotStartedError(f"the environment has no such plan; {hint}")
        try:
            bound = bind(plan, to_list(item.args), to_dict(item.kwargs), names)
        except ArgumentError as error:
            raise NotStartedError(str(error)) from error
        return engine, lambda: plan(*bound.args, **bound.kwargs), _metadata(engine, item)

    def _ready_engine(self) -> WatchedRunEngine:
        engine = self._engine
        if engine is None:
            raise NotStartedError("the environment has no RunEngine; define RE in the startup code and open it again.")
        if engine.state != RUN_ENGINE_STATE_IDLE:
            raise NotStartedError(
                f"the RunEngine is {state_name(engine.state)}, not idle; "
                "close or destroy the environment and open it again."
            )
        return engine

    def _run(
        self,
        execution: _Execution,
        engine: WatchedRunEngine,
        make_plan: Callable[[], Iterable[Any]],
        metadata: dict[str, Any],
    ) -> pb.ItemResult:
        try:
            if execution.abort_reason is None:
                engine.engine(_guarded(make_plan()), **metadata)
                return pb.ItemResult(exit_status=pb.EXIT_STATUS_COMPLETED)
        except BaseException as error:  # noqa: BLE001 - protects the process: whatever a plan raises is its outcome
            return self._outcome_of(execution, engine, error)
        return _aborted(execution)

    def _outcome_of(self, execution: _Execution, engine: WatchedRunEngine, error: BaseException) -> pb.ItemResult:
        interrupted = type(error).__name__ == "RunEngineInterrupted"
        paused = engine.state == RUN_ENGINE_STATE_PAUSED
        if paused:
            try:
                engine.engine.abort(execution.abort_reason or "a plan that pauses itself can't be resumed yet")
            except BaseException as failure:  # noqa: BLE001 - the plan's clean-up is user code too
                error, interrupted = failure, False
        if interrupted and execution.abort_reason is not None:
            return _aborted(execution)
        if interrupted and paused:
            return _failed("it paused itself, which can't be resumed yet; it was aborted.", "")
        if isinstance(error, PlanExitError) and error.__cause__ is not None:
            return _failed(str(error), user_traceback(error.__cause__))
        return _failed(_cause_text(error), user_traceback(error))


def _guarded(plan: Iterable[Any]) -> Generator[Any, Any, Any]:
    """Let a plan run, but turn what would end the process into an ordinary error, so that the run is marked failed."""

    def guard() -> Generator[Any, Any, Any]:
        try:
            return (yield from plan)
        except (SystemExit, KeyboardInterrupt) as error:
            raise PlanExitError(f"it raised {type(error).__name__} ({error_text(error)})") from error

    # The RunEngine writes the generator's name into the start document as the plan's name.
    guard.__name__ = getattr(plan, "__name__", "") or "plan"
    return guard()


def _metadata(engine: WatchedRunEngine, item: pb.Item) -> dict[str, Any]:
    metadata = to_dict(item.meta)
    parameters = inspect.signature(type(engine.engine).__call__).parameters.values()
    taken = {parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.VAR_KEYWORD}
    refused = sorted((taken | _SET_BY_RUN_ENGINE) & metadata.keys())
    if refused:
        raise NotStartedError(f"the metadata can't have the names {', '.join(refused)}; choose other names for them.")
    return metadata


def _aborted(execution: _Execution) -> pb.ItemResult:
    return pb.ItemResult(exit_status=pb.EXIT_STATUS_ABORTED, message=f"Plan aborted: {execution.abort_reason}")


def _failed(reason: str, traceback: str) -> pb.ItemResult:
    return pb.ItemResult(
        exit_status=pb.EXIT_STATUS_FAILED,
        failure_cause=pb.FAILURE_CAUSE_PLAN_ERROR,
        message=f"Plan failed: {reason}",
        traceback=traceback,
    )


def _cause_text(error: BaseException) -> str:
    """Tell the error of a device rather than that its status failed."""
    cause = error.__cause__ if type(error).__name__ == "FailedStatus" else None
    return error_text(cause or error)


def _now() -> Timestamp:
    now = Timestamp()
    now.FromNanoseconds(time.time_ns())
    return now
