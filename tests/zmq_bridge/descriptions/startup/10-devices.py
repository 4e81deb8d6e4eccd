"""Devices of all kinds: with components, with components of components, that fly, that only move."""

from ophyd import Component, Device, Signal
from ophyd.sim import SynAxis, det1, det2, flyer1, motor1, motor2


class Stage(Device):
    x = Component(SynAxis, name="x")
    y = Component(SynAxis, name="y")


class Bundle(Device):
    mtrs = Component(Stage, name="mtrs")
    gain = Component(Signal, name="gain", value=1)


bundle = Bundle(name="bundle")
other_bundle = Bundle(name="other_bundle")
_hidden = SynAxis(name="_hidden")
