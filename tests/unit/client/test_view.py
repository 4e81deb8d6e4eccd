from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st
from queueserver_client import (
    ExitStatus,
    Item,
    ItemAdded,
    ItemFinished,
    ItemMoved,
    ItemRemoved,
    ItemsAdded,
    ItemsMoved,
    ItemStarted,
    ItemUpdated,
    QueueCleared,
    QueueView,
    RunningItem,
    Snapshot,
)

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def item(uid: int) -> Item:
    return Item("count", uid=str(uid))


def snapshot(*uids: int) -> Snapshot:
    return Snapshot(1, None, [item(uid) for uid in uids], None, [], [], [])


def test_a_running_item_leaves_the_list_and_an_ended_one_is_gone() -> None:
    view = QueueView.from_snapshot(snapshot(1, 2))
    running = RunningItem(item(1), "x", NOW)
    view.apply(ItemStarted(2, NOW, running))
    assert ([i.uid for i in view.items], view.running) == (["2"], running)
    assert view.has("1")
    view.apply(ItemFinished(3, NOW, "1", "x", ExitStatus.COMPLETED, ""))
    assert view.running is None
    assert not view.has("1")
    assert view.revision == 3


def test_several_items_are_inserted_next_to_each_other() -> None:
    view = QueueView.from_snapshot(snapshot(1, 2))
    view.apply(ItemsAdded(2, NOW, [item(3), item(4)], 1))
    assert [i.uid for i in view.items] == ["1", "3", "4", "2"]


def test_a_snapshot_replaces_everything() -> None:
    view = QueueView.from_snapshot(snapshot(1, 2))
    view.apply(snapshot(7))
    assert [i.uid for i in view.items] == ["7"]


@given(st.lists(st.tuples(st.sampled_from("armMuc"), st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_the_view_stays_equal_to_the_list_it_is_told_about(edits: list[tuple[str, int, int]]) -> None:
    truth: list[str] = []
    view = QueueView.from_snapshot(snapshot())
    for number, (edit, first, second) in enumerate(edits):
        if edit == "a":
            index = min(first, len(truth))
            truth.insert(index, str(number))
            view.apply(ItemAdded(number, NOW, item(number), index))
        elif edit == "c" and first == 0:
            view.apply(QueueCleared(number, NOW, len(truth)))
            truth.clear()
        elif truth and edit == "r":
            index = first % len(truth)
            view.apply(ItemRemoved(number, NOW, truth.pop(index), index))
        elif truth and edit == "m":
            source, target = first % len(truth), second % len(truth)
            uid = truth.pop(source)
            truth.insert(target, uid)
            view.apply(ItemMoved(number, NOW, uid, source, target))
        elif truth and edit == "M":
            moved = truth[first : first + second][::-1]
            truth = [uid for uid in truth if uid not in moved]
            index = min(second, len(truth))
            truth[index:index] = moved
            view.apply(ItemsMoved(number, NOW, moved, index))
        elif truth and edit == "u":
            index = first % len(truth)
            view.apply(ItemUpdated(number, NOW, truth[index], item(number), index))
            truth[index] = str(number)
        assert [i.uid for i in view.items] == truth
