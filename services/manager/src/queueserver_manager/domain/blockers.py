"""Why nothing is being executed: every obstacle, each with the call that clears it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from queueserver_manager.domain.held_up import question_sentence, suspension_sentence, wait_sentence
from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentState,
    ManagerState,
    RunEngineState,
)
from queueserver_manager.domain.lock.lock import Lock, local_time
from queueserver_manager.domain.queue.setback import Setback
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.storage import Storage


class BlockerKind(Enum):
    """A kind of obstacle, the most fundamental first."""

    STANDBY = 1
    STORAGE_DOWN = 2
    WORKER_UNREACHABLE = 3
    ENVIRONMENT_CLOSED = 4
    ENVIRONMENT_CHANGING = 5
    ENVIRONMENT_UNRESPONSIVE = 6
    RUN_ENGINE_MISSING = 7
    RUN_ENGINE_PANICKED = 8
    PLAN_PAUSED = 9
    QUEUE_EMPTY = 10
    ITEM_HELD = 11
    NOT_STARTED = 12
    TASK_RUNNING = 13
    RUN_ENGINE_BUSY = 14
    ITEM_INVALID = 15
    QUESTION_ASKED = 16
    PLAN_SUSPENDED = 17
    PLAN_WAITS = 18
    PAUSE_PENDING = 19
    STOP_PENDING = 20
    LOCKED = 21


#: Characters shown of an item's first problem.
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Blocker:
    """An obstacle: what it is, the method that clears it, and what to type.

    ``request`` is the method's request as JSON, without what only a person can know; empty if that is the empty one.
    """

    kind: BlockerKind
    message: str
    method: str = ""
    command: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Every kind of obstacle."""

    is_owner: bool
    owner_address: str
    storage: Storage
    worker_up: bool
    state: ManagerState
    environment: Environment
    items_in_queue: int
    head_held: bool
    #: Current problems of the item at the head of the queue.
    head_problems: Sequence[Violation]
    autostart: bool
    #: uid of the item at the head of the queue; empty if there is none.
    head_uid: str = ""
    #: What failed or was interrupted before.
    setback: Setback | None = None
    #: A pause was accepted and has not taken effect yet.
    pause_pending: bool = False
    #: It is an immediate one.
    pause_at_once: bool = False
    #: The queue is to stop after the running item.
    stop_pending: bool = False
    #: What is locked, without its key.
    lock: Lock | None = None
    #: Why the Worker can't be reached, if that is known.
    worker_unreachable_because: str = ""


_CHANGING = frozenset(
    {
        ManagerState.CREATING_ENVIRONMENT,
        ManagerState.CLOSING_ENVIRONMENT,
        ManagerState.DESTROYING_ENVIRONMENT,
    }
)


def blockers(now: Circumstances) -> list[Blocker]:
    """Every obstacle; empty if an item is being executed, is not held up, and Redis takes the results."""
    storage = [] if now.storage.is_up else [Blocker(BlockerKind.STORAGE_DOWN, now.storage.message)]
    if not now.is_owner and not now.owner_address and storage:
        # Without Redis it can neither become the owner nor know who is.
        return storage
    if not now.is_owner:
        where = f"; the owner is at {now.owner_address}" if now.owner_address else ""
        return [Blocker(BlockerKind.STANDBY, f"This Manager does not own the queue{where}.")]
    executing = now.state in {ManagerState.EXECUTING_QUEUE, ManagerState.STARTING_QUEUE}
    if executing and now.worker_up:
        return storage + _unresponsive(now.environment) + _held_up(now.environment) + _asked_for(now)
    found = storage
    if not now.worker_up:
        sentence = now.worker_unreachable_because or "The Worker can't be reached: make sure that it runs."
        found.append(Blocker(BlockerKind.WORKER_UNREACHABLE, sentence))
    else:
        found += _environment(now)
    if executing:
        return found
    if now.state is ManagerState.PAUSED:
        resume = ("RunEngineService.ResumePlan", "qserver re resume")
        paused = Blocker(BlockerKind.PLAN_PAUSED, "The running plan is paused.", *resume)
        return [*found, *_locked(now.lock), paused, *_held_up(now.environment), *_asked_for(now)]
    more = _queue(now)
    return found + (_locked(now.lock) if found or more else []) + more


def _locked(lock: Lock | None) -> list[Blocker]:
    """An obstacle that only the key can clear."""
    if lock is None:
        return []
    claim = lock.claim
    what = " and ".join(name for name, locked in (("environment", claim.environment), ("queue", claim.queue)) if locked)
    since = f"{local_time(claim.time):%Y-%m-%d %H:%M:%S}"
    note = f" ({_short(claim.note)})" if claim.note else ""
    sentence = f"The {what} is locked by {claim.user} since {since}{note}: give the key, or ask for the lock."
    if claim.environment and claim.queue:
        sentence = sentence.replace(" is locked", " are locked", 1)
    word = "all" if claim.environment and claim.queue else what
    request = json.dumps({name: True for name in ("environment", "queue") if getattr(claim, name)})
    ask = ("LockService.RequestLock", f"qserver --lock-key KEY lock request {word} NOTE", request)
    return [Blocker(BlockerKind.LOCKED, sentence, *ask)]


def request_sentence(lock: Lock) -> str:
    """Who asks for the lock, for every client to see; empty if there is no request."""
    if lock.request is None:
        return ""
    claim = lock.request.claim
    note = f" ({_short(claim.note)})" if claim.note else ""
    return f"{claim.user} asks {lock.claim.user} for the lock{note}."


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_TEXT else line[:_MOST_TEXT] + "…"


def _environment(now: Circumstances) -> list[Blocker]:
    environment = now.environment
    if now.state in _CHANGING:
        wait = ("EnvironmentService.WaitEnvironment", "qserver environment open --wait")
        doing = now.state.value.replace("_", " ")
        command = wait if now.state is ManagerState.CREATING_ENVIRONMENT else (wait[0], "")
        return [Blocker(BlockerKind.ENVIRONMENT_CHANGING, f"The Manager is {doing}: wait for its end.", *command)]
    if environment.state in {EnvironmentState.CLOSED, EnvironmentState.UNKNOWN}:
        why = f" The last one: {environment.failure.message}" if environment.failure else ""
        remedy = ("EnvironmentService.OpenEnvironment", "qserver environment open")
        return [Blocker(BlockerKind.ENVIRONMENT_CLOSED, f"There is no environment.{why}", *remedy)]
    found = _unresponsive(environment)
    if environment.run_engine is RunEngineState.NONE:
        sentence = "The environment has no RunEngine: define RE in the startup code and reopen the environment."
        found.append(
            Blocker(
                BlockerKind.RUN_ENGINE_MISSING,
                sentence,
                "EnvironmentService.CloseEnvironment",
                "qserver environment close",
            )
        )
    elif environment.run_engine is RunEngineState.PANICKED:
        sentence = "The RunEngine is unusable: destroy the environment and open a new one."
        found.append(
            Blocker(
                BlockerKind.RUN_ENGINE_PANICKED,
                sentence,
                "EnvironmentService.DestroyEnvironment",
                "qserver environment destroy",
            )
        )
    elif now.state is ManagerState.IDLE and environment.run_engine is not RunEngineState.IDLE:
        sentence = "The RunEngine runs something that the queue did not start: wait, or destroy the environment."
        found.append(
            Blocker(
                BlockerKind.RUN_ENGINE_BUSY,
                sentence,
                "EnvironmentService.DestroyEnvironment",
                "qserver environment destroy",
            )
        )
        found += _held_up(environment)
    return found


def _unresponsive(environment: Environment) -> list[Blocker]:
    if environment.responsive:
        return []
    sentence = "The environment does not respond: wait, or destroy it if it stays like that."
    return [
        Blocker(
            BlockerKind.ENVIRONMENT_UNRESPONSIVE,
            sentence,
            "EnvironmentService.DestroyEnvironment",
            "qserver environment destroy",
        )
    ]


def _held_up(environment: Environment) -> list[Blocker]:
    found: list[Blocker] = []
    if environment.question is not None:
        # Without a text: sending it unchanged must not answer anything.
        request = json.dumps({"question_id": environment.question.question_id})
        answer = ("RunEngineService.AnswerQuestion", "qserver re answer TEXT", request)
        found.append(Blocker(BlockerKind.QUESTION_ASKED, question_sentence(environment.question), *answer))
    found += [Blocker(BlockerKind.PLAN_SUSPENDED, suspension_sentence(each)) for each in environment.suspensions]
    if environment.plan_wait is not None:
        found.append(Blocker(BlockerKind.PLAN_WAITS, wait_sentence(environment.plan_wait)))
    return found


def _asked_for(now: Circumstances) -> list[Blocker]:
    """What clients asked for that keeps the next item from being executed."""
    found: list[Blocker] = []
    if now.pause_pending and now.pause_at_once:
        sentence = (
            "An immediate pause was requested and has not taken effect yet: the plan is in code that has not returned "
            "to the RunEngine. Wait, or end the plan; if that has no effect either, destroy the environment."
        )
        found.append(
            Blocker(BlockerKind.PAUSE_PENDING, sentence, "RunEngineService.AbortPlanNow", "qserver re abort now")
        )
    elif now.pause_pending:
        sentence = (
            "A pause was requested and has not taken effect yet: a deferred one waits for the plan's next checkpoint, "
            "an immediate one does not."
        )
        request = '{"option": "PAUSE_OPTION_IMMEDIATE"}'
        pause = ("RunEngineService.PausePlan", "qserver re pause immediate", request)
        found.append(Blocker(BlockerKind.PAUSE_PENDING, sentence, *pause))
    if now.stop_pending:
        sentence = "The queue stops after the running item, as requested."
        cancel = ("QueueService.CancelStopQueue", "qserver queue stop cancel")
        found.append(Blocker(BlockerKind.STOP_PENDING, sentence, *cancel))
    return found


def _queue(now: Circumstances) -> list[Blocker]:
    found: list[Blocker] = []
    if not now.items_in_queue:
        add = ("QueueService.AddItem", "qserver queue add plan '{\"name\": …}'")
        found.append(Blocker(BlockerKind.QUEUE_EMPTY, "The queue is empty.", *add))
    elif now.head_held:
        sentence = "The first item was interrupted and is held: update, move or remove it."
        found.append(Blocker(BlockerKind.ITEM_HELD, sentence, *_edit_first(now.head_uid)))
    if now.items_in_queue and now.head_problems:
        found.append(_invalid(now.head_problems, now.head_uid))
    if not now.autostart:
        start = ("QueueService.StartQueue", "qserver queue start")
        sentence = "The queue is not started, and autostart is off."
        if now.setback is not None:
            sentence += f" {now.setback.sentence}"
        found.append(Blocker(BlockerKind.NOT_STARTED, sentence, *start))
    if now.state is ManagerState.EXECUTING_TASK:
        sentence = "A task is being executed in the foreground: wait for its end."
        found.append(Blocker(BlockerKind.TASK_RUNNING, sentence, "TaskService.ListTasks", "qserver task list"))
        found += _held_up(now.environment)
    return found


def _invalid(problems: Sequence[Violation], uid: str) -> Blocker:
    """The start is accepted despite it but ends at once: a user who starts the queue and leaves must know."""
    first = problems[0].description.removesuffix("?").removesuffix(".")
    what = f"{problems[0].field}: {first if len(first) <= _MOST_TEXT else first[:_MOST_TEXT] + '…'}"
    if len(problems) > 1:
        what += f", and {len(problems) - 1} more"
    sentence = f"As things are now, the first item would fail when it is started ({what}): update, move or remove it."
    return Blocker(BlockerKind.ITEM_INVALID, sentence, *_edit_first(uid))


def _edit_first(uid: str) -> tuple[str, str, str]:
    """How to change the first item without losing it or letting it run as it is."""
    return "QueueService.UpdateItem", "qserver queue edit front", json.dumps({"item_uid": uid})
