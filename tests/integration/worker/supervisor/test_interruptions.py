"""A request reaches the execution that it names and no other, in whatever order requests, beginnings and ends come.

The table of docs/guarantees/interruptions.md, as far as the Worker decides it, on a real supervisor. Its environment is
scripted: it does with the plan what the test says, and tells which requests it has heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.integration.worker.supervisor.worker_harness import SECONDS, RunningWorker, Watching, reason

PAUSES = (pb.RUN_ENGINE_ACTION_PAUSE_DEFERRED, pb.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE)
RESUME = pb.RUN_ENGINE_ACTION_RESUME
ENDS = (pb.RUN_ENGINE_ACTION_STOP, pb.RUN_ENGINE_ACTION_ABORT, pb.RUN_ENGINE_ACTION_HALT)
ABORT_NOW = pb.RUN_ENGINE_ACTION_ABORT_NOW
ACTIONS = st.sampled_from((*PAUSES, RESUME, *ENDS, ABORT_NOW))
Action = int


class Asked:
    """What an execution was asked for, and what the table says of the next request."""

    def __init__(self) -> None:
        #: "arriving", "running", "paused" or "ending".
        self.phase = "arriving"
        self.pause: Action | None = None
        self.answer: Action | None = None
        self.end_requested = False

    def ask(self, action: Action) -> str | bool:
        """The reason of the refusal, or whether the environment is to hear of it."""
        if action in PAUSES:
            return self._ask_to_pause(action)
        if action == ABORT_NOW:
            is_news, self.answer = self.answer != ABORT_NOW, ABORT_NOW
        elif self.phase != "paused" or self.answer not in {None, action}:
            return "NOT_PAUSED"
        else:
            is_news, self.answer = self.answer is None, action
        self.end_requested |= action != RESUME
        return is_news

    def _ask_to_pause(self, action: Action) -> str | bool:
        goes_on = self.phase in {"arriving", "running"} or self.answer == RESUME
        if not goes_on or self.answer == ABORT_NOW:
            return "NOT_RUNNING"
        if self.pause in {action, pb.RUN_ENGINE_ACTION_PAUSE_IMMEDIATE}:
            return False
        self.pause = action
        return True

    def becomes(self, phase: str) -> None:
        """The RunEngine is in another state."""
        self.phase = phase
        if phase == "paused":
            self.pause = None
        if self.answer != ABORT_NOW:
            self.answer = None


class Rig:
    """A Worker, and what was asked of it so far."""

    def __init__(self, directory: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.number = 0
        self.worker: RunningWorker
        self.watching: Watching

        async def start() -> None:
            self.worker = RunningWorker(directory, "")
            self.watching = await self.worker.watch()
            await self.worker.open(self.watching)

        self.do(start())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, SECONDS))

    def call(self, method: str, request: Any) -> Any:
        """Call a method of the Worker. A call is made in the loop: it looks for the one that runs."""

        async def made() -> Any:
            return await getattr(self.worker.stub, method)(request)

        return self.do(made())

    def close(self) -> None:
        self.do(self.worker.close())
        self.loop.close()

    def new_id(self) -> str:
        self.number += 1
        return f"x-{self.number}"

    def ask(self, execution_id: str, action: Action) -> str:
        """Ask for something; the reason of the refusal, or an empty text."""
        request = pb.ControlRunEngineRequest(epoch=1, action=action, execution_id=execution_id)  # type: ignore[arg-type] # an action
        try:
            self.call("ControlRunEngine", request)
        except grpc.aio.AioRpcError as error:
            return reason(error)
        return ""

    def tell(self, what: str) -> list[str]:
        """Let the environment do something; which requests it has heard since it was last told."""

        async def told() -> str:
            uid = await self.worker.task(what, in_background=True)
            result = await self.watching.task_outcome(uid)
            return result.return_value.text

        return str(self.do(told())).split("\n") if what else []


class Machine(RuleBasedStateMachine):
    """Plans begin, pause, continue and end, and requests come for those that run, have ended or have not begun."""

    rig: ClassVar[Rig]

    @initialize()
    def begin(self) -> None:
        self.running: tuple[str, Asked] | None = None
        self.next, self.never = self.rig.new_id(), self.rig.new_id()
        #: What is kept for an execution that has not arrived, and what the environment is to hear of it.
        self.kept: tuple[str, Asked, list[str]] = ("", Asked(), [])
        self.ended: list[str] = []
        self.expected: list[str] = []

    def _named(self, execution_id: str, action: Action) -> None:
        """Ask for an execution that runs or is to come, and see that the answer is that of the table."""
        if self.running is not None and self.running[0] == execution_id:
            heard, asked = self.expected, self.running[1]
            expected = asked.ask(action)
        else:
            uid, asked, heard = self.kept if self.kept[0] == execution_id else (execution_id, Asked(), [])
            expected = asked.ask(action)
            if not isinstance(expected, str):
                self.kept = (uid, asked, heard)
        assert self.rig.ask(execution_id, action) == (expected if isinstance(expected, str) else "")
        if expected is True:
            heard.append(f"{execution_id} {action}")

    @precondition(lambda self: self.running is not None)
    @rule(action=ACTIONS)
    def the_running_one_is_meant(self, action: Action) -> None:
        assert self.running is not None
        self._named(self.running[0], action)

    @rule(action=ACTIONS)
    def one_that_has_not_arrived_is_meant(self, action: Action) -> None:
        self._named(self.next, action)

    @rule(action=ACTIONS)
    def one_that_never_arrives_is_meant(self, action: Action) -> None:
        self._named(self.never, action)

    @precondition(lambda self: self.ended)
    @rule(action=ACTIONS, which=st.integers(0, 20))
    def one_that_has_ended_is_meant(self, action: Action, which: int) -> None:
        assert self.rig.ask(self.ended[-1 - which % len(self.ended)], action) == "EXECUTION_ENDED"

    @precondition(lambda self: self.running is None)
    @rule(action=ACTIONS)
    def whichever_runs_is_meant_and_none_does(self, action: Action) -> None:
        assert self.rig.ask("", action) == ("NOT_PAUSED" if action in {RESUME, *ENDS} else "NOT_RUNNING")

    @precondition(lambda self: self.running is not None)
    @rule(action=ACTIONS)
    def whichever_runs_is_meant(self, action: Action) -> None:
        assert self.running is not None
        uid, asked = self.running
        expected = asked.ask(action)
        assert self.rig.ask("", action) == (expected if isinstance(expected, str) else "")
        if expected is True:
            self.expected.append(f"{uid} {action}")

    @precondition(lambda self: self.running is None)
    @rule()
    def the_next_one_arrives(self) -> None:
        uid, self.next = self.next, self.rig.new_id()
        asked, heard = self.kept[1:] if self.kept[0] == uid else (Asked(), [])
        self.rig.do(self.rig.worker.run("told", uid))
        # Whatever is kept for another one is forgotten.
        self.kept = ("", Asked(), [])
        asked.becomes("running")
        self.running = (uid, asked)
        self.expected += heard
        self._look("heard")

    @precondition(lambda self: self.running is not None)
    @rule(phase=st.sampled_from(["running", "paused", "idle"]))
    def the_run_engine_changes(self, phase: str) -> None:
        assert self.running is not None
        self._look(phase)
        self.running[1].becomes("ending" if phase == "idle" else phase)

    @precondition(lambda self: self.running is not None)
    @rule()
    def the_plan_ends(self) -> None:
        assert self.running is not None
        uid, asked = self.running
        self._look("finish")
        self._ends(uid, asked)

    @precondition(lambda self: self.running is not None)
    @rule()
    def the_environment_is_destroyed(self) -> None:
        assert self.running is not None
        self.rig.call("DestroyEnvironment", pb.DestroyEnvironmentRequest(epoch=1))
        uid, asked = self.running
        self._ends(uid, asked)
        assert self.rig.ask(self.next, ABORT_NOW) == "ENVIRONMENT_CLOSED"
        self.kept, self.expected = ("", Asked(), []), []
        self.rig.do(self.rig.worker.open(self.rig.watching))

    def _ends(self, uid: str, asked: Asked) -> None:
        outcome = self.rig.do(self.rig.watching.outcome(uid))
        assert (outcome.pause_pending, outcome.end_requested) == (asked.pause is not None, asked.end_requested)
        self.running = None
        self.ended.append(uid)
        self.rig.call("AcknowledgeOutcomes", pb.AcknowledgeOutcomesRequest(epoch=1, outcome_ids=[uid]))

    def _look(self, what: str) -> None:
        assert [line for line in self.rig.tell(what) if line] == self.expected
        self.expected = []

    def teardown(self) -> None:
        if self.running is not None:
            self.the_plan_ends()


@pytest.fixture
def rig(short_path: Path) -> Iterator[Rig]:
    made = Rig(short_path)
    yield made
    made.close()


def test_a_request_reaches_the_execution_that_it_names_and_no_other(rig: Rig) -> None:
    Machine.rig = rig
    run_state_machine_as_test(  # type: ignore[no-untyped-call] # of a library
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
