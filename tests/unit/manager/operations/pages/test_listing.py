"""Pages of the queue and of the history: nothing twice, nothing left out, all of one moment where promised."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_long_work.work import Work
from queueserver_manager.domain.limits import MIB, Bound
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.queue import Queue
from queueserver_manager.domain.queue.queue_edits import add_items, clear_history, clear_queue
from queueserver_manager.domain.refusals.errors import PageTokenExpired, PageTokenInvalid
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.history import HistoryOperations
from queueserver_manager.operations.pages.listing import QueueListings

from tests.harness.wait import bounded
from tests.unit.manager.samples import ROOM, plan, relaxed, whole
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

BAD_TOKENS = ["x", "-", "1-", "-1", "1-x", "x-1", "1-2-3", "²-1", "1.5-2", " 1-2", "9" * 5000, f"{'9' * 5000}-1"]


async def queue_pages(listings: QueueListings, size: int) -> list[list[str]]:
    pages, token = [], ""
    while True:
        page = await listings.page(size, token, whole)
        pages.append([item.uid for item in page.items])
        if not (token := page.next_token):
            return pages


async def history_pages(history: HistoryOperations, size: int, *, newest_first: bool) -> list[list[int]]:
    pages, token = [], ""
    while True:
        page = await history.page(size, token, whole, newest_first=newest_first)
        pages.append([entry.number for entry in page.entries])
        if not (token := page.next_token):
            return pages


def cut(everything: list[int], size: int) -> list[list[int]]:
    return [everything[start : start + size] for start in range(0, len(everything), size)] or [[]]


async def commit(o: ScriptedTerm, *new: str) -> None:
    await asyncio.wait_for(o.add(*new), SECONDS)


@relaxed
@given(st.integers(0, 12), st.integers(1, 14))
async def test_pages_together_are_the_queue(length: int, size: int) -> None:
    async with scripted_term("abcdefghijkl"[:length]) as o:
        pages = await queue_pages(QueueListings(o.ledger), size)
        assert pages == [
            list("abcdefghijkl"[start : min(start + size, length)]) for start in range(0, length, size)
        ] or [[]]


async def test_all_pages_show_the_moment_of_the_first() -> None:
    async with scripted_term("abcde") as o:
        listings = QueueListings(o.ledger)
        first = await listings.page(2, "", whole)
        await asyncio.wait_for(o.submit(clear_queue), SECONDS)
        await commit(o, "x")
        second = await listings.page(2, first.next_token, whole)
        third = await listings.page(2, second.next_token, whole)
        shown = [item.uid for page in (first, second, third) for item in page.items]
        assert shown == list("abcde")
        assert {page.listing.revision for page in (first, second, third)} == {0}
        assert {page.listing.size for page in (first, second, third)} == {5}
        assert third.next_token == ""
        assert [item.uid for item in (await listings.page(2, "", whole)).items] == ["x"]


async def test_a_page_can_be_asked_for_again_and_in_another_size() -> None:
    async with scripted_term("abcde") as o:
        listings = QueueListings(o.ledger)
        token = (await listings.page(1, "", whole)).next_token
        for size in (1, 2, 4, 9):
            assert [item.uid for item in (await listings.page(size, token, whole)).items] == list("bcde"[:size])


async def test_only_the_newest_listings_are_kept() -> None:
    async with scripted_term("abc") as o:
        listings = QueueListings(o.ledger)
        tokens = []
        for number in range(20):
            tokens.append((await listings.page(1, "", whole)).next_token)
            await commit(o, f"{number}")
        with pytest.raises(PageTokenExpired):
            await listings.page(1, tokens[0], whole)
        assert [item.uid for item in (await listings.page(1, tokens[-1], whole)).items] == ["b"]
        assert len(listings._kept) <= 16


async def test_listings_do_not_hold_more_than_a_bounded_part_of_what_is_gone() -> None:
    async with scripted_term() as o:
        listings, tokens = QueueListings(o.ledger), []
        for letters in ("ab", "cd", "ef"):
            items = [replace(plan(uid), size=40 * MIB) for uid in letters]
            await bounded(o.submit(lambda record, items=items: add_items(record, items, Back(), Bound(99, 10**9))))
            tokens.append((await listings.page(1, "", whole)).next_token)
            listings.queue_changed(o.record)
            assert len(listings._kept) == 1, "80 MiB went since the one before"
            await bounded(o.submit(clear_queue))
        await bounded(o.submit(lambda record: add_items(record, [plan("g")], Back(), ROOM)))
        assert [item.uid for item in (await listings.page(1, tokens[-1], whole)).items] == ["f"]
        listings.queue_changed(o.record)
        with pytest.raises(PageTokenExpired):
            await listings.page(1, tokens[-1], whole)


def test_the_queue_counts_what_was_taken_out_or_replaced() -> None:
    queue = Queue()
    for number in range(4):
        queue.put(replace(plan(f"{number}"), size=10), number)
    item = queue.at(0)
    queue.put(item, 99)
    assert (queue.size, queue.gone) == (40, 0), "a move leaves the item as it is"
    queue.put(replace(item, size=15), 100)
    queue.drop("1")
    assert (queue.size, queue.gone) == (35, 20)
    assert (queue.emptied().size, queue.emptied().gone) == (0, 55)


async def test_a_listing_of_one_page_is_not_kept() -> None:
    async with scripted_term("abc") as o:
        listings = QueueListings(o.ledger)
        assert (await listings.page(3, "", whole)).next_token == ""
        assert not listings._kept


@pytest.mark.parametrize("token", BAD_TOKENS, ids=lambda token: token[:9])
async def test_what_is_no_token_of_a_listing_is_refused(token: str) -> None:
    async with scripted_term("abc") as o:
        with pytest.raises((PageTokenInvalid, PageTokenExpired)):
            await QueueListings(o.ledger).page(1, token, whole)


@relaxed
@given(st.integers(0, 12), st.integers(1, 14), st.booleans())
async def test_pages_together_are_the_history_in_either_direction(length: int, size: int, newest_first: bool) -> None:
    async with scripted_term(done=length) as o:
        numbers = list(range(1, length + 1))
        pages = await history_pages(HistoryOperations(o.ledger), size, newest_first=newest_first)
        assert pages == cut(numbers[::-1] if newest_first else numbers, size)


@pytest.mark.parametrize(("newest_first", "rest"), [(False, [5, 6]), (True, [])])
async def test_entries_that_went_between_two_pages_are_passed_over(newest_first: bool, rest: list[int]) -> None:
    async with scripted_term(done=6) as o:
        history = HistoryOperations(o.ledger)
        first = await history.page(2, "", whole, newest_first=newest_first)
        await asyncio.wait_for(o.submit(lambda record: clear_history(record, keep_newest=2)), SECONDS)
        second = await history.page(2, first.next_token, whole, newest_first=newest_first)
        assert ([entry.number for entry in second.entries], second.next_token) == (rest, "")
        assert second.size == 2


async def test_clearing_answers_how_many_entries_went() -> None:
    async with scripted_term(done=6) as o:
        history = HistoryOperations(o.ledger)
        reply: ReplySpec[int] = ReplySpec(lambda removed, revision: f"{removed} at {revision}".encode())
        assert await history.clear(reply, keep_newest=0, up_to_item="done-4") == b"4 at 1"
        assert await history_pages(history, 10, newest_first=False) == [[5, 6]]


NUMBERS = ["x", "-1", "²", "1.5", " 1", "9" * 5000]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("token", [*NUMBERS, "1", "queue-1", "tasks-1", *(f"history-{number}" for number in NUMBERS)])
async def test_what_is_no_token_of_the_history_is_refused(token: str, newest_first: bool) -> None:
    async with scripted_term(done=3) as o:
        with pytest.raises(PageTokenInvalid):
            await HistoryOperations(o.ledger).page(1, token, whole, newest_first=newest_first)


async def test_a_token_of_the_history_in_one_order_is_none_in_the_other() -> None:
    async with scripted_term(done=3) as o:
        history = HistoryOperations(o.ledger)
        for newest_first in (False, True):
            token = (await history.page(1, "", whole, newest_first=newest_first)).next_token
            with pytest.raises(PageTokenInvalid):
                await history.page(1, token, whole, newest_first=not newest_first)


@pytest.mark.parametrize("number", ["4", "99", str(2**63)])
async def test_a_token_beyond_the_newest_entry_leads_to_what_there_is(number: str) -> None:
    async with scripted_term(done=3) as o:
        history = HistoryOperations(o.ledger)
        page = await history.page(2, f"newest-{number}", whole, newest_first=True)
        assert ([entry.number for entry in page.entries], page.next_token) == ([3, 2], "newest-1")
        page = await history.page(2, f"history-{number}", whole, newest_first=False)
        assert (list(page.entries), page.next_token) == ([], "")


def one_at_most(page: Sequence[Any]) -> Work[int]:
    """A page that has room for one."""
    yield
    return min(1, len(page))


async def test_a_page_has_as_many_items_as_fit_and_the_next_one_goes_on_there() -> None:
    async with scripted_term("abc") as o:
        listings = QueueListings(o.ledger)
        first = await listings.page(10, "", one_at_most)
        second = await listings.page(10, first.next_token, one_at_most)
        third = await listings.page(10, second.next_token, whole)
        assert [[item.uid for item in page.items] for page in (first, second, third)] == [["a"], ["b"], ["c"]]
        assert (third.next_token, first.listing.size) == ("", 3)
        listings.drop_all()
        with pytest.raises(PageTokenExpired):
            await listings.page(10, first.next_token, whole)


@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_page_of_the_history_has_as_many_entries_as_fit(newest_first: bool) -> None:
    async with scripted_term(done=3) as o:
        history, numbers, token = HistoryOperations(o.ledger), list[int](), ""
        while True:
            page = await history.page(10, token, one_at_most, newest_first=newest_first)
            numbers += [entry.number for entry in page.entries]
            if not (token := page.next_token):
                break
        assert numbers == ([3, 2, 1] if newest_first else [1, 2, 3])
