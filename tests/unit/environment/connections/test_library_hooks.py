"""Waits of ophyd and ophyd-async are noted as they are, and nothing else changes."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import async_timeout
import pytest
from ophyd import Component, Device, EpicsSignal, EpicsSignalRO
from ophyd.signal import EpicsSignalBase
from ophyd_async import core as async_core
from ophyd_async.core import DeviceVector, SignalRW, SoftSignalBackend, StandardReadable, soft_signal_rw
from queueserver_environment.connections.failure import not_connected_text
from queueserver_environment.connections.library_hooks import noting
from queueserver_environment.connections.sentences import end_text, progress_text
from queueserver_environment.connections.views import Waited, single
from queueserver_environment.connections.waits import ConnectionWaits, Wait

from tests.harness.silent_control_layer import SilentLayer

SECONDS = 30.0
SOON = 0.02
NotConnected: type[Exception] = getattr(async_core, "NotConnectedError", None) or async_core.NotConnected  # before 0.10

layer = SilentLayer()


class Stage(Device):  # type: ignore[misc] # ophyd has no types
    x = Component(EpicsSignal, "x:RBV", write_pv="x", cl=layer)
    temperature = Component(EpicsSignalRO, "t", cl=layer)
    lazy = Component(EpicsSignalRO, "lazy", cl=layer, lazy=True)


@pytest.fixture
def stage() -> Stage:
    return Stage("D:", name="stage")


@pytest.fixture
def waits() -> Iterator[ConnectionWaits]:
    waits = ConnectionWaits()
    with noting(waits):
        yield waits


class Waiter:
    """A thread that waits for connections."""

    def __init__(self, waits: ConnectionWaits, wait: Callable[[], Any]) -> None:
        self.error: BaseException | None = None
        begun = threading.Event()
        waits.on_begin = begun.set
        self._wait = wait
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert begun.wait(SECONDS)

    def _run(self) -> None:
        try:
            self._wait()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error

    def join(self) -> None:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


def told(current: list[Wait], waits: ConnectionWaits) -> str:
    """What is shown while they last."""
    found = [each for wait in current if (each := wait.look()) is not None]
    return progress_text("loading a.py", found, min(wait.begin for wait in current), waits)


def test_a_wait_for_a_device_tells_its_signals_and_their_pvs(waits: ConnectionWaits, stage: Stage) -> None:
    waiter = Waiter(waits, lambda: stage.wait_for_connection(timeout=SECONDS))
    (wait,) = waits.now()
    assert wait.look() == Waited("stage", 2, ("stage_x (D:x:RBV, D:x)", "stage_temperature (D:t)"))
    layer.pvs["D:x:RBV"].connect()
    assert wait.look() == Waited("stage", 2, ("stage_x (D:x)", "stage_temperature (D:t)"))
    layer.pvs["D:x"].connect()
    assert told([wait], waits) == (
        "loading a.py: waiting for stage, 1 of 2 signals connected, missing stage_temperature (D:t)"
    )
    layer.pvs["D:t"].connect()
    waiter.join()
    assert waiter.error is None
    assert not waits.now()
    assert not waits.not_connected()
    assert waits.seen() == (1, 0)
    assert "lazy" not in stage._signals


def test_a_signal_is_told_with_the_pv_that_is_missing(waits: ConnectionWaits) -> None:
    signal = EpicsSignal("S:RBV", write_pv="S", name="slit", cl=layer)
    layer.pvs["S:RBV"].connect()
    waiter = Waiter(waits, lambda: signal.wait_for_connection(timeout=SECONDS))
    assert told(waits.now(), waits) == "loading a.py: waiting for slit (S)"
    layer.pvs["S"].connect()
    waiter.join()
    assert waiter.error is None


def test_since_when_is_told_and_how_many_before_did_not_connect(waits: ConnectionWaits, stage: Stage) -> None:
    signals = [EpicsSignalRO(f"N{i}", name=f"n{i}", cl=layer) for i in range(3)]
    layer.pvs["N1"].connect()
    signals[1].wait_for_connection(timeout=SOON)
    for signal in (signals[0], signals[2]):
        with pytest.raises(TimeoutError):
            signal.wait_for_connection(timeout=SOON)
    waiter = Waiter(waits, lambda: stage.wait_for_connection(timeout=SECONDS))
    (wait,) = waits.now()
    wait.begin -= 41.0  # type: ignore[misc] # instead of waiting
    text = told([wait], waits)
    assert text.startswith("loading a.py: waiting 41 s (since ")
    assert text.endswith("; 2 of 3 before did not connect (0 s)")
    for pv in ("D:x", "D:x:RBV", "D:t"):
        layer.pvs[pv].connect()
    waiter.join()
    assert end_text(waits.not_connected()).endswith("as soon as it connects):\n  n0 (N0)\n  n2 (N2)")
    layer.pvs["N2"].connect()
    assert [each.name for each in waits.not_connected()] == ["n0 (N0)"]


def test_results_exceptions_and_arguments_are_those_of_ophyd(stage: Stage) -> None:
    before = Device.wait_for_connection, EpicsSignalBase._ensure_connected, async_core.Device.connect
    waits = ConnectionWaits()
    with noting(waits):
        during = Device.wait_for_connection, EpicsSignalBase._ensure_connected, async_core.Device.connect
        assert [getattr(each, "__wrapped__", None) for each in during] == list(before)
        with pytest.raises(TimeoutError, match=r"^Failed to connect to all signals: stage\."):
            stage.wait_for_connection(False, SOON)
        with pytest.raises(TypeError, match="no_such"):
            stage.wait_for_connection(no_such=1)
    assert (Device.wait_for_connection, EpicsSignalBase._ensure_connected, async_core.Device.connect) == before
    # Code that keeps a method beyond the loading of the startup code still waits.
    with pytest.raises(TimeoutError):
        during[0](stage, timeout=SOON)
    assert waits.seen() == (1, 1)


def test_methods_that_startup_code_replaces_stay(stage: Stage) -> None:
    original = Device.wait_for_connection
    waits = ConnectionWaits()

    def own(self: Device, **_: Any) -> str:
        return str(self.name)

    try:
        with noting(waits):
            Device.wait_for_connection = own
        assert stage.wait_for_connection() == "stage"
    finally:
        Device.wait_for_connection = original


def test_devices_are_not_kept(waits: ConnectionWaits) -> None:
    stage = Stage("K:", name="kept")
    with pytest.raises(TimeoutError) as failure:
        stage.wait_for_connection(timeout=SOON)
    gone = weakref.ref(stage)
    del stage, failure
    gc.collect()
    assert gone() is None
    assert waits.not_connected() == []
    assert waits.seen() == (0, 0)


def test_a_failure_names_the_device_the_time_and_the_first_signals(waits: ConnectionWaits, stage: Stage) -> None:
    del waits
    layer.pvs["D:t"].connect()
    with pytest.raises(TimeoutError) as failure:
        stage.wait_for_connection(timeout=SOON)
    text = not_connected_text(failure.value)
    assert text.startswith("stage did not connect in 0.0")
    assert text.endswith(" s: 1 of 2 signals connected, missing stage_x (D:x:RBV, D:x)")

    with pytest.raises(TimeoutError) as failure:
        stage.x.get(connection_timeout=SOON)
    assert not_connected_text(failure.value).startswith(
        "Failed to connect to D:x:RBV within 0.02 sec (stage_x (D:x:RBV, D:x) did not connect in 0.0"
    )


def test_a_mistake_in_code_that_expects_the_failure_is_not_explained_by_it(
    waits: ConnectionWaits, stage: Stage
) -> None:
    del waits

    def wait() -> None:
        try:
            stage.wait_for_connection(timeout=SOON)
        except TimeoutError:
            misspelled()  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(NameError) as failure:
        wait()
    assert not_connected_text(failure.value) == ""


class PV:
    """As much as is needed of pyepics' class, which connects when it is told to."""

    def __init__(self, name: str) -> None:
        self.pvname = name
        self.connected = False
        self.may = threading.Event()

    def wait_for_connection(self, timeout: float | None = None) -> bool:
        self.connected = self.may.wait(timeout)
        return self.connected


@pytest.fixture
def pyepics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with this class."""
    module = types.ModuleType("epics.pv")
    module.PV = PV  # type: ignore[attr-defined] # it is made here
    monkeypatch.setitem(sys.modules, "epics.pv", module)


@pytest.mark.usefixtures("pyepics")
def test_pvs_of_pyepics_are_told_by_their_names() -> None:
    waits = ConnectionWaits()
    with noting(waits):
        missing, late = PV("XX:missing"), PV("XX:late")
        assert missing.wait_for_connection(timeout=SOON) is False
        waiter = Waiter(waits, lambda: late.wait_for_connection(timeout=SECONDS))
        assert told(waits.now(), waits) == ("loading a.py: waiting for XX:late; 1 of 1 before did not connect (0 s)")
        late.may.set()
        waiter.join()
        seen = waits.seen()
        assert late.wait_for_connection() is True
        assert waits.seen() == seen == (2, 1)
    assert end_text(waits.not_connected()).endswith(":\n  XX:missing")
    assert PV.wait_for_connection.__qualname__ == "PV.wait_for_connection"
    assert not hasattr(PV.wait_for_connection, "__wrapped__")


@pytest.mark.usefixtures("pyepics")
def test_a_signal_of_ophyd_is_told_once_though_its_pv_is_of_pyepics() -> None:
    waits, signal = ConnectionWaits(), PV("XX:signal")
    with noting(waits):
        outer = waits.begin(signal, lambda: single("signal (XX:pv)"))
        assert PV("XX:pv").wait_for_connection(timeout=SOON) is False
        assert told(waits.now(), waits) == "loading a.py: waiting for signal (XX:pv)"
        waits.end(outer, signal)
    assert not waits.not_connected()


class NeverConnecting(SoftSignalBackend[float]):
    """A signal of ophyd-async whose source does not answer."""

    def __init__(self, pv: str) -> None:
        super().__init__(float)
        self.begun = asyncio.Event()
        self._pv = pv

    def source(self, name: str, read: bool) -> str:  # noqa: ARG002 - the backend's interface
        return f"ca://{self._pv}"

    async def connect(self, timeout: float) -> None:
        self.begun.set()
        try:
            async with async_timeout.timeout(timeout):
                await asyncio.Event().wait()
        except asyncio.TimeoutError as error:
            raise NotConnected(self.source("", read=True)) from error


class Camera(StandardReadable):
    def __init__(self, name: str = "") -> None:
        self.gain = soft_signal_rw(float, 1.0)
        self.rois = DeviceVector({i: SignalRW(NeverConnecting(f"C:ROI{i}")) for i in (1, 2)})
        super().__init__(name=name)


async def test_signals_of_ophyd_async_are_told_with_their_sources(waits: ConnectionWaits) -> None:
    camera = Camera("camera")
    task = asyncio.create_task(camera.connect(timeout=SECONDS))
    async with async_timeout.timeout(SECONDS):
        for roi in camera.rois.values():
            await roi._connector.backend.begun.wait()  # type: ignore[attr-defined] # of the class above
    (wait,) = waits.now()
    assert wait.look() == Waited("camera", 3, ("camera-rois-1 (ca://C:ROI1)", "camera-rois-2 (ca://C:ROI2)"))
    assert told([wait], waits) == (
        "loading a.py: waiting for camera, 1 of 3 signals connected, "
        "missing camera-rois-1 (ca://C:ROI1), camera-rois-2 (ca://C:ROI2)"
    )
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waits.now() == []


async def test_a_failure_of_ophyd_async_names_each_signal_in_one_line(waits: ConnectionWaits) -> None:
    camera, signal = Camera("camera"), SignalRW(NeverConnecting("S"), name="shutter")
    with pytest.raises(NotConnected) as failure:
        await async_core.wait_for_connection(camera=camera.connect(timeout=SOON), shutter=signal.connect(timeout=SOON))
    assert not_connected_text(failure.value) == (
        "camera.rois.1 (ca://C:ROI1), camera.rois.2 (ca://C:ROI2), shutter (ca://S) did not connect"
    )
    assert waits.seen() == (2, 2)
    assert end_text(waits.not_connected()).splitlines()[1:] == [
        "  camera, 1 of 3 signals connected, missing camera-rois-1 (ca://C:ROI1), camera-rois-2 (ca://C:ROI2)",
        "  shutter (ca://S)",
    ]


async def test_simulated_devices_of_ophyd_async_are_not_waited_for(waits: ConnectionWaits) -> None:
    begun: list[str] = []
    waits.on_begin = lambda: begun.append("wait")
    await Camera("camera").connect(mock=True)
    assert not begun
