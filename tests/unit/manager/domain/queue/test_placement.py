"""Where items go: the tables of positions that people know, and Python's own list as the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain.queue import placement as pl
from queueserver_manager.domain.queue.queue_edits import add_items, move_item
from queueserver_manager.domain.refusals.errors import ItemNotFound, ItemRunning, PositionOutOfRange

from tests.unit.manager.samples import ROOM, carry_out, plan, record_of, relaxed, uids


def added(position: pl.Position, queue: str = "abcde", running_uid: str = "") -> str:
    record = record_of(queue, running_uid=running_uid)
    decision = add_items(record, [plan("X")], position, ROOM)
    carry_out(record, decision)
    result = "".join(uids(record))
    assert decision.result.index == result.index("X")
    return result


def moved(source: pl.Address, destination: pl.Position) -> str:
    record = record_of("abcde")
    decision = move_item(record, source, destination)
    carry_out(record, decision)
    item, placed = decision.result
    assert record.queue.index_of(item.uid) == placed.index
    return "".join(uids(record))


@pytest.mark.parametrize(
    ("position", "result"),
    [
        (pl.Front(), "Xabcde"),
        (pl.Back(), "abcdeX"),
        (pl.AtIndex(0), "Xabcde"),
        (pl.AtIndex(1), "aXbcde"),
        (pl.AtIndex(2), "abXcde"),
        (pl.AtIndex(4), "abcdXe"),
        (pl.AtIndex(5), "abcdeX"),
        (pl.AtIndex(99), "abcdeX"),
        (pl.AtIndex(-1), "abcdXe"),
        (pl.AtIndex(-2), "abcXde"),
        (pl.AtIndex(-5), "Xabcde"),
        (pl.AtIndex(-6), "Xabcde"),
        (pl.AtIndex(-(2**31)), "Xabcde"),
        (pl.BeforeItem("a"), "Xabcde"),
        (pl.BeforeItem("d"), "abcXde"),
        (pl.AfterItem("a"), "aXbcde"),
        (pl.AfterItem("e"), "abcdeX"),
    ],
)
def test_a_new_item_goes_where_the_table_says(position: pl.Position, result: str) -> None:
    assert added(position) == result


@relaxed
@given(st.integers(0, 8), st.integers(-12, 12))
def test_an_index_for_a_new_item_means_what_it_means_to_a_python_list(size: int, index: int) -> None:
    queue = "abcdefgh"[:size]
    model = list(queue)
    model.insert(index, "X")
    assert added(pl.AtIndex(index), queue) == "".join(model)


def test_behind_the_running_item_is_the_front_of_the_queue() -> None:
    assert added(pl.AfterItem("r"), running_uid="r") == "Xabcde"
    assert added(pl.AfterItem("r"), queue="", running_uid="r") == "X"


def test_nothing_can_be_put_in_front_of_the_running_item() -> None:
    with pytest.raises(ItemRunning, match="stop it"):
        added(pl.BeforeItem("r"), running_uid="r")


@pytest.mark.parametrize("position", [pl.BeforeItem("z"), pl.AfterItem("z")])
def test_nothing_can_be_put_beside_an_item_that_is_not_there(position: pl.Position) -> None:
    with pytest.raises(ItemNotFound, match="no item 'z' in the queue"):
        added(position)


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        (pl.AtIndex(1), pl.AtIndex(3), "acdbe"),
        (pl.AtIndex(0), pl.AtIndex(-1), "bcdea"),
        (pl.AtIndex(0), pl.AtIndex(-2), "bcdae"),
        (pl.AtIndex(4), pl.AtIndex(-2), "abced"),
        (pl.AtIndex(2), pl.AtIndex(2), "abcde"),
        (pl.AtIndex(2), pl.Front(), "cabde"),
        (pl.AtIndex(2), pl.Back(), "abdec"),
        (pl.Front(), pl.Back(), "bcdea"),
        (pl.Back(), pl.Front(), "eabcd"),
        (pl.AtIndex(-2), pl.Front(), "dabce"),
        (pl.ByUid("b"), pl.BeforeItem("e"), "acdbe"),
        (pl.ByUid("b"), pl.AfterItem("e"), "acdeb"),
        (pl.ByUid("e"), pl.BeforeItem("b"), "aebcd"),
        (pl.ByUid("e"), pl.AfterItem("b"), "abecd"),
        (pl.ByUid("c"), pl.BeforeItem("d"), "abcde"),
        (pl.ByUid("c"), pl.AfterItem("b"), "abcde"),
        (pl.ByUid("c"), pl.BeforeItem("c"), "abcde"),
        (pl.ByUid("c"), pl.AfterItem("c"), "abcde"),
    ],
)
def test_a_moved_item_ends_where_the_table_says(source: pl.Address, destination: pl.Position, result: str) -> None:
    assert moved(source, destination) == result


@relaxed
@given(st.integers(0, 4), st.integers(-5, 4))
def test_the_destination_of_a_move_is_the_index_afterwards(source: int, destination: int) -> None:
    model = list("abcde")
    item = model.pop(source)
    model.insert(destination % 5, item)
    assert moved(pl.AtIndex(source), pl.AtIndex(destination)) == "".join(model)


@pytest.mark.parametrize("index", [5, -6, 2**31 - 1, -(2**31)])
def test_a_move_to_or_from_an_index_out_of_range_is_refused(index: int) -> None:
    with pytest.raises(PositionOutOfRange, match="indices -5 to 4"):
        moved(pl.AtIndex(0), pl.AtIndex(index))
    with pytest.raises(PositionOutOfRange, match=f"no item at index {index}"):
        moved(pl.AtIndex(index), pl.Front())


def test_a_move_that_leaves_an_item_where_it_is_changes_nothing() -> None:
    decision = move_item(record_of("abc"), pl.ByUid("b"), pl.AfterItem("a"))
    assert (list(decision.changes), list(decision.events)) == ([], [])


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        (pl.ByUid("r"), pl.Front()),
        (pl.ByUid("a"), pl.AfterItem("r")),
        (pl.ByUid("a"), pl.BeforeItem("r")),
    ],
)
def test_the_running_item_is_refused_as_source_and_as_destination(source: pl.Address, destination: pl.Position) -> None:
    with pytest.raises(ItemRunning, match="being executed"):
        move_item(record_of("abc", running_uid="r"), source, destination)


@pytest.mark.parametrize(("source", "destination"), [("z", "a"), ("a", "z")])
def test_a_move_of_or_beside_an_unknown_item_is_refused(source: str, destination: str) -> None:
    with pytest.raises(ItemNotFound, match="'z'"):
        move_item(record_of("abc"), pl.ByUid(source), pl.BeforeItem(destination))


@pytest.mark.parametrize(
    ("address", "index"),
    [(pl.Front(), 0), (pl.Back(), 2), (pl.AtIndex(1), 1), (pl.AtIndex(-3), 0), (pl.ByUid("c"), 2)],
)
def test_an_address_leads_to_an_item(address: pl.Address, index: int) -> None:
    assert pl.address_index(record_of("abc"), address) == index


@pytest.mark.parametrize("address", [pl.Front(), pl.Back(), pl.AtIndex(0), pl.AtIndex(-1)])
def test_an_empty_queue_has_nothing_to_address(address: pl.Address) -> None:
    with pytest.raises(PositionOutOfRange, match="The queue is empty"):
        pl.address_index(record_of(""), address)
