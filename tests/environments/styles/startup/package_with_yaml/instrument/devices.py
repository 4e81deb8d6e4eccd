from ophyd import Component, Device, Signal
from ophyd.sim import SynSignal


class Monitor(SynSignal):
    """A detector that always reads the same."""

    def __init__(self, **settings):
        super().__init__(func=lambda: 7.25, **settings)


class Table(Device):
    height = Component(Signal, value=1.0)
    pitch = Component(Signal, value=0.0)
