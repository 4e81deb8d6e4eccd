"""Claims and outcomes under every fault: no item is lost, run twice unseen, or in two places.

A whole term (ledger, runner, link, autostart) works on a store and a Worker that fail as told. Items carry the number
of the request that brought them, so that all attempts and repetitions of one are known to belong together.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from queueserver_long_work.time_slice import next_turn_after
from queueserver_manager.domain.queue import placement as pl
from queueserver_manager.domain.queue.item import ExitStatus, FailureCause, HistoryEntry, Item, ItemKind
from queueserver_manager.domain.queue.mode import InterruptedPolicy
from queueserver_manager.domain.queue.queue_edits import Placed, Taken
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import Refused, StorageUnavailable
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.reply import NO_REPLY, ReplySpec
from queueserver_manager.operations.ownership_term import OwnershipTerm, TermSettings
from queueserver_manager.operations.status import StatusBoard
from queueserver_manager.operations.validation.submissions import Prepared
from queueserver_manager.rpc.encoder import ProtoEncoder
from queueserver_manager.wire.descriptions import DescriptionCutter

from tests.unit.manager.leaping_clock import LeapingLoop
from tests.unit.manager.samples import NOW, state
from tests.unit.manager.scripted_store import ScriptedStore
from tests.unit.manager.simulated_worker import Fate, SimulatedWorker

JANE = Caller("jane", "primary")
#: More than all the rests that the Manager takes, for one fault, before it meets the Worker again.
_SETTLING_SECONDS = 3.0
indices = st.integers(0, 30)


class Faults(logging.Handler):
    """Collects what the Manager logs as a defect of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith("Redis can't be reached"):
            self.found.append(record.getMessage())


def first(result: tuple[Item, Any], _revision: int) -> bytes:
    return result[0].uid.encode()


class Machine(RuleBasedStateMachine):
    """Rules do something and let it settle; invariants look at what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = LeapingLoop()
        # Nor is any work so long that others get a turn in between: the same steps have the same outcome.
        self.clock = patch("queueserver_long_work.time_slice.clock", self.loop.time)
        self.clock.start()
        self.faults = Faults()
        self.log = logging.getLogger("queueserver_manager")
        self.log.addHandler(self.faults)
        self.numbers = itertools.count(1)
        #: Numbers of requests that were accepted, and of items that were, or may have been, taken out by us.
        self.accepted: dict[int, bytes] = {}
        self.unsure: set[int] = set()
        self.removed: set[int] = set()
        self.loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        self.store = ScriptedStore(Record(store_id="11111111-1111-1111-1111-111111111111"))
        self.worker = SimulatedWorker(lambda execution_id: execution_id in self.executions())
        self.worker.open()
        await self._manager_starts()

    async def _manager_starts(self) -> None:
        board = StatusBoard(lambda: NOW)
        term_settings = TermSettings(1, "here:1", lambda _item, _submission: Prepared(0, 0), lambda _entry: 0)
        self.term = OwnershipTerm(
            term_settings, self.store, await self.store.load(), self.worker, board, ProtoEncoder(), DescriptionCutter()
        )
        self.job = self.loop.create_task(self.term.run(lambda: None))
        await self._settle()

    async def _manager_dies(self) -> None:
        self.job.cancel()
        await asyncio.gather(self.job, return_exceptions=True)

    @staticmethod
    async def _settle() -> None:
        # On this clock time passes when nothing else is left to do.
        await next_turn_after(_SETTLING_SECONDS)

    def do(self, operation: Awaitable[bytes]) -> bytes | Refused | None:
        """Let an operation end; None if it can't, because the store hangs."""

        async def attempt() -> bytes | Refused | None:
            task = asyncio.ensure_future(operation)
            await self._settle()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                return None
            error = task.exception()
            if error is not None and not isinstance(error, Refused):
                raise error
            return error if isinstance(error, Refused) else task.result()

        return self.loop.run_until_complete(attempt())

    def settle(self) -> None:
        self.loop.run_until_complete(self._settle())

    # What is stored

    @property
    def record(self) -> Record:
        return self.store.stored

    def entries(self) -> list[HistoryEntry]:
        return self.record.history.slice(0, len(self.record.history))

    def executions(self) -> set[str]:
        return {entry.execution_id for entry in self.entries()}

    # Edits

    def submit(self, number: int, position: pl.Position) -> None:
        """Ask for an item with this number, at once if it is negative. Who asks again must get the same answer."""
        submission = Submission(ItemKind.PLAN, "count", properties={"number": number})
        reply: ReplySpec[Any] = ReplySpec(first, f"request-{number}", f"{number}")
        if number < 0:
            answer = self.do(self.term.queue_run.execute(JANE, submission, reply))
        else:
            answer = self.do(self.term.queue.add(JANE, submission, position, reply))
        if isinstance(answer, bytes):
            assert self.accepted.setdefault(number, answer) == answer
            self.unsure.discard(number)
        elif answer is None or isinstance(answer, StorageUnavailable):
            self.unsure.add(number)

    @rule(index=st.integers(-6, 6), count=st.integers(1, 3))
    def add(self, index: int, count: int) -> None:
        for _ in range(count):
            self.submit(next(self.numbers), pl.AtIndex(index))

    @rule(which=indices)
    def ask_again(self, which: int) -> None:
        known = sorted({*self.accepted, *self.unsure})
        if known:
            self.submit(known[which % len(known)], pl.AtIndex(0))

    @rule()
    def execute_now(self) -> None:
        self.submit(-next(self.numbers), pl.Back())

    @rule(index=st.integers(0, 4))
    def add_stop(self, index: int) -> None:
        submission = Submission(ItemKind.INSTRUCTION, "queue_stop")
        self.do(self.term.queue.add(JANE, submission, pl.AtIndex(index), NO_REPLY))

    @rule(which=indices)
    def remove(self, which: int) -> None:
        queue = list(self.record.queue)
        if queue:
            item = queue[which % len(queue)]
            reply: ReplySpec[Taken] = ReplySpec(lambda _taken, _revision: b"")
            answer = self.do(self.term.queue.remove(pl.ByUid(item.uid), reply))
            # Refused because of the store, it may have happened nevertheless.
            if not isinstance(answer, Refused) or isinstance(answer, StorageUnavailable):
                self.removed.add(number_of(item))

    @rule(which=indices, where=indices)
    def move(self, which: int, where: int) -> None:
        size = len(self.record.queue)
        if size:
            reply: ReplySpec[tuple[Item, Placed]] = ReplySpec(first)
            self.do(self.term.queue.move(pl.AtIndex(which % size), pl.AtIndex(where % size), reply))

    @rule(loop=st.booleans(), ignore=st.booleans(), policy=st.sampled_from(InterruptedPolicy))
    def set_mode(self, loop: bool, ignore: bool, policy: InterruptedPolicy) -> None:
        mode = {"loop": loop, "ignore_failures": ignore, "interrupted": policy}
        self.do(self.term.queue.set_mode(NO_REPLY, reset=False, **mode))  # type: ignore[arg-type] # names match

    # Execution

    @rule(enabled=st.booleans())
    def set_autostart(self, enabled: bool) -> None:
        self.do(self.term.queue_run.set_autostart(NO_REPLY, enabled=enabled))

    @rule(fate=st.sampled_from([Fate.ACCEPTED, *Fate]))
    def start(self, fate: Fate) -> None:
        self.worker.fate = fate
        self.do(self.term.queue_run.start(JANE, NO_REPLY))

    @rule(back=st.booleans())
    def stop(self, back: bool) -> None:
        execution = self.term.queue_run
        self.do(execution.cancel_stop(JANE, NO_REPLY) if back else execution.stop(JANE, NO_REPLY))

    @precondition(lambda self: self.worker.current is not None)
    @rule(status=st.sampled_from([*[ExitStatus.COMPLETED] * 5, *ExitStatus]), twice=st.booleans())
    def finish(self, status: ExitStatus, twice: bool) -> None:
        self.worker.finish(status)
        self.settle()
        if twice:
            self.outcomes_are_reported_twice()

    # Faults

    @precondition(lambda self: self.worker.current is not None)
    @rule(status=st.sampled_from(ExitStatus), what=st.sampled_from(["restart", "go_away", "break_connection"]))
    def an_item_ends_and_the_worker_has_trouble(self, status: ExitStatus, what: str) -> None:
        self.worker.fate = Fate.ACCEPTED
        self.worker.finish(status)
        getattr(self.worker, what)()
        self.settle()

    @rule(fate=st.sampled_from(Fate))
    def the_fate_of_the_next_command_is_decided(self, fate: Fate) -> None:
        self.worker.fate = fate

    @rule(what=st.sampled_from(["restart", "go_away", "come_back", "break_connection", "lose_environment", "open"]))
    def the_worker_has_trouble(self, what: str) -> None:
        getattr(self.worker, what)()
        self.settle()

    @rule(may=st.booleans())
    def reports_are_late(self, may: bool) -> None:
        (self.worker.may_report.set if may else self.worker.may_report.clear)()
        self.settle()

    @rule()
    def outcomes_are_reported_twice(self) -> None:
        self.worker.report_again()
        self.settle()

    @rule(fate_known=st.booleans(), writes=st.booleans(), back=st.booleans())
    def the_next_commit_fails(self, fate_known: bool, writes: bool, back: bool) -> None:
        self.store.fail(fate_known=fate_known, writes=writes and not fate_known)
        (self.store.up.set if back else self.store.up.clear)()
        self.settle()

    @rule()
    def the_store_comes_back(self) -> None:
        self.store.up.set()
        self.settle()

    @rule(writes=st.booleans(), ends=st.booleans())
    def the_manager_dies_in_a_commit(self, writes: bool, ends: bool) -> None:
        self.store.hang(writes=writes)
        if ends:
            self.worker.finish(ExitStatus.COMPLETED)
        self.submit(next(self.numbers), pl.Back())
        self.the_manager_is_restarted()

    @rule()
    def the_manager_is_restarted(self) -> None:
        self.loop.run_until_complete(self._manager_dies())
        self.store.faults.clear()
        self.store.hangs = None
        self.store.up.set()
        self.loop.run_until_complete(self._manager_starts())

    # What must be true

    @invariant()
    def every_item_is_in_one_place_and_its_life_has_no_gap(self) -> None:
        waiting = list(self.record.queue) + ([self.record.running.item] if self.record.running else [])
        places = [item.uid for item in waiting] + [entry.item.uid for entry in self.entries()]
        assert len(set(places)) == len(places)
        live: dict[int, list[Item]] = defaultdict(list)
        past: dict[int, list[HistoryEntry]] = defaultdict(list)
        for item in waiting:
            live[number_of(item)].append(item)
        for entry in self.entries():
            past[number_of(entry.item)].append(entry)
        assert set(live) | set(past) <= {0, *self.accepted, *self.unsure} | self.removed
        for number in {*self.accepted, *live, *past} - {0}:
            check_life(past[number], live[number], removed=number in self.removed)

    @invariant()
    def what_was_executed_is_known_and_was_executed_once(self) -> None:
        begun = [execution.item_uid for execution in self.worker.begun]
        assert len(set(begun)) == len(begun)
        running = {self.record.running.execution_id} if self.record.running else set()
        assert {execution.execution_id for execution in self.worker.begun} <= self.executions() | running
        for entry in self.entries():
            outcome = self.worker.reported.get(entry.execution_id)
            if outcome is not None:
                assert entry.result == outcome.result
            elif entry.result.failure_cause is FailureCause.NOT_STARTED:
                assert entry.item.uid not in begun

    @invariant()
    def history_numbers_have_no_holes(self) -> None:
        assert [entry.number for entry in self.entries()] == list(range(1, len(self.record.history) + 1))

    @invariant()
    def nothing_unforeseen_happened_and_memory_and_store_agree(self) -> None:
        assert self.faults.found == []
        assert not self.job.done()
        if self.term.ledger.storage_up:
            assert state(self.term._record) == state(self.record)

    def teardown(self) -> None:
        try:
            self.when_all_is_well_again_everything_is_executed()
        finally:
            self.loop.run_until_complete(self._manager_dies())
            self.loop.close()
            self.clock.stop()
            self.log.removeHandler(self.faults)

    def when_all_is_well_again_everything_is_executed(self) -> None:
        worker = self.worker
        self.the_manager_is_restarted()
        worker.fate = Fate.ACCEPTED
        worker.may_report.set()
        worker.come_back()
        worker.open()
        worker.break_connection()
        self.settle()
        self.set_mode(False, False, InterruptedPolicy.REQUEUE)
        self.set_autostart(False)
        for _ in range(10 + 3 * len(self.record.queue)):
            if self.record.running is None and len(self.record.queue) and self.record.queue.at(0).held:
                self.remove(0)
            self.start(Fate.ACCEPTED)
            self.finish_current()
        assert (len(self.record.queue), self.record.running) == (0, None)
        worker.break_connection()
        self.settle()
        assert worker.outcomes == {}
        self.every_item_is_in_one_place_and_its_life_has_no_gap()

    def finish_current(self) -> None:
        if self.worker.current is not None:
            self.finish(ExitStatus.COMPLETED, twice=True)


def number_of(item: Item) -> int:
    """Number of the request that brought an item; 0 for instructions."""
    number: int = (item.properties or {"number": 0})["number"]
    return number


def check_life(past: Sequence[HistoryEntry], live: Sequence[Item], *, removed: bool) -> None:
    """One item, its attempts and repetitions: each leads to the next, and the last is somewhere or was removed."""
    chain = [entry.item.uid for entry in past] + [item.uid for item in live]
    assert len(live) <= 1
    assert chain or removed
    for entry, successor in itertools.zip_longest(past, chain[1:], fillvalue=""):
        if isinstance(entry, HistoryEntry) and not (removed and not successor):
            assert entry.requeued_as_uid == successor


Machine.TestCase.settings = settings(
    deadline=None, max_examples=150, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
TestNoItemIsLostOrRunTwiceUnseen = Machine.TestCase
