"""Everything that can be done to a Manager around which everything breaks, and at the same time to the model of it.

After each step :meth:`Scene.agree` waits until the Manager has come to where the model is. What is done here is done
by the test of every single step and by the test of many in a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum

import pytest
from queueserver.manager.v1 import queue_execution_pb2 as pb
from queueserver_client import (
    EnvironmentClosed,
    ExitStatus,
    FailureCause,
    InterruptedPolicy,
    InvalidState,
    ItemHeld,
    QueueRunning,
    QueueServerError,
)

from tests.harness.wait import bounded
from tests.integration.manager.edits import Edits, Place
from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.manager_rig import Rig
from tests.integration.manager.worker_script import Fate


class Mishap(Enum):
    """What happens to the Worker while nobody listens."""

    NOTHING = "nothing"
    PLAN_ENDS = "plan ends"
    ENVIRONMENT_DIES = "environment dies"
    WORKER_RESTARTS = "worker restarts"
    PLAN_ENDS_AND_WORKER_RESTARTS = "plan ends and worker restarts"


#: What becomes of a command that was not accepted before the mishap.
TOO_LATE = {Mishap.ENVIRONMENT_DIES: Fate.ENVIRONMENT_DIES, Mishap.WORKER_RESTARTS: Fate.WORKER_RESTARTS}


class LateNews(Enum):
    """How outcomes that the Manager has not heard of come, and others once more."""

    TOLD = "told"
    IN_A_SNAPSHOT = "in a snapshot"
    IN_A_SNAPSHOT_AND_TOLD = "in a snapshot and told"
    AFTER_A_RESTART = "after a restart"


class Scene(Edits):
    """Edits, executions, mishaps and kills."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self.script = rig.script
        #: Outcome of the running item that the Worker has and the Manager has not heard of.
        self.unheard: tuple[ExitStatus, FailureCause] | None = None
        # The one before may have left the environment open.
        self.model.environment_open = self.script.is_open
        self.open_environment()
        self.agree()

    def agree(self) -> None:
        """Wait until the Manager has come to where the model is. What was decided for commands is over then."""
        self.rig.compare(self.model)
        self.model.fates.clear()
        self.script.fates.clear()

    @property
    def is_executing(self) -> bool:
        """An item runs, as far as anybody knows."""
        return self.model.running is not None and self.unheard is None

    @property
    def can_start(self) -> bool:
        """The queue can be started."""
        return self.start_refusal() is None

    @property
    def can_hand_over(self) -> bool:
        """The queue can be started, and then a plan runs."""
        return self.can_start and bool(self.model.queue) and not self.model.queue[0].is_stop

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

    def open_environment(self) -> None:
        """Open the environment if there is none."""
        if not self.model.environment_open and self.model.running is None:
            self.edit(lambda client: client.environment.open())
            self.model.environment_open = True

    def start_refusal(self) -> type[QueueServerError] | None:
        """Why the queue can't be started."""
        if self.model.running is not None:
            return InvalidState if self.model.immediate else QueueRunning
        if not self.model.environment_open:
            return EnvironmentClosed
        return ItemHeld if self.model.queue and self.model.queue[0].held else None

    def start(self, fates: Sequence[Fate] = (), opens: bool = True, loss: Loss = Loss.NOTHING) -> None:
        """Start the queue."""
        if opens:
            self.open_environment()
        refusal = self.start_refusal()
        if refusal is not None:
            with pytest.raises(refusal) as refused:
                self.edit(lambda client: client.queue.start())
            assert type(refused.value) is refusal
            return
        self.decide(fates)
        self.edit(lambda client: client.queue.start(), loss)
        self.model.start()

    def start_under_an_id(self) -> None:
        """Start the queue by a request that will be repeated later."""
        request = pb.StartQueueRequest(request_id=f"start {next(self.numbers)}")
        self.answered.append(("StartQueue", request, self.ask("StartQueue", request)))
        self.model.start()

    def execute(self, fates: Sequence[Fate] = (), loss: Loss = Loss.NOTHING) -> None:
        """Execute an item that never is in the queue."""
        item, plan = self.new_item()
        self.decide(fates)
        self.edit(lambda client: client.queue.execute(plan), loss)
        self.model.execute(item)

    def stop(self, back: bool = False, loss: Loss = Loss.NOTHING) -> None:
        """Stop the queue, or take that back."""
        self.edit(lambda client: client.queue.cancel_stop() if back else client.queue.stop(), loss)
        self.model.stop_pending = not back

    def end(self, status: ExitStatus = ExitStatus.COMPLETED, fates: Sequence[Fate] = (), repeated: int = 0) -> None:
        """The plan ends; its outcome and others come, and some of them come more than once."""
        self.decide(fates)
        self.script.finish(status)
        self.script.report_again(repeated)
        self.model.end(status, cause_of(status))

    def end_unheard(self, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        """The plan ends, and its outcome is late."""
        self.script.withhold()
        self.script.finish(status)
        self.unheard = status, cause_of(status)

    def work(self, turns: Sequence[tuple[ExitStatus, Sequence[Fate]]]) -> None:
        """The queue works for a while."""
        for status, fates in turns:
            if self.is_executing:
                self.end(status, fates)
            elif self.model.running is None:
                if len(self.model.queue) < 2:
                    self.add_batch(3)
                self.start(fates)
            self.agree()

    # Mishaps

    def tell(self, fates: Sequence[Fate] = (), repeated: int = 0) -> None:
        """The late outcome comes."""
        self.decide(fates)
        self.script.report_again(repeated)
        self.script.tell()
        self.hear()

    def report_again(self, count: int) -> None:
        """Old outcomes come again."""
        self.script.report_again(count)

    def break_connection(self, remembered: int = 0, repeated: int = 0, fates: Sequence[Fate] = ()) -> None:
        """The Manager has to look again; the Worker has outcomes that it should have forgotten."""
        self.decide(fates)
        self.script.remember(remembered)
        self.script.break_connection()
        # What the next snapshot says comes once more as an event behind it.
        self.script.report_again(repeated)
        self.hear()

    def lose_acknowledgement(self) -> None:
        """The next acknowledgement does not arrive."""
        self.script.fate_of_acknowledgement = Fate.COMMAND_LOST

    def hear_late(self, news: LateNews) -> None:
        """What nobody heard comes."""
        if news is LateNews.TOLD:
            self.tell(repeated=3)
        elif news is LateNews.AFTER_A_RESTART:
            self.suffer(Mishap.WORKER_RESTARTS)
        else:
            self.break_connection(remembered=2, repeated=3 if news is LateNews.IN_A_SNAPSHOT_AND_TOLD else 0)

    def suffer(self, mishap: Mishap, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        """Something happens to the Worker, and the Manager hears of it."""
        ends = mishap in {Mishap.PLAN_ENDS, Mishap.PLAN_ENDS_AND_WORKER_RESTARTS}
        if self.is_executing and ends:
            self.script.finish(status)
            self.unheard = status, cause_of(status)
        if mishap is Mishap.ENVIRONMENT_DIES:
            self.script.lose_environment()
            self._lose(FailureCause.ENVIRONMENT_LOST)
        elif mishap in {Mishap.WORKER_RESTARTS, Mishap.PLAN_ENDS_AND_WORKER_RESTARTS}:
            self.script.restart()
            self._lose(FailureCause.WORKER_LOST)
        self.hear()

    def _lose(self, cause: FailureCause) -> None:
        """What executed the running item is gone."""
        self.model.environment_open = False
        if self.is_executing:
            self.unheard = ExitStatus.FAILED, cause

    # Kills

    def die(self, mishap: Mishap = Mishap.NOTHING, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        """The Manager is killed, something happens meanwhile, and it is started again."""
        self.rig.kill_manager()
        self.script.fates.clear()
        self.suffer(mishap, status)
        self.rig.restart_manager()

    def die_in_an_edit(self, loss: Loss, place: Place = Place.BACK, which: int = 0) -> None:
        """The Manager is killed while a client adds an item.

        What is to be lost is lost before. With nothing, it is open whether the request is carried out in time.
        """
        item, plan = self.new_item()
        position, index = self.place_for_new(place, which)
        line = self.rig.line

        async def attempt() -> None:
            line.loss = loss
            line.lost.clear()
            line.requested.clear()
            adding = asyncio.ensure_future(self.rig.client.queue.add(plan, position=position))
            await bounded((line.requested if loss is Loss.NOTHING else line.lost).wait())
            self.rig.kill_manager()
            self.rig.restart_manager()
            assert (await adding).index == index

        self.rig.run(attempt())
        self.model.insert([item], index)

    def die_handing_over(self, accepted: bool, mishap: Mishap = Mishap.NOTHING) -> None:
        """The Manager is killed when the Worker has its command, before or after that is accepted."""
        self.script.fates.append(Fate.HANGS_ACCEPTED if accepted else Fate.HANGS)
        self.edit(lambda client: client.queue.start())
        self.script.wait_until(lambda: self.script.hanging > 0, "the Manager hands over")
        if not accepted and mishap in TOO_LATE:
            self.model.fates.append(TOO_LATE[mishap])
        elif not accepted:
            mishap = Mishap.NOTHING
        self.model.start()
        self.die(mishap)

    def die_hearing(self, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        """The Manager is killed when an outcome is on its way to it, or stored, or not yet."""
        self.script.finish(status)
        self.model.end(status, cause_of(status))
        self.die()

    def die_acknowledging(self, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        """The Manager is killed when it has stored an outcome and wants to say so."""
        # It says so by itself, or together with the next item.
        self.script.fates.append(Fate.HANGS)
        self.script.fate_of_acknowledgement = Fate.HANGS
        self.script.finish(status)
        self.model.end(status, cause_of(status))
        self.script.wait_until(lambda: self.script.hanging > 0, "the Manager acknowledges")
        self.script.fate_of_acknowledgement = Fate.ACCEPTED
        self.die()

    # The end

    def finish(self) -> None:
        """All is well again: what is left is executed, and both sides agree on what was."""
        self.lose_acknowledgement()
        self.break_connection()
        self.agree()
        self.set_mode(loop=False, ignore=False, policy=InterruptedPolicy.REQUEUE)
        # A few are enough.
        self.edit(lambda client: client.queue.remove_batch([item.uid for item in self.model.queue[3:]]))
        del self.model.queue[3:]
        while self.model.queue or self.model.running:
            if self.model.running is not None:
                self.end()
            elif self.model.queue[0].held:
                self.remove(0)
            else:
                self.start()
            self.agree()
        self.script.break_connection()
        self.script.wait_until(
            lambda: not (self.script.outcomes or self.script.task_outcomes), "all outcomes are acknowledged"
        )
        self.agree()
        self.rig.clear()


def cause_of(status: ExitStatus) -> FailureCause:
    """Why a plan ended so by itself."""
    return FailureCause.PLAN_ERROR if status is ExitStatus.FAILED else FailureCause.UNSPECIFIED
