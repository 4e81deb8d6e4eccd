"""What a client was shown is compared with what happened: each kind of wrong statement is found, and its length."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from queueserver_client import ConnectionState, ManagerRole

from tests.chaos.status_record import Shown
from tests.chaos.status_verdict import Kill, compare
from tests.chaos.verdict import Traces

UP, DOWN = ConnectionState.UP, ConnectionState.DOWN
#: One plan from 10 to 20, by the wall clock.
TRACES = Traces.of("begin c0-0 1 10.0\nend c0-0 1 20.0\n")


def shown(begin: float, end: float, running: str | None = None, history: int = 0, **other: Any) -> Shown:
    facts = {"role": ManagerRole.OWNER, "worker": UP, "storage": UP}
    status: Any = SimpleNamespace(running_item_uid=running, items_in_history=history, **{**facts, **other})
    return Shown(status, begin, end)


def longest(*said: Shown, kills: tuple[Kill, ...] = (), traces: Traces = TRACES) -> dict[str, float]:
    found = compare(said, traces, {"a": "c0-0", "b": "c0-1"}, kills)
    assert len(found.problems) == sum(seconds > 1.0 for seconds in found.longest.values())
    return {what: pytest.approx(seconds) for what, seconds in found.longest.items()}


def test_what_was_right_all_the_time_is_not_found() -> None:
    assert longest(shown(0, 10), shown(10, 20, "a"), shown(20, 30, history=1)) == {}


def test_an_item_that_is_said_to_run_too_early_or_too_long_or_in_the_place_of_another_one_is_found() -> None:
    assert longest(shown(9.5, 20, "a")) == {"that an item is running": 0.5}
    assert longest(shown(10, 15, "a"), shown(15, 22, "a")) == {
        "that an item is running": 2.0,
        "that the history is shorter": 2.0,
    }
    assert longest(shown(12, 15, "b")) == {"that an item is running": 3.0}


def test_a_plan_that_is_executed_while_nothing_is_said_to_run_is_found() -> None:
    assert longest(shown(0, 13), shown(13, 20, "a")) == {"that nothing is running": 3.0}


def test_an_attempt_that_began_while_the_worker_was_being_killed_ends_with_it() -> None:
    cut_short = Traces.of("begin c0-0 1 11.9\n")
    kill = Kill("worker", 12.0, 12.1)
    assert longest(shown(11.9, 12, "a"), shown(12.1, 30), kills=(kill,), traces=cut_short) == {}


def test_an_attempt_ends_when_the_worker_is_killed() -> None:
    cut_short = Traces.of("begin c0-0 1 10.0\n")
    kill = Kill("worker", 12.0, 12.1)
    assert longest(shown(10, 12, "a"), shown(12, 30), kills=(kill,), traces=cut_short) == {
        "that worker can be reached": 0.1
    }
    assert longest(shown(10, 15, "a"), kills=(kill,), traces=cut_short) == {
        "that an item is running": 3.0,
        "that worker can be reached": 0.1,
    }


@pytest.mark.parametrize("other", [{"worker": DOWN}, {"storage": DOWN}, {"role": ManagerRole.STANDBY}])
def test_who_knows_nothing_of_the_plan_now_makes_no_statement_about_it(other: dict[str, Any]) -> None:
    assert longest(shown(0, 30, **other)) == {}


def test_a_part_that_is_said_to_be_there_while_it_was_killed_is_found() -> None:
    kill = Kill("redis", 12.0, 14.0)
    said = [shown(10, 12.5, "a"), shown(12.5, 20, "a", storage=DOWN)]
    assert longest(*said, kills=(kill,)) == {"that redis can be reached": 0.5}
    assert longest(shown(10, 20, "a"), kills=(kill,)) == {"that redis can be reached": 2.0}


def test_nothing_is_said_without_a_connection() -> None:
    assert longest(shown(0, 10), shown(19.5, 19.9, "a")) == {}
