"""One execution: its runs, and the corrections to what the environment reports."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import document_pb2, item_pb2
from queueserver.common.v1.document_pb2 import RunDocument
from queueserver.common.v1.item_pb2 import ItemResult
from queueserver_worker.supervisor.executions.plan import MAX_RUNS, MAX_RUNS_BYTES, MAX_UID, RunningExecution
from queueserver_worker.supervisor.executions.results import MAX_NOTICE, MAX_NOTICES, MAX_TRACEBACK
from queueserver_worker.supervisor.process import failure

BEGIN = Timestamp(seconds=1_700_000_000)


def start(uid: str, scan_id: int | None = None) -> RunDocument:
    return RunDocument(start=document_pb2.RunStart(uid=uid, scan_id=scan_id))


def stop(uid: str, exit_status: str = "success") -> RunDocument:
    return RunDocument(stop=document_pb2.RunStop(run_start_uid=uid, exit_status=exit_status))


@pytest.fixture
def execution() -> RunningExecution:
    return RunningExecution("x", "i")


def test_runs_are_listed_in_order_of_opening_as_their_documents_tell(execution: RunningExecution) -> None:
    assert execution.see(start("a", 1))
    assert execution.see(start("b"))
    assert not execution.see(RunDocument(event=document_pb2.EventDocument(uid="e")))
    assert execution.see(stop("a", "abort"))
    runs = execution.lost(failure.died("gone")).result.runs
    assert [(run.run_uid, run.open, run.exit_status) for run in runs] == [("a", False, "abort"), ("b", True, "")]
    assert runs[0].scan_id == 1
    assert not runs[1].HasField("scan_id")


def test_documents_that_repeat_or_fit_no_run_change_nothing(execution: RunningExecution) -> None:
    execution.see(start("a"))
    execution.see(stop("a"))
    assert not execution.see(start("a"))
    assert not execution.see(stop("a", "fail"))
    assert not execution.see(stop("unknown"))
    assert [run.exit_status for run in execution.message.runs] == ["success"]


def test_the_list_of_runs_is_bounded(execution: RunningExecution) -> None:
    for number in range(MAX_RUNS + 5):
        execution.see(start(str(number)))
    assert len(execution.message.runs) == MAX_RUNS


@pytest.mark.parametrize(("uid", "listed"), [("{:036}", MAX_RUNS), ("é{:0198}", 3000)])
def test_the_list_of_runs_has_a_bounded_length_whatever_their_uids(
    execution: RunningExecution, uid: str, listed: int
) -> None:
    for number in range(MAX_RUNS + 5):
        document = start(uid.format(number))
        document.start.scan_id = 2**63 - 1
        execution.see(document)
        execution.see(stop(uid.format(number), "µ" * 10_000))
    assert execution.message.ByteSize() <= MAX_RUNS_BYTES + 1000
    assert len(execution.message.runs) >= listed


def test_a_run_with_an_absurd_uid_is_not_listed(execution: RunningExecution) -> None:
    assert not execution.see(start("x" * (MAX_UID + 1)))
    assert execution.see(start("x" * MAX_UID))
    assert execution.see(stop("x" * MAX_UID, "y" * 10_000))
    assert len(execution.message.runs) == 1
    assert execution.message.runs[0].exit_status == "y" * 20


def test_runs_that_the_environment_reports_are_not_believed(execution: RunningExecution) -> None:
    result = ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED)
    result.runs.add(run_uid="invented")
    assert not execution.reported(result).result.runs


@pytest.mark.parametrize(
    ("reported", "kept"),
    [
        (
            (item_pb2.EXIT_STATUS_COMPLETED, item_pb2.FAILURE_CAUSE_PLAN_ERROR),
            (item_pb2.EXIT_STATUS_COMPLETED, item_pb2.FAILURE_CAUSE_UNSPECIFIED),
        ),
        (
            (item_pb2.EXIT_STATUS_FAILED, item_pb2.FAILURE_CAUSE_NOT_STARTED),
            (item_pb2.EXIT_STATUS_FAILED, item_pb2.FAILURE_CAUSE_NOT_STARTED),
        ),
        (
            (item_pb2.EXIT_STATUS_FAILED, item_pb2.FAILURE_CAUSE_WORKER_LOST),
            (item_pb2.EXIT_STATUS_FAILED, item_pb2.FAILURE_CAUSE_PLAN_ERROR),
        ),
        (
            (item_pb2.EXIT_STATUS_UNSPECIFIED, item_pb2.FAILURE_CAUSE_UNSPECIFIED),
            (item_pb2.EXIT_STATUS_FAILED, item_pb2.FAILURE_CAUSE_PLAN_ERROR),
        ),
    ],
)
def test_status_and_cause_are_corrected_where_they_cannot_be(
    execution: RunningExecution,
    reported: tuple[item_pb2.ExitStatus.ValueType, item_pb2.FailureCause.ValueType],
    kept: tuple[item_pb2.ExitStatus.ValueType, item_pb2.FailureCause.ValueType],
) -> None:
    outcome = execution.reported(ItemResult(exit_status=reported[0], failure_cause=reported[1]))
    assert (outcome.result.exit_status, outcome.result.failure_cause) == kept


@pytest.mark.parametrize("wrong", [Timestamp(seconds=-5), Timestamp(seconds=10**12), Timestamp(seconds=5, nanos=-1)])
def test_times_that_are_none_are_replaced(execution: RunningExecution, wrong: Timestamp) -> None:
    execution.begin(wrong)
    result = execution.reported(ItemResult(start_time=wrong, stop_time=wrong)).result
    assert result.start_time.seconds > BEGIN.seconds
    assert result.stop_time.seconds > BEGIN.seconds


def test_a_plan_that_never_began_has_no_start_time(execution: RunningExecution) -> None:
    outcome = execution.lost(failure.died("gone"))
    assert not outcome.result.HasField("start_time")
    assert outcome.result.HasField("stop_time")


def test_a_long_traceback_keeps_its_end(execution: RunningExecution) -> None:
    result = ItemResult(exit_status=item_pb2.EXIT_STATUS_FAILED, traceback="x" * 1_000_000 + "ValueError")
    kept = execution.reported(result).result.traceback
    assert len(kept) == MAX_TRACEBACK
    assert kept.endswith("ValueError")


def test_notices_are_bounded_in_number_and_length(execution: RunningExecution) -> None:
    result = ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED, notices=["x" * 100_000] * 1_000)
    assert list(execution.reported(result).result.notices) == ["x" * MAX_NOTICE] * MAX_NOTICES


@pytest.mark.parametrize("status", [item_pb2.EXIT_STATUS_ABORTED, item_pb2.EXIT_STATUS_FAILED])
def test_a_plan_that_was_cut_short_by_a_shutdown_failed_by_it(
    execution: RunningExecution, status: item_pb2.ExitStatus.ValueType
) -> None:
    result = execution.interrupted(ItemResult(exit_status=status, message="RequestAbort"), "stopped").result
    assert result.exit_status == item_pb2.EXIT_STATUS_FAILED
    assert result.failure_cause == item_pb2.FAILURE_CAUSE_SHUTDOWN
    assert result.message == "stopped"


def test_a_plan_that_completed_in_spite_of_a_shutdown_is_complete(execution: RunningExecution) -> None:
    result = execution.interrupted(ItemResult(exit_status=item_pb2.EXIT_STATUS_COMPLETED), "stopped").result
    assert result.exit_status == item_pb2.EXIT_STATUS_COMPLETED
    assert result.message == ""
