"""Execution of one plan: from the item to its result.

Runs in the main thread; requests for the plan meanwhile come through its control. Guarantees: every execution
ends in exactly one result, whatever the plan raises, and the process survives it. After an execution the RunEngine is
idle again, or the next execution is refused with the advice to reopen the environment.
"""

from collections.abc import Callable, Iterable
from typing import Any

from queueserver_environment.clock import now
from queueserver_environment.console.standard_streams import streams
from queueserver_environment.messages.frames import FromEnvironment, PlanFinished, PlanStarted, RunPlanCommand
from queueserver_environment.messages.items import Item, ItemResult, SubmitterAccess
from queueserver_environment.messages.states import ExitStatus, FailureCause, RunEngineState
from queueserver_environment.plans.access import read_access
from queueserver_environment.plans.failures import error_text, user_traceback
from queueserver_environment.plans.interruptions import Interruptions
from queueserver_environment.plans.item_metadata import reserved_names
from queueserver_environment.plans.plan_call import PlanCallError, plan_call
from queueserver_environment.plans.plan_run import PlanRun
from queueserver_environment.plans.run_engine import Send, WatchedRunEngine, state_name
from queueserver_environment.plans.run_engine_holder import RunEngineHolder


class NotStartedError(Exception):
    """The plan was not started; the message says why and what to do."""


class PlanExecutor:
    """Executes plans one after another.

    Parameters
    ----------
    namespace
        Where plans and devices are found.
    holder
        Has the RunEngine, if there is one.
    send
        Takes the frames.
    flush
        Flushes everything printed so far.

    """

    def __init__(
        self, namespace: dict[str, Any], holder: RunEngineHolder, send: Send, flush: Callable[[], None]
    ) -> None:
        self._namespace = namespace
        self._holder = holder
        self._send = send
        self._flush = flush

    def execute(self, command: RunPlanCommand) -> None:
        """Run a plan to its end and report."""
        result = self._result_of(command)
        self._holder.plan_ended()
        # The RunEngine has logged the traceback already, and the result has it.
        for text in (result.message, *result.notices):
            if text:
                streams.note(f"{text}\n")
        self._flush()
        self._send(FromEnvironment(finished=PlanFinished(execution_id=command.execution_id, result=result)))

    def _result_of(self, command: RunPlanCommand) -> ItemResult:
        item = command.item or Item()
        try:
            run, make_plan, metadata = self._prepare(item, command.access)
        except (NotStartedError, PlanCallError) as error:
            return _not_started(item, str(error))
        except BaseException as error:  # noqa: BLE001 - protects the process from plans and devices with broken code
            return _not_started(item, f"{type(error).__name__}: {error_text(error)}", user_traceback(error))
        started = now()
        self._send(FromEnvironment(started=PlanStarted(execution_id=command.execution_id, start_time=started)))
        result = run.to_its_end(make_plan, metadata)
        result.start_time, result.stop_time = started, now()
        return result

    def _prepare(
        self, item: Item, access: SubmitterAccess | None
    ) -> tuple[PlanRun, Callable[[], Iterable[Any]], dict[str, Any]]:
        engine, control = self._ready_engine()
        make_plan = plan_call(self._namespace, item, read_access(access))
        return PlanRun(engine, control), make_plan, _metadata(engine, item)

    def _ready_engine(self) -> tuple[WatchedRunEngine, Interruptions]:
        engine, control = self._holder.watched, self._holder.control
        if engine is None or control is None:
            raise NotStartedError("the environment has no RunEngine; define RE in the startup code and open it again.")
        if engine.state != RunEngineState.IDLE:
            raise NotStartedError(
                f"the RunEngine is {state_name(engine.state)}, not idle; "
                "close or destroy the environment and open it again."
            )
        return engine, control


def _not_started(item: Item, why: str, traceback: str = "") -> ItemResult:
    return ItemResult(
        exit_status=ExitStatus.FAILED,
        failure_cause=FailureCause.NOT_STARTED,
        message=f"Plan {item.name!r} was not started: {why}",
        traceback=traceback,
        stop_time=now(),
    )


def _metadata(engine: WatchedRunEngine, item: Item) -> dict[str, Any]:
    metadata = item.meta
    refused = sorted(reserved_names(engine.engine) & metadata.keys())
    if refused:
        raise NotStartedError(f"the metadata can't have the names {', '.join(refused)}; choose other names for them.")
    return metadata
