"""An environment in whose Python nothing is installed that bluesky does not bring."""

from pathlib import Path

import pytest

from tests.integration.environment.absent_packages import leave_out_packages
from tests.integration.environment.environment_child import MakeFolder, environment_child
from tests.unit.environment.value_decoder import decode

STARTUP = '''
import numpy as np
from bluesky import Msg, RunEngine
from bluesky.plans import count
import bluesky.plan_stubs as bps

RE = RunEngine({})

class Detector:
    name, parent = "det", None
    def read(self):
        return {"det": {"value": np.arange(3), "timestamp": 1.0}}
    def describe(self):
        return {"det": {"source": "s", "dtype": "array", "shape": [3]}}
    def read_configuration(self):
        return {}
    describe_configuration = read_configuration
    def trigger(self):
        from bluesky.utils import Msg
        class Done:
            done, success = True, True
            def add_callback(self, callback): callback(self)
            def exception(self, timeout=None): return None
        return Done()

det = Detector()

def plan(detectors, num: int = 1):
    """Count.

    Parameters
    ----------
    detectors
        What to read.
    """
    yield from count(detectors, num=num)

def double(number):
    return [2 * number, np.float64(0.5), 2**70]
'''


def test_plans_tasks_and_simulations_need_nothing_else(
    startup: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_packages(tmp_path, monkeypatch)
    with environment_child("--startup-dir", startup(profile=STARTUP)) as child:
        ready = child.ready()
        assert {"plan", "count"} <= {plan.name for plan in ready.inventory.plans}
        assert [device.name for device in ready.inventory.devices] == ["det"]
        assert "Count." in ready.docstrings["plan"]
        assert child.run("plan", ["det"], num=2).exit_status == 1
        assert [decode(event.data["det"]).tolist() for event in child.documents("event")] == [[0, 1, 2]] * 2
        assert decode(child.task("f", function={"name": "double", "args": [21]}).return_value) == [42, 0.5, 2**70]
        assert child.task("s", script={"text": "import sys; import bluesky; new = 1"}).success
        assert not child.task("g", script={"text": "import google.protobuf"}).success
        assert child.simulate("plan", ["det"]).message_count > 0
        assert child.metadata()["scan_id"] == 1
        assert child.exit() == 0
