"""Garbage collection in small steps: what one looks at does not grow with what a process holds."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from queueserver_long_work.gc_policy import IncrementalCollection, settle


class Ring:
    """An object that refers to itself: only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def steps() -> Iterator[IncrementalCollection]:
    small_steps = IncrementalCollection()
    settle()
    yield small_steps
    small_steps.close()


@pytest.mark.usefixtures("steps")
def test_a_full_collection_comes_early_and_looks_only_at_what_is_new() -> None:
    full = gc.get_stats()[2]["collections"]
    held = [[number] for number in range(100_000)]
    assert gc.get_stats()[2]["collections"] > full
    # All but the newest are out of the collector's sight.
    assert len(gc.get_objects(2)) < len(held) // 2
    assert gc.get_freeze_count() > len(held) // 2


def test_garbage_that_was_set_aside_is_freed_at_rest(steps: IncrementalCollection) -> None:
    ring = Ring()
    seen = weakref.ref(ring)
    for _ in range(20):
        gc.collect()
    del ring
    gc.collect()
    assert seen() is not None
    steps.rest()
    assert seen() is None


@pytest.mark.usefixtures("steps")
def test_garbage_that_was_set_aside_is_freed_without_a_rest_when_it_is_very_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("queueserver_long_work.gc_policy._MOST", 5)
    ring = Ring()
    seen = weakref.ref(ring)
    gc.collect()
    del ring
    for _ in range(6):
        gc.collect()
    assert seen() is None


def test_a_rest_after_little_work_costs_nothing(steps: IncrementalCollection) -> None:
    gc.collect()
    full = gc.get_stats()[2]["collections"]
    steps.rest()
    assert gc.get_stats()[2]["collections"] == full


def test_the_collector_works_as_before_when_small_steps_are_closed() -> None:
    before = gc.get_threshold(), list(gc.callbacks)
    steps = IncrementalCollection()
    settle()
    steps.close()
    assert (gc.get_threshold(), gc.callbacks, gc.get_freeze_count()) == (*before, 0)
