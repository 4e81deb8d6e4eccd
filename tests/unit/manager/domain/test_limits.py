"""What is kept is bounded by bytes: the queue refuses, the history, answers and results let the oldest go."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain import requests as rq
from queueserver_manager.domain.changes import Decision, DropHistory, ForgetAnswers, RememberRequest
from queueserver_manager.domain.limits import MIB, Bound, in_words
from queueserver_manager.domain.queue.item import ExitStatus, Item
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.queue_edits import add_items, update_item
from queueserver_manager.domain.queue.queue_run import finish_item
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import AnswerNotKept, QueueFull, StorageUnavailable
from queueserver_manager.operations.commit.reply import ReplySpec

from tests.harness.wait import bounded
from tests.unit.manager.samples import (
    NOW,
    apply,
    carry_out,
    claim_context,
    entry,
    outcome,
    plan,
    relaxed,
    request,
    running,
    state,
    uids,
)
from tests.unit.manager.scripted_store import ScriptedTerm, scripted_term

#: Nothing is bounded by number here.
MANY = 10**6


def item(uid: str, size: int) -> Item:
    return replace(plan(uid), size=size)


def sized(*sizes: int) -> Record:
    """A queue of items of these sizes."""
    record = Record()
    for number, size in enumerate(sizes):
        record.queue.put(item(f"{number}", size), number)
    return record


def test_a_queue_takes_items_up_to_its_size_and_refuses_one_byte_more() -> None:
    record, bound = sized(40, 50), Bound(MANY, 100)
    carry_out(record, add_items(record, [item("fits", 10)], Back(), bound))
    assert record.queue.size == 100
    before = state(record)
    with pytest.raises(QueueFull, match=r"at most 100 bytes of items and has 100 bytes: run or remove some"):
        add_items(record, [item("over", 1)], Back(), bound)
    assert state(record) == before


def test_an_update_is_refused_when_it_makes_the_queue_too_large_and_never_when_it_does_not_grow() -> None:
    record, bound = sized(60, 60), Bound(MANY, 100)
    with pytest.raises(QueueFull):
        update_item(record, "0", replace(item("0", 61), name="scan"), bound)
    for size in (60, 1):
        carry_out(record, update_item(record, "0", replace(item("0", size), name=f"{size}"), bound))
    assert record.queue.size == 61


def test_an_item_that_goes_back_after_a_failure_is_never_refused() -> None:
    record = sized(100)
    record.running = running(item("r", 99))
    decision = finish_item(record, outcome("x-1", ExitStatus.FAILED), claim_context(), Bound(MANY, MANY))
    assert decision is not None
    carry_out(record, decision)
    with pytest.raises(QueueFull):
        add_items(record, [item("new", 1)], Back(), Bound(MANY, 150))
    assert record.queue.size == 199


@relaxed
@given(st.lists(st.integers(0, 50), max_size=9), st.integers(0, 50), st.integers(1, 9), st.integers(1, 120))
def test_the_newest_entries_that_have_room_stay_in_the_history(
    sizes: list[int], added: int, most: int, room: int
) -> None:
    record = Record()
    for number, size in enumerate(sizes, 1):
        record.history.add(replace(entry(number), size=size))
    record.running = running(plan("r"))
    decision = finish_item(record, outcome("x-1"), claim_context(), Bound(most, room), lambda _: added)
    assert decision is not None
    carry_out(record, decision)
    left = [one.size for one in record.history.slice(0, MANY)]
    assert left == [*sizes, added][len(sizes) + 1 - len(left) :]
    assert record.history.size == sum(left)
    assert len(left) == 1 or (len(left) <= most and sum(left) <= room)
    if len(left) <= len(sizes):
        one_more = [*sizes, added][len(sizes) - len(left) :]
        assert len(one_more) > most or sum(one_more) > room
    else:
        assert not any(isinstance(change, DropHistory) for change in decision.changes)


@relaxed
@given(st.lists(st.integers(0, 300), max_size=9), st.integers(0, 300), st.integers(0, 900))
def test_the_oldest_answers_are_let_go_until_the_new_one_has_room(sizes: list[int], added: int, room: int) -> None:
    record = Record()
    for number, size in enumerate(sizes):
        record.requests.put(request(f"{number}", answer=b"x" * size))
    before = state(record)
    new = request("new", answer=b"x" * added)
    gone = record.requests.overlong(Bound(MANY, room), new)
    changes = [RememberRequest(new), ForgetAnswers(tuple(one.without_answer() for one in gone))]
    undos = apply(record, changes)
    kept = [one for one in record.requests.values() if one.size]
    assert record.requests.size == sum(one.size for one in kept)
    assert record.requests.size <= max(room, new.size)
    assert list(record.requests) == [*(f"{number}" for number in range(len(sizes))), "new"], "all are still known"
    assert record.requests["new"] == new
    assert not gone or record.requests.size + gone[-1].size > room, "no more went than had to"
    for undo in reversed(undos):
        undo()
    assert state(record) == before


def test_a_short_answer_is_never_let_go() -> None:
    requests = rq.Requests([request("short", answer=b"x" * 64), request("long", answer=b"x" * 65)])
    assert [one.request_id for one in requests.overlong(Bound(MANY, 0), request("new"))] == ["long"]


async def test_a_repetition_whose_answer_was_let_go_is_told_so_and_not_carried_out() -> None:
    async with scripted_term(answers=Bound(MANY, 250)) as o:
        for uid in "abc":
            await add(o, uid)
        before = state(o.record)
        assert state(o.store.stored) == before
        with pytest.raises(AnswerNotKept, match="is not repeated"):
            await add(o, "a")
        with pytest.raises(AnswerNotKept):
            await o.ledger.recall(reply("a"))
        assert [(await add(o, uid)).answer for uid in "bc"] == [b"x" * 100] * 2
        assert (state(o.record), uids(o.record)) == (before, ["a", "b", "c"])


async def test_answers_come_back_when_the_commit_that_let_them_go_fails() -> None:
    async with scripted_term(answers=Bound(MANY, 250)) as o:
        for uid in "ab":
            await add(o, uid)
        before = state(o.record)
        o.store.fail(fate_known=True)
        with pytest.raises(StorageUnavailable):
            await add(o, "c")
        assert state(o.record) == before
        assert (await add(o, "a")).answer == b"x" * 100


def reply(uid: str) -> ReplySpec[Any]:
    return ReplySpec(lambda _result, _revision: b"x" * 100, uid, "print")


async def add(o: ScriptedTerm, uid: str) -> Any:
    """Add an item under its uid as request id; the answer has 100 bytes."""

    def decide(record: Record) -> Decision[Any]:
        return add_items(record, [plan(uid)], Back(), Bound(MANY, MANY))

    return await o.submit(decide, reply(uid))


def test_requests_are_known_by_time_in_any_order_of_loading() -> None:
    requests = rq.Requests(sorted([request("b", NOW + 1), request("a", NOW)], key=lambda one: one.time))
    assert list(requests) == ["a", "b"]


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1500, "1.465 KiB"), (256 * 2**20, "256 MiB"), (3 * 2**40, "3072 GiB")],
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert in_words(size) == words


async def test_a_commit_takes_no_further_decision_when_it_is_long() -> None:
    async with scripted_term() as o:
        tasks = [
            o.submit(lambda record, uid=uid: add_items(record, [item(uid, 3 * MIB)], Back(), Bound(MANY, 10**9)))
            for uid in "abcdefg"
        ]
        await bounded(asyncio.gather(*tasks))
        assert o.store.commits == [[1, 2, 3], [4, 5, 6], [7]]
