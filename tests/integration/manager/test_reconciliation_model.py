"""No item is lost, none is run twice unseen, and every execution has one line in the history: whatever breaks.

A real Manager process on a real Redis is driven through edits, kills and everything that a Worker and the network
between them can do wrong, and compared with a model after every step. Each example has a Manager of its own, and
starting one takes about a second: so examples are few and long, kills are rationed, and failures are not shrunk.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from enum import Enum

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from queueserver.manager.v1 import queue_service_pb2 as pb
from queueserver_client import (
    EnvironmentClosed,
    ExitStatus,
    FailureCause,
    InterruptedPolicy,
    InvalidState,
    ItemHeld,
    QueueServerError,
)

from tests.harness.wait import bounded
from tests.integration.manager.editing_rules import EditingRules, Place, indices, losses, places
from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.worker_script import Fate

_KILLS_PER_EXAMPLE = 2
_COMMAND_FATES = [fate for fate in Fate if fate not in {Fate.HANGS, Fate.HANGS_ACCEPTED}]
fates = st.lists(st.sampled_from([Fate.ACCEPTED, *_COMMAND_FATES]), max_size=3)
statuses = st.sampled_from([ExitStatus.COMPLETED] * 4 + list(ExitStatus)[1:])


class Mishap(Enum):
    """What happens to the Worker while nobody listens."""

    NOTHING = "nothing"
    PLAN_ENDS = "plan ends"
    ENVIRONMENT_DIES = "environment dies"
    WORKER_RESTARTS = "worker restarts"
    PLAN_ENDS_AND_WORKER_RESTARTS = "plan ends and worker restarts"


def cause_of(status: ExitStatus) -> FailureCause:
    return FailureCause.PLAN_ERROR if status is ExitStatus.FAILED else FailureCause.UNSPECIFIED


class Machine(EditingRules):
    """Rules do something to both; after each the Manager must come to where the model is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.script = self.rig.script
        self.kills = 0
        #: Outcome of the running item that the Worker has and the Manager has not heard of.
        self.unheard: tuple[ExitStatus, FailureCause] | None = None

    @invariant()
    def the_manager_comes_to_where_the_model_is(self) -> None:
        self.rig.compare(self.model)
        self.model.fates.clear()
        self.script.fates.clear()

    @property
    def is_executing(self) -> bool:
        return self.model.running is not None and self.unheard is None

    @property
    def may_kill(self) -> bool:
        return self.kills < _KILLS_PER_EXAMPLE

    def decide(self, fates: Sequence[Fate]) -> None:
        """Say what becomes of the next commands."""
        self.model.fates.extend(fates)
        self.script.fates.extend(fates)

    def hear(self) -> None:
        """The Manager hears what it has not heard."""
        if self.unheard is not None:
            outcome, self.unheard = self.unheard, None
            self.model.end(*outcome)

    # Execution

    @initialize()
    def open_the_environment(self) -> None:
        if not self.model.environment_open and self.model.running is None:
            self.edit(lambda client: client.environment.open())
            self.model.environment_open = True

    @rule()
    def open_it_again(self) -> None:
        self.open_the_environment()

    def start_refusal(self) -> type[QueueServerError] | None:
        if self.model.running is not None:
            return InvalidState
        if not self.model.environment_open:
            return EnvironmentClosed
        return ItemHeld if self.model.queue and self.model.queue[0].held else None

    @rule(fates=fates, opens=st.sampled_from([True, True, True, False]), loss=losses)
    def start(self, fates: list[Fate], opens: bool, loss: Loss) -> None:
        if opens:
            self.open_the_environment()
        refusal = self.start_refusal()
        if refusal is not None:
            with pytest.raises(refusal) as refused:
                self.edit(lambda client: client.queue.start())
            assert type(refused.value) is refusal
            return
        self.decide(fates)
        self.edit(lambda client: client.queue.start(), loss)
        self.model.start()

    @precondition(lambda self: self.start_refusal() is None)
    @rule()
    def start_under_an_id(self) -> None:
        request = pb.StartQueueRequest(request_id=f"start {next(self.numbers)}")
        self.answered.append(("StartQueue", request, self.ask("StartQueue", request)))
        self.model.start()

    @precondition(lambda self: self.model.running is None and self.model.environment_open)
    @rule(fates=fates, loss=losses)
    def execute(self, fates: list[Fate], loss: Loss) -> None:
        item, plan = self.new_item()
        self.decide(fates)
        self.edit(lambda client: client.queue.execute(plan), loss)
        self.model.execute(item)

    @precondition(lambda self: self.model.running is not None)
    @rule(back=st.booleans(), loss=losses)
    def stop(self, back: bool, loss: Loss) -> None:
        self.edit(lambda client: client.queue.cancel_stop() if back else client.queue.stop(), loss)
        self.model.stop_pending = not back

    @precondition(lambda self: self.is_executing)
    @rule(status=statuses, fates=fates, repeated=st.integers(0, 3))
    def the_plan_ends(self, status: ExitStatus, fates: list[Fate], repeated: int) -> None:
        self.decide(fates)
        self.script.finish(status)
        self.script.report_again(repeated)
        self.model.end(status, cause_of(status))

    @precondition(lambda self: self.is_executing)
    @rule(status=statuses)
    def the_plan_ends_and_its_outcome_is_late(self, status: ExitStatus) -> None:
        self.script.withhold()
        self.script.finish(status)
        self.unheard = status, cause_of(status)

    # What the Worker does wrong

    @precondition(lambda self: self.unheard is not None)
    @rule(fates=fates, repeated=st.integers(0, 3))
    def the_late_outcome_comes(self, fates: list[Fate], repeated: int) -> None:
        self.decide(fates)
        self.script.report_again(repeated)
        self.script.tell()
        self.hear()

    @rule(count=st.integers(1, 4))
    def old_outcomes_come_again(self, count: int) -> None:
        self.script.report_again(count)

    @rule(remembered=st.integers(0, 3), fates=fates)
    def the_connection_breaks(self, remembered: int, fates: list[Fate]) -> None:
        self.decide(fates)
        self.script.remember(remembered)
        self.script.break_connection()
        self.hear()

    @rule()
    def the_next_acknowledgement_gets_lost(self) -> None:
        self.script.fate_of_acknowledgement = Fate.COMMAND_LOST

    @rule()
    def the_worker_restarts(self) -> None:
        self.suffer(Mishap.WORKER_RESTARTS, ExitStatus.COMPLETED)

    @precondition(lambda self: self.unheard is None)
    @rule()
    def the_environment_dies(self) -> None:
        self.suffer(Mishap.ENVIRONMENT_DIES, ExitStatus.COMPLETED)

    def suffer(self, mishap: Mishap, status: ExitStatus) -> None:
        """Something happens to the Worker, and the Manager hears of it."""
        ends = mishap in {Mishap.PLAN_ENDS, Mishap.PLAN_ENDS_AND_WORKER_RESTARTS}
        if self.is_executing and ends:
            self.script.finish(status)
            self.unheard = status, cause_of(status)
        if mishap is Mishap.ENVIRONMENT_DIES:
            self.script.lose_environment()
            self.lose(FailureCause.ENVIRONMENT_LOST)
        elif mishap in {Mishap.WORKER_RESTARTS, Mishap.PLAN_ENDS_AND_WORKER_RESTARTS}:
            self.script.restart()
            self.lose(FailureCause.WORKER_LOST)
        self.hear()

    def lose(self, cause: FailureCause) -> None:
        """What executed the running item is gone."""
        self.model.environment_open = False
        if self.is_executing:
            self.unheard = ExitStatus.FAILED, cause

    # Kills

    def die(self, mishap: Mishap = Mishap.NOTHING, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        """The Manager is killed, something happens meanwhile, and it is started again."""
        self.kills += 1
        self.rig.kill_manager()
        self.script.fates.clear()
        self.suffer(mishap, status)
        self.script.fates.extend(self.model.fates)
        self.rig.restart_manager()

    @precondition(lambda self: self.may_kill)
    @rule(mishap=st.sampled_from(Mishap), status=statuses)
    def the_manager_is_killed(self, mishap: Mishap, status: ExitStatus) -> None:
        self.die(mishap, status)

    @precondition(lambda self: self.may_kill and self.unheard is None)
    @rule(place=places, which=indices, loss=st.sampled_from(Loss))
    def the_manager_is_killed_during_an_edit(self, place: Place, which: int, loss: Loss) -> None:
        self.kills += 1
        item, plan = self.new_item()
        position, index = self.place_for_new(place, which)
        line = self.rig.line

        async def attempt() -> None:
            line.loss = loss
            line.lost.clear()
            line.requested.clear()
            adding = asyncio.ensure_future(self.rig.client.queue.add(plan, position=position))
            # With no loss it is open whether the request is carried out before the Manager dies.
            await bounded((line.requested if loss is Loss.NOTHING else line.lost).wait())
            self.rig.kill_manager()
            self.rig.restart_manager()
            assert (await adding).index == index

        self.rig.run(attempt())
        self.model.insert([item], index)

    @precondition(lambda self: self.may_kill and self.start_refusal() is None)
    @precondition(lambda self: self.model.queue and not self.model.queue[0].is_stop)
    @rule(accepted=st.booleans(), mishap=st.sampled_from(Mishap), status=statuses)
    def the_manager_is_killed_while_it_hands_over(self, accepted: bool, mishap: Mishap, status: ExitStatus) -> None:
        self.script.fates.append(Fate.HANGS_ACCEPTED if accepted else Fate.HANGS)
        self.edit(lambda client: client.queue.start())
        self.script.wait_until(lambda: self.script.hanging > 0, "the Manager hands over")
        if accepted:
            self.model.start()
            self.die(mishap, status)
        else:
            gone = {Mishap.ENVIRONMENT_DIES: Fate.ENVIRONMENT_DIES, Mishap.WORKER_RESTARTS: Fate.WORKER_RESTARTS}
            mishap = mishap if mishap in gone else Mishap.NOTHING
            self.model.fates.extend([gone[mishap]] if mishap in gone else [])
            self.model.start()
            self.die(mishap)

    @precondition(lambda self: self.may_kill and self.is_executing)
    @rule(status=statuses)
    def the_manager_is_killed_before_it_acknowledges(self, status: ExitStatus) -> None:
        # The acknowledgement comes by itself, or together with the next item.
        self.script.fates.append(Fate.HANGS)
        self.script.fate_of_acknowledgement = Fate.HANGS
        self.script.finish(status)
        self.model.end(status, cause_of(status))
        self.script.wait_until(lambda: self.script.hanging > 0, "the Manager acknowledges")
        self.script.fate_of_acknowledgement = Fate.ACCEPTED
        self.die()

    @precondition(lambda self: self.may_kill and self.is_executing)
    @rule(status=statuses)
    def the_manager_is_killed_when_it_hears_of_an_outcome(self, status: ExitStatus) -> None:
        self.script.finish(status)
        self.model.end(status, cause_of(status))
        self.die()

    # The end

    def teardown(self) -> None:
        try:
            # After a failure there is nothing left to prove.
            if sys.exc_info()[0] is None:
                self.all_is_executed_when_all_is_well_again()
        finally:
            if sys.exc_info()[0] is not None:
                note(f"log of the Manager:\n{self.rig.log()}")
            self.rig.close()

    def all_is_executed_when_all_is_well_again(self) -> None:
        self.the_next_acknowledgement_gets_lost()
        self.the_connection_breaks(0, [])
        self.the_manager_comes_to_where_the_model_is()
        self.set_mode(False, False, InterruptedPolicy.REQUEUE, Loss.NOTHING)
        while self.model.queue or self.model.running:
            if self.model.running is not None:
                self.the_plan_ends(ExitStatus.COMPLETED, [], 0)
            elif self.model.queue[0].held:
                self.edit(lambda client: client.queue.remove("front"))
                self.model.remove(self.model.queue[:1])
            else:
                self.start([], True, Loss.NOTHING)
            self.the_manager_comes_to_where_the_model_is()
        self.script.break_connection()
        self.script.wait_until(lambda: not self.script.outcomes, "all outcomes are acknowledged")
        self.the_manager_comes_to_where_the_model_is()


# Not verbose for its own sake: what was done must be on record when it fails once and not again.
_settings = settings(
    max_examples=5,
    stateful_step_count=90,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    verbosity=Verbosity.verbose,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One for all examples: gRPC goes on for a moment with a loop that it has worked in."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_no_item_is_lost_and_none_is_run_twice_unseen(loop: asyncio.AbstractEventLoop) -> None:
    run_state_machine_as_test(lambda: Machine(loop), settings=_settings)  # type: ignore[arg-type] # a factory will do
