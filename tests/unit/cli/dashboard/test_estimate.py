"""When a plan will end, as `qserver watch` guesses."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_cli.dashboard.estimate import (
    MOST_LEAVES,
    Basis,
    Call,
    Earlier,
    Progress,
    call_of,
    comparable,
    durations,
    estimate,
)

seconds = st.floats(0, 1e6)
progresses = st.builds(
    Progress,
    elapsed=seconds,
    done=st.integers(0, 10_000),
    expected=st.none() | st.integers(0, 10_000),
    paces=st.lists(seconds, max_size=50),
    since_last=seconds,
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def call(*args: Any, **kwargs: Any) -> Call:
    found = call_of("scan", args, kwargs)
    assert found is not None
    return found


@given(progresses, st.lists(seconds, max_size=5))
def test_an_estimate_is_a_time_that_can_be(progress: Progress, earlier: list[float]) -> None:
    found = estimate(progress, earlier)
    if found is None:
        assert not earlier
    else:
        assert 0 <= found.remaining < math.inf
        assert found.total >= 0


@given(progresses)
def test_without_points_and_earlier_executions_there_is_no_estimate(progress: Progress) -> None:
    few = Progress(progress.elapsed, progress.done, progress.expected, progress.paces[:1], progress.since_last)
    unknown = Progress(progress.elapsed, progress.done, None, progress.paces, progress.since_last)
    assert estimate(few, []) is None
    assert estimate(unknown, []) is None


@given(st.floats(0.001, 1000), st.integers(2, 1000), st.data())
def test_points_at_a_steady_pace_end_on_time(pace: float, expected: int, data: st.DataObject) -> None:
    done = data.draw(st.integers(1, expected - 1))
    since = data.draw(st.floats(0, 1)) * pace
    found = estimate(Progress(done * pace + since, done, expected, [pace, pace], since), [1.0])
    assert found is not None
    assert found.basis is Basis.POINTS
    assert found.total == pytest.approx(expected * pace)


@given(st.floats(0.001, 1000), st.integers(2, 1000), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_point_that_takes_longer_never_brings_the_end_nearer(
    pace: float, left: int, sooner: float, later: float
) -> None:
    sooner, later = sorted((sooner, later))
    ends = [
        found.total
        for since in (sooner, later)
        if (found := estimate(Progress(since, 0, left, [pace, pace], since), [])) is not None
    ]
    assert len(ends) == 2
    assert ends[0] <= ends[1] + 1e-6


def test_before_its_own_points_tell_a_plan_takes_as_long_as_earlier_ones() -> None:
    found = estimate(Progress(elapsed=20, done=1, expected=10, paces=[2.0]), [50.0, 60.0, 1000.0])
    assert found is not None
    assert (found.basis, found.total, found.remaining) == (Basis.EARLIER, 60.0, 40.0)


def test_a_plan_that_takes_longer_than_ever_has_no_time_left() -> None:
    found = estimate(Progress(elapsed=100), [50.0, 60.0])
    assert found is not None
    assert (found.remaining, found.total) == (0.0, 55.0)


def test_the_same_call_is_preferred_to_similar_ones() -> None:
    earlier = [Earlier(call(["det"], 5), 10.0), Earlier(call(["det"], 6), 12.0), Earlier(call(["cam"], 5), 99.0)]
    assert comparable(call(["det"], 5), earlier) == earlier[:1]
    assert comparable(call(["det"], 7), earlier) == earlier[:2]
    assert comparable(call(["xyz"], 5), earlier) == []
    assert comparable(call(["det"], "5"), earlier) == []


def test_only_the_newest_executions_count() -> None:
    earlier = [Earlier(call(1), float(number)) for number in range(20)]
    assert [one.seconds for one in comparable(call(1), earlier)] == [15.0, 16.0, 17.0, 18.0, 19.0]


def test_twice_the_points_take_twice_as_long() -> None:
    short = Earlier(call(["det"], "motor", 0, 5, num=5), 10.0)
    assert durations(call(["det"], "motor", 0, 5, num=10), 10, [short]) == [20.0]
    # The stop of the scan is 10 as well, but it is the last one that is meant.
    assert durations(call(["det"], "motor", 0, 10, num=10), 10, [short]) == [20.0]
    assert durations(call(["det"], "motor", 0, 10, num=5), 5, [short]) == [10.0]
    assert durations(call(["det"], "motor", 0, 10, num=5), None, [short]) == [10.0]


@given(st.lists(values, max_size=4), st.dictionaries(st.text(max_size=3), values, max_size=4))
def test_a_call_is_similar_to_itself(args: list[Any], kwargs: dict[str, Any]) -> None:
    reordered = dict(reversed(kwargs.items()))
    found = call_of("scan", args, kwargs)
    assert found is not None
    assert found == call_of("scan", args, reordered)
    assert durations(found, None, comparable(found, [Earlier(found, 3.0)])) == [3.0]


def test_a_call_that_is_too_long_is_compared_with_nothing() -> None:
    assert call_of("scan", [0.0] * MOST_LEAVES, {}) is None
    nested: list[Any] = []
    for _ in range(MOST_LEAVES):
        nested = [nested]
    assert call_of("scan", nested, {}) is None
