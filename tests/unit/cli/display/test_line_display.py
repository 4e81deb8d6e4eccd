"""What is wrong where things are stored, as people who watch see it."""

from __future__ import annotations

from queueserver.common.v1 import storage_pb2
from queueserver.manager.v1 import event_service_pb2 as pb
from queueserver.manager.v1 import status_pb2
from queueserver_cli.display.line_display import StatusWords
from queueserver_client import Snapshot, Status

from tests.unit.cli.dashboard.shown import Shown

FULL = "Redis can't run, disk full: make room."
WORKER = "The Worker can't write."


def status(redis: str = "", worker: str = "") -> status_pb2.ManagerStatus:
    return status_pb2.ManagerStatus(
        manager_state=status_pb2.MANAGER_STATE_IDLE,
        redis_storage=storage_pb2.StorageStatus(message=redis),
        worker_storage=storage_pb2.StorageStatus(message=worker),
    )


def test_a_watch_tells_in_a_line_that_something_can_not_be_stored_and_that_it_can_be_again() -> None:
    words = StatusWords()
    told = [words.news(Status.from_proto(each)) for each in (status(), status(FULL, WORKER), status(FULL, WORKER))]
    assert told == [
        "manager idle, environment unknown",
        f"manager idle, environment unknown; {FULL}; {WORKER}",
        None,
    ]
    assert words.news(Status.from_proto(status())) == told[0]


def test_a_watch_on_a_terminal_shows_it_for_as_long_as_it_lasts() -> None:
    def snapshot(now: status_pb2.ManagerStatus) -> Snapshot:
        return Snapshot.from_parts([pb.WatchSnapshot(complete=True, status=now)], restarted=False)

    shown = Shown().show(snapshot(status(FULL, WORKER)))
    assert FULL in shown.text()
    assert WORKER in shown.text()
    text = shown.show(snapshot(status())).text()
    assert FULL not in text
    assert WORKER not in text
