"""Startup code that waits for devices: the opening tells which, and how far they are."""

import socket
from pathlib import Path

from tests.harness.services import REPOSITORY
from tests.integration.environment.environment_child import MakeFolder, environment_child

LAYER = (REPOSITORY / "tests" / "harness" / "silent_control_layer.py").read_text()
DEVICES = """
from ophyd import Component, Device, EpicsSignal, EpicsSignalRO
layer = SilentLayer()
class Stage(Device):
    x = Component(EpicsSignal, "x:RBV", write_pv="x", cl=layer)
    temperature = Component(EpicsSignalRO, "t", cl=layer)
stage = Stage("D:", name="stage")
layer.pvs["D:t"].connect()
"""


def test_while_startup_code_waits_the_opening_tells_for_what(startup: MakeFolder, tmp_path: Path) -> None:
    # The device connects when the test has seen that it is waited for.
    place = str(tmp_path / "told")
    told = f"""
import socket, threading
listening = socket.socket(socket.AF_UNIX)
listening.bind({place!r})
listening.listen()
def connect_when_told():
    listening.accept()
    layer.pvs["D:x:RBV"].connect()
    layer.pvs["D:x"].connect()
threading.Thread(target=connect_when_told).start()
stage.wait_for_connection(timeout=60)
"""
    folder = startup(a_layer=LAYER, b_devices=DEVICES, c_wait=told)
    with environment_child("--startup-dir", folder) as child:
        frame = child.wait_for(lambda frame: "waiting" in frame.progress.text)
        assert frame.progress.text.startswith("loading c_wait.py: waiting 1 s (since ")
        assert frame.progress.text.endswith(") for stage, 1 of 2 signals connected, missing stage_x (D:x:RBV, D:x)")
        with socket.socket(socket.AF_UNIX) as telling:
            telling.connect(place)
        ready = child.ready()
        child.wait_for_output("ready: ")
        assert "stage" in {device.name for device in ready.inventory.devices}
        kinds = [kind for frame in child.frames if (kind := frame.WhichOneof("frame")) in ("progress", "ready")]
        assert kinds[-1] == "ready"
    assert child.stderr.count("waiting 1 s") == 1


def test_a_device_that_is_not_connected_is_offered_and_named_on_the_console(startup: MakeFolder) -> None:
    wait = "try:\n    stage.wait_for_connection(timeout=0.1)\nexcept TimeoutError:\n    print('without the stage')\n"
    folder = startup(a_layer=LAYER, b_devices=DEVICES, c_wait=wait)
    with environment_child("--startup-dir", folder, "--strict-startup") as child:
        ready = child.ready()
        child.wait_for_output("as soon as it connects):\n  stage, 1 of 2 signals connected")
    assert "stage" in {device.name for device in ready.inventory.devices}
    assert not ready.inventory.issues


def test_an_opening_that_fails_for_want_of_connections_names_them(startup: MakeFolder) -> None:
    folder = startup(a_layer=LAYER, b_devices=DEVICES, c_wait="\nstage.wait_for_connection(timeout=0.1)\n")
    with environment_child("--startup-dir", folder) as child:
        failure = child.failure()
        child.wait()
    assert (failure.exception_type, Path(failure.file).name, failure.line) == ("TimeoutError", "c_wait.py", 2)
    assert failure.message.startswith("TimeoutError in c_wait.py, line 2: stage did not connect in 0.1")
    assert failure.message.endswith(
        " s: 1 of 2 signals connected, missing stage_x (D:x:RBV, D:x); correct it and try again."
    )
    assert f'File "{folder / "c_wait.py"}", line 2' in failure.traceback
    assert "queueserver_environment" not in failure.traceback


def test_an_opening_that_fails_in_init_devices_names_the_signals(startup: MakeFolder) -> None:
    text = """
from ophyd_async import core
NotConnected = getattr(core, "NotConnectedError", None) or core.NotConnected
class Silent(core.SoftSignalBackend):
    async def connect(self, timeout):
        raise NotConnected("ca://S:shutter")
class Shutter(core.StandardReadable):
    def __init__(self, name=""):
        self.position = core.SignalRW(Silent(float))
        super().__init__(name=name)
with core.init_devices(timeout=0.1):
    shutter = Shutter()
"""
    with environment_child("--startup-dir", startup(a=text)) as child:
        failure = child.failure()
        child.wait()
    assert "in a.py, line 11: shutter.position (ca://S:shutter) did not connect; correct" in failure.message
    assert "queueserver_environment" not in failure.traceback
