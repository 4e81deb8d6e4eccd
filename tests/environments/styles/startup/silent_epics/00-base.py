import os

# Nothing answers there.
os.environ["EPICS_CA_ADDR_LIST"] = "127.0.0.1"
os.environ["EPICS_CA_AUTO_ADDR_LIST"] = "NO"

from bluesky import RunEngine
from bluesky.plans import count, scan
from ophyd import Component as Cpt
from ophyd import Device, EpicsMotor, EpicsSignal, EpicsSignalRO
from ophyd.signal import EpicsSignalBase

EpicsSignalBase.set_defaults(timeout=0.5, connection_timeout=0.5)
RE = RunEngine({})
