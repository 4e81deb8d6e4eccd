"""Outcomes: on disk until they are acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.item_pb2 import ItemResult
from queueserver.common.v1.task_pb2 import TaskResult
from queueserver.common.v1.value_pb2 import DataValue
from queueserver.worker.v1.event_pb2 import ExecutionOutcome, TaskOutcome
from queueserver_worker.supervisor.executions.outcomes import MAX_TASK_BYTES, REMEMBERED, Outcomes
from queueserver_worker.supervisor.executions.state_directory import StateDirectory, StateDirectoryBusyError


@pytest.fixture
def outcomes(tmp_path: Path) -> Iterator[Outcomes]:
    store = Outcomes(StateDirectory(tmp_path))
    with closing(store.directory):
        yield store


def outcome(execution_id: str) -> ExecutionOutcome:
    result = ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED)
    return ExecutionOutcome(execution_id=execution_id, item_uid=f"item of {execution_id}", result=result)


def ids(store: Outcomes) -> list[str]:
    return [kept.execution_id for kept in store.waiting()]


@contextmanager
def again_in(store: Outcomes, directory: Path) -> Iterator[Outcomes]:
    again = reopened(store, directory)
    with closing(again.directory):
        yield again


def reopened(store: Outcomes, directory: Path) -> Outcomes:
    store.directory.close()
    return Outcomes(StateDirectory(directory))


def test_what_was_added_is_there_in_order_after_a_restart(outcomes: Outcomes, tmp_path: Path) -> None:
    added = [outcome(str(number)) for number in range(12)]
    for each in added:
        outcomes.add(each)
    with again_in(outcomes, tmp_path) as again:
        assert again.waiting() == added
        again.add(outcome("later"))
        assert ids(again)[-1] == "later"


def test_outcomes_of_tasks_are_kept_in_the_same_way(outcomes: Outcomes, tmp_path: Path) -> None:
    outcomes.add(outcome("execution"))
    outcomes.add(TaskOutcome(task_uid="task", result=TaskResult(success=True, return_value=DataValue(text="x" * 1000))))
    assert outcomes.room_for_values < MAX_TASK_BYTES - 1000
    with again_in(outcomes, tmp_path) as again:
        assert ids(again) == ["execution"]
        assert [kept.task_uid for kept in again.waiting_tasks()] == ["task"]
        assert again.room_for_values == outcomes.room_for_values
        assert again.knows("task")
        again.acknowledge(["task"])
        assert again.knows("task")
        assert again.room_for_values == MAX_TASK_BYTES
        assert not list(tmp_path.glob("*.task"))


def test_what_was_acknowledged_is_gone_but_recognised(outcomes: Outcomes, tmp_path: Path) -> None:
    outcomes.add(outcome("a"))
    outcomes.add(outcome("b"))
    outcomes.acknowledge(["a", "unknown"])
    assert ids(outcomes) == ["b"]
    assert outcomes.knows("a")
    assert outcomes.knows("b")
    assert not outcomes.knows("unknown")
    with again_in(outcomes, tmp_path) as again:
        assert ids(again) == ["b"]


def test_only_so_many_acknowledged_executions_are_recognised(outcomes: Outcomes) -> None:
    for number in range(REMEMBERED + 1):
        outcomes.add(outcome(str(number)))
        outcomes.acknowledge([str(number)])
    assert not outcomes.knows("0")
    assert outcomes.knows("1")


def test_acknowledging_everything_is_told(outcomes: Outcomes) -> None:
    assert outcomes.all_acknowledged.is_set()
    outcomes.add(outcome("a"))
    assert not outcomes.all_acknowledged.is_set()
    outcomes.acknowledge(["a"])
    assert outcomes.all_acknowledged.is_set()


@pytest.mark.parametrize("length", [0, 3, 4, 10])
def test_a_file_that_is_torn_is_put_aside(
    outcomes: Outcomes, tmp_path: Path, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes.add(outcome("whole"))
    outcomes.add(outcome("torn"))
    torn = max(tmp_path.glob("*.outcome"))
    torn.write_bytes(torn.read_bytes()[:length])
    with caplog.at_level(logging.WARNING), again_in(outcomes, tmp_path) as again:
        assert ids(again) == ["whole"]
    assert torn.name in caplog.text
    assert torn.with_suffix(".damaged").exists()


def test_a_file_that_was_not_finished_is_removed(outcomes: Outcomes, tmp_path: Path) -> None:
    unfinished = tmp_path / "000000000001.part"
    unfinished.write_bytes(b"abc")
    with again_in(outcomes, tmp_path) as again:
        assert ids(again) == []
    assert not unfinished.exists()


def test_a_disk_that_refuses_does_not_lose_the_outcome_of_a_living_worker(
    outcomes: Outcomes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "000000000001.part").mkdir()
    outcomes.add(outcome("a"))
    assert ids(outcomes) == ["a"]
    assert "kept in memory only" in caplog.text
    outcomes.acknowledge(["a"])
    assert ids(outcomes) == []


def test_two_workers_cannot_use_one_directory(outcomes: Outcomes, tmp_path: Path) -> None:
    assert ids(outcomes) == []
    with pytest.raises(StateDirectoryBusyError):
        StateDirectory(tmp_path)
