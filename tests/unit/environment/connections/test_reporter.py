"""What is waited for is told while it lasts; then the stage again; and nothing after the end."""

from __future__ import annotations

import threading

import pytest
from ophyd import EpicsSignalRO
from queueserver_environment.connections.reporter import connections_reported

from tests.harness.silent_control_layer import SilentLayer

SECONDS = 30.0


class Told:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, text: str) -> None:
        with self._changed:
            self.texts.append(text)
            self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.texts[-1:] == [text], SECONDS), self.texts


def test_waits_are_shown_and_then_the_stage_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    layer, shown, announced = SilentLayer(), Told(), Told()
    signal = EpicsSignalRO("P", name="pressure", cl=layer)
    with connections_reported(announced, shown, 0.01) as announce:
        announce("loading a.py")
        waiter = threading.Thread(target=signal.wait_for_connection, kwargs={"timeout": SECONDS})
        waiter.start()
        shown.wait_for("loading a.py: waiting for pressure (P)")
        layer.pvs["P"].connect()
        shown.wait_for("loading a.py")
        waiter.join(SECONDS)
    number = len(shown.texts)
    assert announced.texts == ["loading a.py"]
    assert capsys.readouterr().err == "loading a.py: waiting for pressure (P)\n"
    with pytest.raises(TimeoutError):
        EpicsSignalRO("Q", name="q", cl=layer).wait_for_connection(timeout=0.05)
    assert len(shown.texts) == number
    assert "connection-reporter" not in {thread.name for thread in threading.enumerate() if thread.is_alive()}


def test_what_did_not_connect_is_listed_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    signal = EpicsSignalRO("P", name="pressure", cl=SilentLayer())
    with connections_reported(Told(), Told()), pytest.raises(TimeoutError):
        signal.wait_for_connection(timeout=0.01)
    assert capsys.readouterr().err == (
        "Not connected, although the startup code waited for it (a device is offered all the same, and plans can use "
        "it as soon as it connects):\n  pressure (P)\n"
    )
