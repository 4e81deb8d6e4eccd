"""The status board: as few new statuses as possible, and each that is different."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.lifecycle import ManagerState
from queueserver_manager.operations.status import StatusBoard, StatusFacts


class Desk:
    """Knows the facts, counts how often it is asked, and hears of each new status."""

    def __init__(self) -> None:
        self.facts = StatusFacts(state=ManagerState.IDLE)
        self.asked = 0
        self.heard: list[StatusFacts] = []
        self.board = StatusBoard(lambda: 5.0)
        self.board.listen(self.heard.append)

    def collect(self) -> StatusFacts:
        self.asked += 1
        return self.facts


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    desk.board.collect_from(desk.collect)
    await next_turn()
    desk.heard.clear()
    desk.asked = 0
    return desk


def test_before_anybody_knows_the_facts_the_manager_is_initializing() -> None:
    facts = StatusBoard(lambda: 5.0).facts
    assert (facts.time, facts.state, facts.is_owner) == (5.0, ManagerState.INITIALIZING, False)


async def test_whoever_knows_the_facts_is_asked_at_once() -> None:
    desk = Desk()
    desk.board.collect_from(desk.collect)
    await next_turn()
    assert desk.heard == [desk.facts]
    assert desk.board.facts is desk.facts


async def test_several_changes_in_one_turn_become_one_status(desk: Desk) -> None:
    for size in (1, 2, 3):
        desk.facts = replace(desk.facts, items_in_queue=size)
        desk.board.changed()
    assert desk.heard == []
    await next_turn()
    assert [facts.items_in_queue for facts in desk.heard] == [3]
    assert desk.asked == 1


async def test_changes_in_two_turns_become_two_statuses(desk: Desk) -> None:
    for size in (1, 2):
        desk.facts = replace(desk.facts, items_in_queue=size)
        desk.board.changed()
        await next_turn()
    assert [facts.items_in_queue for facts in desk.heard] == [1, 2]


async def test_a_status_that_differs_in_its_time_only_is_not_told(desk: Desk) -> None:
    desk.facts = replace(desk.facts, time=99.0)
    desk.board.changed()
    await next_turn()
    assert (desk.heard, desk.asked) == ([], 1)


async def test_who_does_not_listen_any_more_is_not_told(desk: Desk) -> None:
    others: list[StatusFacts] = []
    listener = others.append
    desk.board.listen(listener)
    desk.board.unlisten(listener)
    desk.board.unlisten(listener)
    desk.facts = replace(desk.facts, items_in_queue=1)
    desk.board.changed()
    await next_turn()
    assert (len(desk.heard), others) == (1, [])


async def test_a_listener_may_leave_while_it_is_told(desk: Desk) -> None:
    def leave(_: StatusFacts) -> None:
        desk.board.unlisten(leave)

    desk.board.listen(leave)
    desk.board.listen(last := desk.heard.append)
    desk.facts = replace(desk.facts, items_in_queue=1)
    desk.board.changed()
    await next_turn()
    desk.board.unlisten(last)
    assert len(desk.heard) == 2


async def test_a_step_that_the_table_does_not_have_is_logged_as_a_defect(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for state in (ManagerState.STARTING_QUEUE, ManagerState.EXECUTING_QUEUE, ManagerState.CREATING_ENVIRONMENT):
            desk.facts = replace(desk.facts, state=state)
            desk.board.changed()
            await next_turn()
    assert [record.message for record in caplog.records] == [
        "unexpected transition from EXECUTING_QUEUE to CREATING_ENVIRONMENT"
    ]
