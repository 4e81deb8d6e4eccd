"""The ledger when the store fails: everything is taken back, everybody is told, nothing is guessed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_long_work.work import at_once
from queueserver_manager.domain.events import ItemsAdded, QueueStarted
from queueserver_manager.domain.lock.lock import Claim, Guard, LockKey
from queueserver_manager.domain.lock.lock_errors import Locked
from queueserver_manager.domain.lock.locking import Identity, acquire
from queueserver_manager.domain.queue.placement import ByUid
from queueserver_manager.domain.queue.queue_edits import remove_item
from queueserver_manager.domain.refusals.errors import ItemNotFound, NotReady, StorageUnavailable
from queueserver_manager.domain.storage import Fault, StorageState
from queueserver_manager.operations.commit.reply import NO_REPLY
from queueserver_manager.store.port import OwnershipLost, StoreDown
from queueserver_manager.wire.events import event_bytes

from tests.unit.manager.samples import plan, state, uids
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

SILENT = Fault(StorageState.UNREACHABLE, "no answer within 2 s")


async def back(o: ScriptedTerm) -> None:
    """Wait until the ledger is at work again."""
    await asyncio.wait_for(o.ledger.storage_back.wait(), SECONDS)


async def failed(o: ScriptedTerm, *new: str) -> StorageUnavailable:
    """Add items and be told that it failed."""
    with pytest.raises(StorageUnavailable) as caught:
        await asyncio.wait_for(o.add(*new), SECONDS)
    return caught.value


async def test_a_failed_commit_takes_everything_back() -> None:
    async with scripted_term("ab") as o:
        before = state(o.record)
        o.store.up.clear()
        o.store.fail(fate_known=True)
        error = await failed(o, "c")
        assert "Nothing was changed" in error.message
        assert state(o.record) == before
        assert await o.seen() == ["a", "b"]
        assert (o.announced, o.storage, o.ledger.storage_up) == ([], [False], False)


async def test_everybody_who_took_part_is_told_and_who_was_refused_keeps_the_reason() -> None:
    async with scripted_term("ab") as o:
        o.store.up.clear()
        o.store.fail(fate_known=False)
        tasks = [o.add("c"), o.submit(lambda record: remove_item(record, ByUid("z"))), o.add("d")]
        answers = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SECONDS)
        assert [type(answer) for answer in answers] == [StorageUnavailable, ItemNotFound, StorageUnavailable]
        assert "not known yet" in answers[0].message


async def test_while_the_store_is_away_edits_are_refused_and_reads_answered() -> None:
    async with scripted_term("ab") as o:
        o.store.up.clear()
        o.store.fail(fate_known=True)
        await failed(o, "c")
        assert "Nothing was changed" in (await failed(o, "d")).message
        assert await o.seen() == ["a", "b"]
        assert not o.ledger.storage_back.is_set()


async def test_who_waits_behind_a_failed_commit_is_refused_with_certainty() -> None:
    async with scripted_term("ab") as o:
        o.store.up.clear()
        o.store.fail(fate_known=False)
        first = await o.hold_commit("c")
        second = o.add("d")
        await next_turn()
        o.store.may_go_on.set()
        for task, words in ((first, "not known yet"), (second, "Nothing was changed")):
            with pytest.raises(StorageUnavailable, match=words):
                await asyncio.wait_for(task, SECONDS)


async def test_when_the_store_is_back_work_goes_on() -> None:
    async with scripted_term("ab") as o:
        o.store.up.clear()
        o.store.fail(fate_known=True)
        await failed(o, "c")
        o.store.up.set()
        await back(o)
        committed = await asyncio.wait_for(o.add("d"), SECONDS)
        assert (committed.revision, await o.seen()) == (1, ["a", "b", "d"])
        assert o.storage == [False, True]


async def test_a_commit_that_was_written_after_all_is_found_and_announced_late() -> None:
    async with scripted_term("ab", done=2) as o:
        o.store.fail(fate_known=False, writes=True)
        assert "look at the queue" in (await failed(o, "c")).message
        await back(o)
        assert await o.seen() == ["a", "b", "c"]
        assert state(o.record) == state(o.store.stored)
        assert (o.record.revisions.last, o.ledger.summary.items_in_queue) == (1, 3)
        assert [announcement.revision for announcement in o.announced] == [1]
        assert (await asyncio.wait_for(o.add("d"), SECONDS)).revision == 2


async def test_a_commit_of_unknown_fate_that_was_not_written_leaves_no_trace() -> None:
    async with scripted_term("ab") as o:
        o.store.fail(fate_known=False)
        await failed(o, "c")
        await back(o)
        assert (await o.seen(), o.announced) == (["a", "b"], [])
        assert (await asyncio.wait_for(o.add("d"), SECONDS)).revision == 1


async def test_a_commit_that_reaches_the_store_after_that_was_read_again_is_announced_then() -> None:
    async with scripted_term("ab") as o:
        o.store.fail(fate_known=False)
        await failed(o, "c")
        await back(o)
        assert o.announced == []
        o.store.write_late()
        await failed(o, "d")
        await back(o)
        assert await o.seen() == ["a", "b", "c"]
        assert [announcement.event for announcement in o.announced] == [ItemsAdded((plan("c"),), 2)]
        assert (await asyncio.wait_for(o.add("e"), SECONDS)).revision == 2
        assert await o.seen() == ["a", "b", "c", "e"]


async def test_a_change_that_was_not_sent_by_this_owner_ends_its_term() -> None:
    async with scripted_term("ab") as o:
        o.store.moved_by(QueueStarted("somebody else"))
        await failed(o, "c")
        with pytest.raises(OwnershipLost):
            await asyncio.wait_for(o.work, SECONDS)
        assert o.announced == []


async def test_a_store_that_goes_away_again_while_it_is_read_is_waited_for_again() -> None:
    async with scripted_term("ab") as o:
        o.store.load_faults = [StoreDown("again", fate_known=True)] * 3
        o.store.fail(fate_known=False, writes=True)
        await failed(o, "c")
        await back(o)
        assert await o.seen() == ["a", "b", "c"]


async def test_when_the_log_was_cut_the_record_is_loaded_without_the_news() -> None:
    async with scripted_term("ab") as o:
        o.store.events_gone = True
        o.store.fail(fate_known=False, writes=True)
        await failed(o, "c")
        await back(o)
        assert (await o.seen(), o.announced) == (["a", "b", "c"], [])


@pytest.mark.parametrize("replaced", ["another store", "an older state"])
async def test_a_store_that_is_not_the_one_that_went_away_ends_the_term(replaced: str) -> None:
    async with scripted_term("ab") as o:
        await asyncio.wait_for(o.add("c"), SECONDS)
        o.store.up.clear()
        o.store.fail(fate_known=True)
        await failed(o, "d")
        if replaced == "another store":
            o.store.stored.store_id = "another"
        else:
            o.store.stored.revisions = type(o.store.stored.revisions)()
        o.store.up.set()
        with pytest.raises(OwnershipLost):
            await asyncio.wait_for(o.work, SECONDS)
        with pytest.raises(NotReady):
            await o.add("e")


async def test_lost_ownership_ends_the_ledger_and_takes_everything_back() -> None:
    async with scripted_term("ab") as o:
        before = state(o.record)
        o.store.faults.append((OwnershipLost(), False))
        first = await o.hold_commit("c")
        second, reading = o.add("d"), asyncio.create_task(o.seen())
        await next_turn()
        o.store.may_go_on.set()
        with pytest.raises(OwnershipLost):
            await asyncio.wait_for(o.work, SECONDS)
        for task in (first, second):
            with pytest.raises(NotReady):
                await asyncio.wait_for(task, SECONDS)
        assert await reading == ["a", "b"]
        assert state(o.record) == before
        assert (o.announced, uids(o.store.stored)) == ([], ["a", "b"])


async def test_a_ledger_that_is_cancelled_in_a_commit_leaves_nobody_waiting() -> None:
    async with scripted_term("ab") as o:
        first = await o.hold_commit("c")
        second, reading = o.add("d"), asyncio.create_task(o.seen())
        await next_turn()
        o.work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(o.work, SECONDS)
        # Nobody knows whether the first one is stored: it must not be told that nothing was done.
        await asyncio.wait({first}, timeout=SECONDS)
        assert first.cancelled()
        with pytest.raises(NotReady):
            await asyncio.wait_for(second, SECONDS)
        assert await asyncio.wait_for(reading, SECONDS) == ["a", "b"]


async def test_a_ledger_that_is_cancelled_while_the_store_is_away_lets_go_of_those_who_wait_for_it() -> None:
    async with scripted_term("ab") as o:
        o.store.up.clear()
        o.store.fail(fate_known=True)
        await failed(o, "c")
        waiting = asyncio.create_task(back(o))
        await next_turn()
        o.work.cancel()
        await asyncio.wait_for(waiting, SECONDS)


async def test_while_somebody_else_finds_the_store_silent_edits_are_refused_with_certainty_and_reads_answered() -> None:
    async with scripted_term("ab") as o:
        await next_turn()
        o.ledger.storage_seen(SILENT)
        assert "Nothing was changed" in (await failed(o, "c")).message
        assert (await o.seen(), o.store.commits, o.ledger.storage_back.is_set()) == (["a", "b"], [], False)
        for _ in range(2):
            o.ledger.storage_seen(None)
        await back(o)
        assert (await asyncio.wait_for(o.add("d"), SECONDS)).revision == 1
        assert o.storage == [False, True]


async def test_a_commit_that_succeeds_shows_that_the_store_is_back() -> None:
    async with scripted_term("ab") as o:
        adding = await o.hold_commit("c")
        o.ledger.storage_seen(SILENT)
        o.store.may_go_on.set()
        await asyncio.wait_for(adding, SECONDS)
        assert o.storage == [False, True]
        await asyncio.wait_for(o.add("d"), SECONDS)


async def test_a_store_that_answers_somebody_else_is_not_back_before_the_record_is_loaded() -> None:
    async with scripted_term("ab") as o:
        o.store.up.clear()
        o.store.fail(fate_known=False, writes=True)
        await failed(o, "c")
        o.ledger.storage_seen(None)
        assert (o.ledger.storage_up, o.ledger.storage_back.is_set()) == (False, False)
        o.store.up.set()
        await back(o)
        assert (await o.seen(), o.storage) == (["a", "b", "c"], [False, True])


async def test_events_are_read_from_the_store_or_refused_while_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_term("ab") as o:
        await asyncio.wait_for(o.add("c"), SECONDS)
        (stored,) = await o.ledger.events_between(0, 1)
        (announced,) = o.announced
        assert (stored.kind, stored.wire) == (announced.kind, at_once(event_bytes(announced)))

        async def away(_after: int, _up_to: int) -> list[object]:
            raise StoreDown("scripted", fate_known=True)

        monkeypatch.setattr(o.store, "events_between", away)
        with pytest.raises(StorageUnavailable):
            await o.ledger.events_between(0, 1)


async def test_who_was_refused_because_of_a_lock_that_could_not_be_stored_is_told_that() -> None:
    async with scripted_term("ab") as o:
        first = await o.hold_commit("c")
        claim = Claim(environment=False, queue=True, user="anna", note="", time=o.clock)
        lock = o.submit(lambda record: acquire(record, claim, LockKey("key"), Identity("uid", b"s" * 16)))
        guarded = replace(NO_REPLY, guard=Guard(environment=False, queue=True))
        refused = o.submit(lambda record: remove_item(record, ByUid("a")), guarded)
        await next_turn()
        o.store.up.clear()
        o.store.faults = [(None, True), (StoreDown("scripted", fate_known=True), False)]  # type: ignore[list-item] # no fault
        o.store.may_go_on.set()
        await asyncio.wait_for(first, SECONDS)
        for task in (lock, refused):
            with pytest.raises(StorageUnavailable):
                await asyncio.wait_for(task, SECONDS)
        assert o.record.lock is None


async def test_who_comes_after_a_lock_in_the_same_commit_is_refused_and_who_only_checks_is_not() -> None:
    async with scripted_term("ab") as o:
        first = await o.hold_commit("c")
        claim = Claim(environment=False, queue=True, user="anna", note="", time=o.clock)
        lock = o.submit(lambda record: acquire(record, claim, LockKey("key"), Identity("uid", b"s" * 16)))
        guarded = replace(NO_REPLY, guard=Guard(environment=False, queue=True))
        refused = o.submit(lambda record: remove_item(record, ByUid("a")), guarded)
        free = o.submit(lambda record: remove_item(record, ByUid("b")))
        with_key = replace(guarded, guard=Guard(environment=False, queue=True, key=LockKey("key")))
        done = o.submit(lambda record: remove_item(record, ByUid("c")), with_key)
        o.store.may_go_on.set()
        await asyncio.wait_for(asyncio.gather(first, lock, free, done), SECONDS)
        with pytest.raises(Locked):
            await asyncio.wait_for(refused, SECONDS)
        assert await o.seen() == ["a"]
