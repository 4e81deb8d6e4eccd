"""Requests with an id: the first answer is the only one, whatever happens in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain import requests as rq
from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.queue_edits import Placed, add_items, clear_queue
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import RequestIdReused, RevisionMismatch, StorageUnavailable
from queueserver_manager.operations.commit.commit_batch import Decide
from queueserver_manager.operations.commit.prepared_decisions import submit_prepared
from queueserver_manager.operations.commit.reply import ReplySpec

from tests.unit.manager.samples import NOW, ROOM, plan, record_of, relaxed, request, state, uids
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term


def encode(result: Any, revision: int) -> bytes:
    return f"{result} at {revision}".encode()


def reply(
    request_id: str = "id", fingerprint: str = "print", expected: int = 0, *, validate: bool = False
) -> ReplySpec[Any]:
    return ReplySpec(encode, request_id, fingerprint, expected, validate)


def add(o: ScriptedTerm, uid: str, answer: ReplySpec[Any]) -> asyncio.Task[Any]:
    """Add an item to the back; the answer is its index and the revision."""

    def decide(record: Record) -> Decision[int]:
        decision: Decision[Placed] = add_items(record, [plan(uid)], Back(), ROOM)
        return Decision(decision.result.index, decision.changes, decision.events)

    return o.submit(decide, answer)


async def answered(task: asyncio.Task[Any]) -> bytes:
    found: bytes = (await asyncio.wait_for(task, SECONDS)).answer
    return found


async def test_a_repeated_request_gets_the_first_answer_and_changes_nothing() -> None:
    async with scripted_term("ab") as o:
        first = await answered(add(o, "c", reply()))
        await answered(add(o, "d", reply("other")))
        before = state(o.record)
        assert (first, await answered(add(o, "e", reply()))) == (b"2 at 1", b"2 at 1")
        assert state(o.record) == before
        assert uids(o.store.stored) == ["a", "b", "c", "d"]


async def test_a_repetition_needs_no_preparation_and_gets_the_first_answer() -> None:
    async with scripted_term("ab") as o:
        prepared: list[str] = []

        async def prepare() -> Decide[int]:
            prepared.append("once")
            return clear_queue

        answers = [await submit_prepared(o.ledger, reply(), prepare) for _ in range(2)]
        assert (answers, prepared) == ([b"2 at 1"] * 2, ["once"])
        with pytest.raises(RequestIdReused):
            await submit_prepared(o.ledger, reply(fingerprint="another"), prepare)
        assert prepared == ["once"]


async def test_a_repetition_that_comes_at_the_same_time_is_one_too() -> None:
    async with scripted_term("ab") as o:
        tasks = [add(o, uid, reply()) for uid in ("c", "d")]
        assert [await answered(task) for task in tasks] == [b"2 at 1", b"2 at 1"]
        assert (uids(o.record), o.store.commits) == (["a", "b", "c"], [[1]])


async def test_an_id_that_comes_back_with_other_content_is_refused() -> None:
    async with scripted_term("ab") as o:
        await answered(add(o, "c", reply()))
        before = state(o.record)
        with pytest.raises(RequestIdReused, match="id of its own"):
            await answered(add(o, "d", reply(fingerprint="another")))
        with pytest.raises(RequestIdReused):
            await o.ledger.recall(reply(fingerprint="another"))
        assert (state(o.record), o.store.commits) == (before, [[1]])


async def test_requests_without_an_id_are_all_carried_out() -> None:
    async with scripted_term() as o:
        for uid in "ab":
            await answered(add(o, uid, reply("")))
        assert (uids(o.record), o.record.requests) == (["a", "b"], {})
        assert await o.ledger.recall(reply("")) is None


async def test_a_request_that_changed_nothing_is_remembered_and_no_news() -> None:
    async with scripted_term("ab") as o:
        await answered(add(o, "c", reply("before")))
        assert await answered(o.submit(lambda _: Decision("nothing"), reply())) == b"nothing at 1"
        await answered(add(o, "d", reply("after")))
        assert await answered(o.submit(lambda _: Decision("again"), reply())) == b"nothing at 1"
        assert [announcement.revision for announcement in o.announced] == [1, 2]
        assert o.record.revisions.queue == 2


async def test_a_refused_request_is_not_remembered() -> None:
    async with scripted_term("ab") as o:
        await answered(add(o, "c", reply("first")))
        await answered(add(o, "d", reply("second")))
        with pytest.raises(RevisionMismatch):
            await answered(add(o, "e", reply("refused", expected=1)))
        assert list(o.record.requests) == ["first", "second"]


async def test_validation_answers_as_if_and_changes_nothing() -> None:
    async with scripted_term("ab") as o:
        await answered(add(o, "c", reply("before")))
        before = state(o.record)
        assert await answered(add(o, "d", reply(validate=True))) == b"3 at 1"
        assert (state(o.record), len(o.announced), o.store.commits) == (before, 1, [[1]])
        assert await answered(add(o, "d", reply())) == b"3 at 2"


async def test_an_edit_is_made_only_if_the_queue_is_as_expected() -> None:
    async with scripted_term("ab") as o:
        await answered(add(o, "c", reply("")))
        await answered(o.submit(lambda _: Decision("no edit"), reply("no edit")))
        assert await answered(add(o, "d", reply("", expected=1))) == b"3 at 2"
        before = state(o.record)
        with pytest.raises(
            RevisionMismatch, match=r"changed at revision 2, and this request expects revision 1"
        ) as caught:
            await answered(add(o, "e", reply(expected=1)))
        assert (caught.value.present, state(o.record)) == (2, before)


async def test_a_repetition_is_answered_although_its_own_edit_changed_the_queue() -> None:
    async with scripted_term("ab") as o:
        await answered(add(o, "x", reply("")))
        first = await answered(add(o, "c", reply(expected=1)))
        assert await answered(add(o, "c", reply(expected=1))) == first


async def test_answers_survive_the_manager() -> None:
    async with scripted_term("ab") as o:
        first = await answered(add(o, "c", reply()))
        stored = await o.store.load()
    async with scripted_term(record=stored) as after:
        assert await after.ledger.recall(reply()) == first
        assert await answered(add(after, "d", reply())) == first
        assert uids(after.record) == ["a", "b", "c"]


@pytest.mark.parametrize(("written", "queue"), [(False, ["c"]), (True, ["c"])])
async def test_after_a_failed_commit_a_repetition_is_carried_out_once(written: bool, queue: list[str]) -> None:
    async with scripted_term() as o:
        o.store.fail(fate_known=not written, writes=written)
        with pytest.raises(StorageUnavailable):
            await answered(add(o, "c", reply()))
        await asyncio.wait_for(o.ledger.storage_back.wait(), SECONDS)
        assert await o.ledger.recall(reply()) == (b"0 at 1" if written else None)
        assert await answered(add(o, "c", reply())) == b"0 at 1"
        assert uids(o.record) == uids(o.store.stored) == queue


async def test_an_answer_is_not_recalled_before_it_is_stored() -> None:
    async with scripted_term() as o:
        o.store.may_go_on.clear()
        first = add(o, "c", reply())
        await asyncio.wait_for(o.store.begun.wait(), SECONDS)
        recalled = asyncio.create_task(o.ledger.recall(reply()))
        await next_turn()
        assert not recalled.done()
        o.store.fail(fate_known=True)
        o.store.may_go_on.set()
        with pytest.raises(StorageUnavailable):
            await answered(first)
        assert await asyncio.wait_for(recalled, SECONDS) is None


async def test_old_answers_are_let_go_a_few_at_a_time_with_new_ones() -> None:
    async with scripted_term() as o:
        for number in range(6):
            await answered(add(o, f"{number}", reply(f"{number}")))
        o.clock = NOW + rq.KEPT_SECONDS
        await answered(add(o, "x", reply("x")))
        assert list(o.record.requests) == list(o.store.stored.requests) == ["4", "5", "x"]
        await answered(add(o, "y", reply("y")))
        assert list(o.record.requests) == list(o.store.stored.requests) == ["x", "y"]


async def test_answers_that_were_let_go_come_back_when_the_commit_fails() -> None:
    async with scripted_term() as o:
        for number in range(3):
            await answered(add(o, f"{number}", reply(f"{number}")))
        before = state(o.record)
        o.clock = NOW + rq.KEPT_SECONDS
        o.store.fail(fate_known=True)
        with pytest.raises(StorageUnavailable):
            await answered(add(o, "x", reply("x")))
        assert state(o.record) == before


@relaxed
@given(st.lists(st.floats(0, 9000), max_size=12).map(sorted), st.integers(0, 14))
def test_the_oldest_answers_go_when_they_are_old_or_too_many(ages: list[float], most: int) -> None:
    kept = rq.Requests(request(f"{i}", NOW - age) for i, age in enumerate(reversed(ages)))
    gone = kept.outdated(Bound(most, 10**9), NOW)
    assert list(gone) == list(kept)[: len(gone)]
    due = sum(1 for i, one in enumerate(kept.values()) if NOW - one.time >= rq.KEPT_SECONDS or i < len(kept) - most)
    assert len(gone) == min(4, due)


def test_a_clock_that_was_set_back_lets_nothing_go() -> None:
    assert rq.Requests([request("a", NOW + 99999)]).outdated(ROOM, NOW) == ()
    assert record_of([]).requests == {}
