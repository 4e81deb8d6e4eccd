"""The verdict of the chaos tests finds each kind of fault, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from queueserver_client import ExitStatus, FailureCause, Item, Plan, QueueView
from queueserver_client.models.items import HistoryEntry, ItemResult, RunSummary

from tests.chaos.recorder import Progress, Recorder
from tests.chaos.told import Submission, Told
from tests.chaos.verdict import Rest, Traces, problems

LOST = ItemResult(ExitStatus.FAILED, FailureCause.WORKER_LOST, "The Worker died.")


def item(label: str, uid: str) -> Item:
    return replace(Plan("traced", "file", label), uid=uid)


def entry(number: int, label: str, uid: str, result: ItemResult | None = None, requeued: str = "") -> HistoryEntry:
    done = ItemResult(ExitStatus.COMPLETED, runs=(RunSummary(f"run of {uid}", 1, False, "success"),))
    return HistoryEntry(number, item(label, uid), f"execution of {uid}", result or done, requeued)


class World:
    """One item that was accepted, lost with the Worker, put back, and completed; another one that was removed."""

    def __init__(self) -> None:
        self.told = Told()
        self.told.submissions = {
            "c0-0": Submission("c0-0", 0, 0, uid="a"),
            "c0-1": Submission("c0-1", 0, 1, uid="c"),
            "c1-0": Submission("c1-0", 1, 0, uid="d", removed=True),
        }
        self.queue: list[Item] = []
        self.history = [entry(1, "c0-0", "a", LOST, "b"), entry(2, "c0-0", "b"), entry(3, "c0-1", "c")]
        self.traces = [
            *("begin c0-0 1", "begin c0-0 2", "run c0-0 2 run-of-b", "end c0-0 2"),
            *("begin c0-1 3", "run c0-1 3 run-of-c", "end c0-1 3"),
        ]
        self.seen: list[HistoryEntry] | None = None

    def problems(self, folder: Path) -> list[str]:
        file = folder / "traces"
        file.write_text("".join(f"{trace} {second}.0\n" for second, trace in enumerate(self.traces)))
        traces = Traces.read(file)
        traces.runs = {attempt: run.replace("-", " ") for attempt, run in traces.runs.items()}
        recorder = Recorder(Progress(), lambda _: None)
        recorder.history = self.history if self.seen is None else self.seen
        recorder.view = QueueView()
        recorder.view.items = list(self.queue)
        return problems(self.told, Rest(self.queue, self.history), traces, recorder)


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_wrong_where_everything_held(world: World, tmp_path: Path) -> None:
    assert world.problems(tmp_path) == []


def test_an_item_that_is_nowhere_is_lost(world: World, tmp_path: Path) -> None:
    world.told.submissions["c1-1"] = Submission("c1-1", 1, 1, uid="e")
    assert world.problems(tmp_path) == ["c1-1: accepted as e, and lost"]


def test_an_attempt_that_is_nowhere_is_lost(world: World, tmp_path: Path) -> None:
    world.history[2:] = [replace(entry(3, "c0-1", "c", LOST, "e"))]
    world.traces = world.traces[:5]
    assert world.problems(tmp_path) == ["c0-1: put back as e and lost: The Worker died."]


def test_a_second_execution_is_found_by_its_trace(world: World, tmp_path: Path) -> None:
    world.traces += ["begin c0-1 4"]
    assert world.problems(tmp_path) == ["c0-1: began 2 times, and the history has 1 executions"]


def test_a_second_execution_is_found_in_the_history(world: World, tmp_path: Path) -> None:
    world.history.append(entry(4, "c0-1", "f"))
    world.traces += ["begin c0-1 4", "run c0-1 4 run-of-f", "end c0-1 4"]
    assert "c0-1: attempt f follows c, which was put back as nothing" in world.problems(tmp_path)


def test_a_success_without_a_trace_is_found(world: World, tmp_path: Path) -> None:
    world.traces = world.traces[:-1]
    assert world.problems(tmp_path) == [
        "c0-1: execution execution of c is called completed, and left no trace of an end"
    ]


def test_a_removed_item_that_was_executed_is_found(world: World, tmp_path: Path) -> None:
    world.told.submissions["c0-1"].removed = True
    assert world.problems(tmp_path) == ["c0-1: completed, although a client was told that it is removed"]


def test_a_refused_item_that_is_there_is_found(world: World, tmp_path: Path) -> None:
    del world.told.submissions["c0-1"]
    found = world.problems(tmp_path)
    assert "c0-1 was refused, but is in the queue or in the history" in found
    assert "c0-1 left a trace, but was never accepted" in found


def test_a_changed_order_is_found(world: World, tmp_path: Path) -> None:
    world.told.submissions["c0-0"].number = 2
    assert world.problems(tmp_path) == ["c0-1 was submitted before c0-0, and executed after it"]


def test_a_watch_that_missed_something_is_found(world: World, tmp_path: Path) -> None:
    world.seen = world.history[1:]
    assert world.problems(tmp_path) == ["the watch saw the entries [2, 3] of the history, not [1, 2, 3]"]


def test_a_watch_that_saw_something_else_is_found(world: World, tmp_path: Path) -> None:
    world.seen = [*world.history[:2], replace(world.history[2], execution_id="another")]
    (found,) = world.problems(tmp_path)
    assert found.startswith("the watch saw as entry 3 of the history HistoryEntry(")


def test_a_success_that_is_attempted_again_is_found(world: World, tmp_path: Path) -> None:
    world.history[2:] = [replace(world.history[2], requeued_as_uid="f"), entry(4, "c0-1", "f")]
    world.traces += ["begin c0-1 4", "run c0-1 4 run-of-f", "end c0-1 4"]
    assert world.problems(tmp_path) == ["c0-1: execution execution of c was completed, and another attempt followed"]


def test_a_success_that_waits_in_the_queue_again_is_found(world: World, tmp_path: Path) -> None:
    world.history[2] = replace(world.history[2], requeued_as_uid="f")
    world.queue = [item("c0-1", "f")]
    assert world.problems(tmp_path) == ["c0-1: execution execution of c was completed, and another attempt followed"]
