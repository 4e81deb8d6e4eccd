"""What the Manager knows of the Worker: other parts read it, and only its own methods change it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from queueserver_manager.domain.lifecycle import EnvironmentState, PendingCommand
from queueserver_manager.domain.refusals.errors import WorkerUnavailable
from queueserver_manager.domain.storage import Storage, StorageState
from queueserver_manager.operations.worker.worker_view import WorkerStatus, WorkerView
from queueserver_manager.worker_client.port import Execution

from tests.unit.manager.samples import NOW
from tests.unit.manager.scripted_worker import CLOSED, OPEN, PAUSED, RUNNING, snapshot_of, view_of


def test_no_other_part_can_change_what_is_known() -> None:
    view = view_of(OPEN)
    with pytest.raises(AttributeError):
        view.status = WorkerStatus()  # type: ignore[misc] # this is the test
    with pytest.raises(FrozenInstanceError):
        view.status.connected = False  # type: ignore[misc] # this is the test


def test_whoever_has_read_the_status_keeps_what_was_read() -> None:
    view = view_of(OPEN)
    before = view.status
    view.lose()
    assert (before.connected, view.status.connected) == (True, False)
    assert view.status == replace(before, connected=False)


def test_a_snapshot_replaces_all_that_the_worker_reports() -> None:
    view, full = view_of(RUNNING), Storage(StorageState.DISK_FULL, "full")
    view.set_pending(PendingCommand.CLOSE, "")
    view.meet(
        replace(snapshot_of(OPEN), boot_id="other", storage=full, insecure_listen=True, execution=Execution("x", "a")),
        executes_item=False,
    )
    assert view.status == WorkerStatus(
        connected=True, boot_id="other", storage=full, insecure_listen=True, environment=OPEN, confirmed=True
    )


def test_what_needs_the_worker_is_refused_while_it_can_not_be_reached_with_the_reason_if_it_is_known() -> None:
    view = view_of(OPEN)
    view.require_worker()
    view.lose()
    with pytest.raises(WorkerUnavailable, match="make sure it runs, then try again"):
        view.require_worker()
    view.lose("TLS: do this.")
    with pytest.raises(WorkerUnavailable, match="TLS: do this"):
        view.require_worker()
    view.meet(snapshot_of(OPEN), executes_item=False)
    assert view.status.unreachable_because == ""


@pytest.mark.parametrize("tells", [WorkerView.lose, WorkerView.confirm, lambda view: view.set_storage(Storage())])
def test_what_a_client_can_see_is_told_when_it_changes(tells: object) -> None:
    told: list[WorkerStatus] = []
    view = WorkerView(lambda: told.append(view.status), lambda: NOW, lambda: "id")
    assert callable(tells)
    tells(view)
    assert told == [view.status]


def test_a_paused_plan_stays_paused_while_its_environment_closes() -> None:
    view = view_of(PAUSED)
    assert view.status.item_paused
    view.set_environment(replace(PAUSED, state=EnvironmentState.CLOSING))
    assert view.status.item_paused
    view.drop_requests()
    assert not view.status.item_paused


def test_a_destroyed_environment_is_one_until_there_is_another() -> None:
    view = view_of(OPEN)
    view.set_pending(PendingCommand.DESTROY, "environment")
    view.set_environment(CLOSED)
    assert (view.status.destroyed, view.status.pending) == (True, PendingCommand.NONE)
    view.set_environment(OPEN)
    assert not view.status.destroyed
