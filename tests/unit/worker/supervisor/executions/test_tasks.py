"""Excerpts of what was printed, and what is made of the results that an environment reports."""

from __future__ import annotations

import pytest
from queueserver.common.v1 import task_pb2
from queueserver.common.v1.task_pb2 import FunctionCall, Script, TaskResult
from queueserver.common.v1.value_pb2 import DataValue
from queueserver.worker.v1.worker_service_pb2 import EnvironmentUpdate, TaskCommand
from queueserver_protos.task_terms import kind_of
from queueserver_worker.supervisor.executions.results import MAX_EXCERPT, Excerpt
from queueserver_worker.supervisor.executions.tasks import RunningTask
from queueserver_worker.supervisor.process import failure

ROOM = 1_000_000


def excerpt_of(*pieces: str) -> str:
    excerpt = Excerpt()
    for piece in pieces:
        excerpt.add(piece)
    return excerpt.text


def running(**work: FunctionCall | Script | EnvironmentUpdate) -> RunningTask:
    return RunningTask(TaskCommand(task_uid="t", **work))  # type: ignore[arg-type] # a field's name and value


def test_a_short_text_is_kept_whole() -> None:
    assert excerpt_of() == ""
    assert excerpt_of("one\n", "two") == "one\ntwo"
    assert excerpt_of("x" * MAX_EXCERPT) == "x" * MAX_EXCERPT


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_a_long_text_is_cut_at_the_beginning_of_a_line(pieces: int) -> None:
    lines = "".join(f"line {number}\n" for number in range(1_000))
    step = len(lines) // pieces + 1
    text = excerpt_of(*(lines[begin : begin + step] for begin in range(0, len(lines), step)))
    assert lines.endswith("\n" + text)
    assert MAX_EXCERPT - len("line 999\n") <= len(text) <= MAX_EXCERPT


def test_a_text_without_lines_is_cut_anywhere() -> None:
    assert excerpt_of("x" * 5_000) == "x" * MAX_EXCERPT
    assert excerpt_of("x" * 5_000 + "\n") == "x" * (MAX_EXCERPT - 1) + "\n"
    assert excerpt_of("a\n" + "x" * (MAX_EXCERPT - 1) + "\n") == "x" * (MAX_EXCERPT - 1) + "\n"


def test_kinds_of_tasks_have_words() -> None:
    assert kind_of("function") == "Execute function"
    assert kind_of("script") == "Load script"
    assert kind_of("update") == "Update environment"


def test_a_success_has_neither_message_nor_traceback() -> None:
    reported = TaskResult(success=True, message="m", traceback="t", return_value=DataValue(integer=5))
    result = running(function=FunctionCall(name="f")).reported(reported, ROOM).result
    assert (result.message, result.traceback, result.return_value.integer) == ("", "", 5)
    assert result.HasField("start_time")
    assert result.HasField("stop_time")


def test_a_failure_has_a_message_and_no_value() -> None:
    reported = TaskResult(message="m" * 5_000, return_value=DataValue(integer=5))
    result = running(script=Script()).reported(reported, ROOM).result
    assert len(result.message) == 2_000
    assert not result.HasField("return_value")
    silent = running(script=Script()).reported(TaskResult(), ROOM).result
    assert silent.failure_cause == task_pb2.TASK_FAILURE_CAUSE_TASK_ERROR
    assert silent.message == "Error occurred while executing 'Load script': it did not say why."


def test_a_value_for_which_there_is_no_room_fails_the_task() -> None:
    reported = TaskResult(success=True, return_value=DataValue(text="x" * 100))
    result = running(function=FunctionCall(name="f")).reported(reported, 10).result
    assert not result.success
    assert "return value of 102 bytes could not be kept" in result.message


def test_a_task_that_is_lost_says_why_and_what_it_printed() -> None:
    task = running(update=EnvironmentUpdate())
    task.excerpt.add("last words\n")
    outcome = task.lost(failure.died("The environment is gone."))
    assert outcome.task_uid == "t"
    assert outcome.result.message == "Error occurred while executing 'Update environment': the environment is gone."
    assert outcome.result.failure_cause == task_pb2.TASK_FAILURE_CAUSE_ENVIRONMENT_LOST
    assert outcome.result.console_excerpt == "last words\n"
