"""``status_uid`` changes exactly when the status does, also when answers to two questions come in the wrong order."""

from __future__ import annotations

from queueserver.manager.v1 import status_pb2
from queueserver_zmq_bridge.answers.status import StatusView


def test_the_uid_and_the_time_change_with_the_content_and_with_nothing_else() -> None:
    view = StatusView()
    first = view.fields(status_pb2.ManagerStatus(items_in_queue=1), view.ask())
    later = status_pb2.ManagerStatus(items_in_queue=1)
    later.time.FromSeconds(1_000_000)
    assert view.fields(later, view.ask()) == first == view.last
    later.items_in_queue = 2
    changed = view.fields(later, view.ask())
    assert changed["status_uid"] != first["status_uid"]
    assert changed["time"] != first["time"]
    assert view.last == changed


def test_an_answer_that_was_overtaken_brings_nothing_back() -> None:
    view = StatusView()
    early, late = view.ask(), view.ask()
    newer = view.fields(status_pb2.ManagerStatus(items_in_queue=2), late)
    assert view.fields(status_pb2.ManagerStatus(items_in_queue=1), early) == newer
    assert view.last == newer
