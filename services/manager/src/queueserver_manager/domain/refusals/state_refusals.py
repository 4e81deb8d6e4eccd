"""Refusals of what the Manager's state does not allow, with advice for each request in each state.

If the state is as requested already, the advice says so. Where there is nothing to act on, it does not advise
creating it.
"""

from __future__ import annotations

from queueserver_manager.domain.lifecycle import ALLOWED, ManagerState, Operation
from queueserver_manager.domain.refusals.errors import InvalidState, QueueRunning

_A, _S = Operation, ManagerState
_Advice = dict[ManagerState, str]

#: Unless the request has its own advice. In IDLE nothing is executed.
_OF_STATE: _Advice = {
    _S.INITIALIZING: "try again in a moment",
    _S.IDLE: "nothing is being executed",
    _S.CREATING_ENVIRONMENT: "wait until the environment is open",
    _S.CLOSING_ENVIRONMENT: "the environment is being closed: open a new one first",
    _S.DESTROYING_ENVIRONMENT: "the environment is being destroyed: open a new one first",
    _S.STARTING_QUEUE: "wait until the plan has ended, or stop the queue first",
    _S.EXECUTING_QUEUE: "wait until the plan has ended, or stop the queue first",
    _S.PAUSED: "resume or end the paused plan first",
    _S.EXECUTING_TASK: "wait until the task has ended, or destroy the environment",
}


def _running(advice: str) -> _Advice:
    return {_S.STARTING_QUEUE: advice, _S.EXECUTING_QUEUE: advice}


_NO_PLAN = "no plan is running, so there is nothing to act on"
_WITHOUT_PLAN: _Advice = {
    _S.IDLE: _NO_PLAN,
    _S.CREATING_ENVIRONMENT: _NO_PLAN,
    _S.CLOSING_ENVIRONMENT: _NO_PLAN,
    _S.DESTROYING_ENVIRONMENT: "the plan ends with the environment: wait until it is gone",
    _S.EXECUTING_TASK: "a task is running and no plan, so there is nothing to act on",
}
_OF_PAUSED_ONLY = _WITHOUT_PLAN | _running("pause the plan first, or abort it at once")
_NOT_RUNNING = "the queue does not run, so there is nothing to stop"

_OF_ACTION: dict[Operation, _Advice] = {
    _A.OPEN_ENVIRONMENT: {
        _S.CREATING_ENVIRONMENT: "it is being opened already: wait until it is open",
        _S.CLOSING_ENVIRONMENT: "wait until the environment is closed, then open a new one",
        _S.DESTROYING_ENVIRONMENT: "wait until the environment is gone, then open a new one",
    },
    _A.CLOSE_ENVIRONMENT: {
        _S.CREATING_ENVIRONMENT: "wait until the environment is open, or destroy it",
        _S.CLOSING_ENVIRONMENT: "it is being closed already: wait until it is closed, or destroy it",
        _S.DESTROYING_ENVIRONMENT: "it is being destroyed already: wait until it is gone",
        _S.PAUSED: "end the paused plan first, or destroy the environment",
        **_running("stop the queue and wait until the plan has ended, or destroy the environment"),
    },
    _A.START_QUEUE: _running("a plan is executed without the queue: start the queue when it has ended"),
    _A.STOP_QUEUE: {
        _S.IDLE: f"{_NOT_RUNNING}; to keep it from starting by itself, disable autostart",
        _S.CREATING_ENVIRONMENT: _NOT_RUNNING,
        _S.CLOSING_ENVIRONMENT: _NOT_RUNNING,
        _S.DESTROYING_ENVIRONMENT: "the queue ends with the environment: wait until it is gone",
        _S.PAUSED: "end the paused plan, then the queue stops too; or resume it, then stop the queue",
        _S.EXECUTING_TASK: _NOT_RUNNING,
    },
    _A.EXECUTE_ITEM: {
        **_running("add it to the front of the queue, or stop the queue and wait until its plan has ended"),
    },
    _A.EXECUTE_TASK: {
        _S.PAUSED: "execute it in the background, or end the paused plan first",
        _S.EXECUTING_TASK: "wait until the other task has ended, or execute this one in the background",
        **_running("execute it in the background, or wait until the plan has ended"),
    },
    _A.PAUSE: _WITHOUT_PLAN | {_S.PAUSED: "it is paused already: resume it, or stop, abort or halt it"},
    _A.RESUME: _WITHOUT_PLAN | _running("it is not paused, so there is nothing to resume"),
    _A.STOP_PLAN: _OF_PAUSED_ONLY,
    _A.ABORT_PLAN: _OF_PAUSED_ONLY,
    _A.HALT_PLAN: _OF_PAUSED_ONLY,
    _A.ABORT_NOW: _WITHOUT_PLAN,
    _A.STOP_SERVER: {
        _S.CREATING_ENVIRONMENT: "wait until the environment is open, or stop the server at once",
        _S.CLOSING_ENVIRONMENT: "wait until the environment is closed, or stop the server at once",
        _S.DESTROYING_ENVIRONMENT: "wait until the environment is gone, or stop the server at once",
        _S.PAUSED: "resume or end the paused plan first, or stop the server at once, which aborts it",
        _S.EXECUTING_TASK: "wait until the task has ended, or stop the server at once",
        **_running(
            "stop the queue and wait until the plan has ended, or stop the server at once, which aborts the plan"
        ),
    },
}


def advice(action: Operation, state: ManagerState) -> str:
    """What to do, as a clause without a full stop."""
    return _OF_ACTION.get(action, {}).get(state) or _OF_STATE[state]


def check(action: Operation, state: ManagerState) -> None:
    """Refuse an action that the state does not allow. Raises InvalidState."""
    allowed = ALLOWED[action]
    if state in allowed:
        return
    names = sorted(option.name for option in allowed)
    raise InvalidState(
        f"Can't {action.value} while the Manager is {state.name} (possible when {' or '.join(names)}): "
        f"{advice(action, state)}.",
        state,
        allowed,
    )


def refuse_second_start(state: ManagerState, *, stop_pending: bool) -> None:
    """Refuse to start a queue that runs. Raises QueueRunning if the state is one of those in which it does."""
    if state is ManagerState.PAUSED:
        way = "its plan is paused: resume it, or stop, abort or halt it"
    elif state not in (ManagerState.STARTING_QUEUE, ManagerState.EXECUTING_QUEUE):
        return
    elif stop_pending:
        way = "it stops after the present plan: cancel that to let it continue"
    else:
        way = "what is added to it is executed when its turn comes, so there is nothing to do"
    raise QueueRunning(f"The queue is running already; {way}.", state, [ManagerState.IDLE])
