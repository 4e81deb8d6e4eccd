"""Startup code for environments without ophyd: devices by bluesky's protocols alone, and a few standard plans."""

import itertools
import time

from bluesky.plans import count, scan  # noqa: F401 - they are plans of this namespace


class Detector:
    """A detector that counts its readings."""

    parent = None

    def __init__(self, name):
        self.name = name
        self._readings = itertools.count()

    def read(self):
        return {self.name: {"value": float(next(self._readings)), "timestamp": time.time()}}

    def describe(self):
        return {self.name: {"source": "simulated", "dtype": "number", "shape": []}}

    def read_configuration(self):
        return {}

    def describe_configuration(self):
        return {}


class _Done:
    done = success = True

    def add_callback(self, callback):
        callback(self)

    def exception(self, timeout=None):
        return None


class Motor(Detector):
    """A motor that is where it is told to be at once."""

    position = 0.0

    def set(self, value):
        self.position = value
        return _Done()

    def read(self):
        return {self.name: {"value": self.position, "timestamp": time.time()}}


det1, det = Detector("det1"), Detector("det")
motor = Motor("motor")


def function_sleep(time):
    """Return what the demo's function of that name returns, at once."""
    return {"success": True, "time": time}
