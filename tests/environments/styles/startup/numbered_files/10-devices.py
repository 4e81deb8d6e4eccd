from ophyd_async.core import StandardReadable, init_devices
from ophyd_async.core import StandardReadableFormat as Format
from ophyd_async.epics.core import epics_signal_r, epics_signal_rw
from ophyd_async.epics.motor import Motor


class Diode(StandardReadable):
    def __init__(self, prefix, name=""):
        with self.add_children_as_readables():
            self.current = epics_signal_r(float, prefix + "I")
        with self.add_children_as_readables(Format.CONFIG_SIGNAL):
            self.gain = epics_signal_rw(int, prefix + "GAIN")
        super().__init__(name=name)


class Stage(StandardReadable):
    def __init__(self, prefix, name=""):
        with self.add_children_as_readables():
            self.x = Motor(prefix + "X")
            self.y = Motor(prefix + "Y")
        super().__init__(name=name)


with init_devices(mock=True):
    diode = Diode("XX:99:DIODE:")
    stage = Stage("XX:99:STAGE:")
    shutter = Diode("XX:99:SHUTTER:")
