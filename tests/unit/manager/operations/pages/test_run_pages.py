"""Runs of a plan in pages, while the plan goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver_long_work.work import at_once
from queueserver_manager.domain.queue.item import RunSummary
from queueserver_manager.domain.refusals.errors import PageTokenExpired, PageTokenInvalid
from queueserver_manager.operations.pages.run_pages import run_page
from queueserver_manager.wire.items import fill_runs, run_length
from queueserver_rpc.message_sizes import PART_BYTES

SHOWN = [(True, False), (True,), (False,)]


def run(number: int, *, is_open: bool = False, uid: str = "") -> RunSummary:
    return RunSummary(uid or f"run-{number}", number, is_open, "" if is_open else "success")


def page(
    runs: list[RunSummary], shown: tuple[bool, ...] = (True, False), size: int = 1000, token: str = ""
) -> tuple[list[RunSummary], str]:
    return at_once(run_page(runs, shown, size, token, run_length))


@given(st.lists(st.booleans(), max_size=30), st.sampled_from(SHOWN), st.integers(1, 10), st.data())
def test_pages_together_are_the_runs_that_were_asked_for_whatever_is_opened_meanwhile(
    states: list[bool], shown: tuple[bool, ...], size: int, data: st.DataObject
) -> None:
    runs = [run(number, is_open=is_open) for number, is_open in enumerate(states)]
    found, token = page(runs, shown, size)
    while token:
        runs += [run(len(runs), is_open=is_open) for is_open in data.draw(st.lists(st.booleans(), max_size=1))]
        part, token = page(runs, shown, size, token)
        assert 0 < len(part) <= size
        found += part
    # What is opened behind the last page is in no listing.
    expected = [one for one in runs if one.is_open in shown]
    assert found == expected[: len(found)]
    assert len(found) >= sum(is_open in shown for is_open in states)


def test_a_run_that_closes_between_two_pages_moves_no_other_one() -> None:
    runs = [run(number, is_open=True) for number in range(6)]
    first, token = page(runs, (True,), 2)
    runs[0] = run(0)
    second, token = page(runs, (True,), 2, token)
    assert [one.scan_id for one in (*first, *second)] == [0, 1, 2, 3]


def test_a_plan_with_very_many_runs_is_listed_in_pages_that_every_client_takes() -> None:
    runs = [run(number, uid=f"{number:036}") for number in range(50_000)]
    token, found = "", 0
    while True:
        part, token = page(runs, size=1000, token=token)
        found += len(part)
        if not token:
            break
    assert found == 50_000


def test_a_page_ends_at_the_length_of_a_part() -> None:
    runs = [run(number, uid="ü" * 100_000 + str(number)) for number in range(20)]
    part, token = page(runs)
    answer = pb.ListRunsResponse()
    fill_runs(answer.runs, part)
    assert PART_BYTES * 0.7 < answer.ByteSize() <= PART_BYTES
    assert token
    huge = [run(0, uid="x" * 2 * PART_BYTES), run(1)]
    assert [one.scan_id for one in page(huge)[0]] == [0]


@pytest.mark.parametrize("fields", [{}, {"scan_id": 2**62, "exit_status": "success"}, {"scan_id": -1, "is_open": True}])
def test_a_run_is_never_longer_than_it_counts(fields: dict[str, object]) -> None:
    one = RunSummary(**{"uid": "ü" * 50, "scan_id": None, "is_open": False, "exit_status": ""} | fields)  # type: ignore[arg-type]
    answer = pb.ListRunsResponse()
    fill_runs(answer.runs, [one])
    assert answer.ByteSize() <= run_length(one)


@pytest.mark.parametrize("other", [[], [run(7)], [run(number + 100) for number in range(9)]])
def test_the_rest_of_another_plans_runs_is_not_given(other: list[RunSummary]) -> None:
    _, token = page([run(number, uid="ü" * 100_000 + str(number)) for number in range(5)], size=2)
    assert len(token) < 50
    with pytest.raises(PageTokenExpired):
        page(other, token=token)


@pytest.mark.parametrize(
    "token", ["x", "1-1", *(f"runs-{rest}" for rest in ("0-1", "-1-1", "2", "2-", "-", "٣-1", "1.0-1", "1-1-1"))]
)
def test_a_token_that_was_not_made_here_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid):
        page([run(number) for number in range(5)], token=token)
