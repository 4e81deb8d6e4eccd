"""Documents that no well-behaved device makes: they must arrive, or be told about, and never disturb the plan."""

import struct

from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child

STARTUP = """
import threading
import numpy as np
import bluesky.plan_stubs as bps
from bluesky.plans import count
from ophyd import Device

class Odd(Device):
    reading = None
    def read(self):
        return {"odd": {"value": self.reading, "timestamp": 1.0}}
    def describe(self):
        return {"odd": {"source": "SIM", "dtype": "number", "shape": [None, 2]}}

odd = Odd(name="odd")

def read_odd(kind):
    odd.reading = {
        "nan": float("nan"), "large": 2**70, "int64": np.int64(-(2**63)),
        "array": np.arange(6, dtype="<i2").reshape(2, 3), "huge": np.zeros(60_000_000, dtype="u1"),
        "bytes": b"\\x00\\xff", "object": object(),
    }[kind]
    yield from count([odd])

def many(num):
    odd.reading = np.zeros(100_000)
    yield from count([odd], num)
    print("the plan is done")
"""


def test_special_numbers_arrive_unharmed(hardy: EnvironmentChild) -> None:
    values = {}
    for kind in ("nan", "large", "int64", "array", "bytes", "object"):
        assert hardy.run("read_odd", kind).exit_status == pb.EXIT_STATUS_COMPLETED
        values[kind] = hardy.documents("event")[-1].data["odd"]
    assert values["nan"].number != values["nan"].number
    assert values["large"].big_integer == str(2**70)
    assert values["int64"].integer == -(2**63)
    assert (values["array"].array.dtype, list(values["array"].array.shape)) == ("<i2", [2, 3])
    assert struct.unpack("<6h", values["array"].array.data) == (0, 1, 2, 3, 4, 5)
    assert values["bytes"].binary == b"\x00\xff"
    assert values["object"].text.startswith("<object object")


def test_an_unknown_length_in_a_shape_is_minus_one(hardy: EnvironmentChild) -> None:
    hardy.run("read_odd", "nan")
    assert list(hardy.documents("event_descriptor")[-1].data_keys["odd"].shape) == [-1, 2]


def test_a_value_too_large_for_the_channel_is_left_out_and_told_about(hardy: EnvironmentChild) -> None:
    result = hardy.run("read_odd", "huge")
    assert result.exit_status == pb.EXIT_STATUS_COMPLETED
    assert "left out: 60000" in hardy.documents("event")[-1].data["odd"].text
    hardy.wait_for_output("without its large values")


def test_a_supervisor_that_does_not_read_makes_the_plan_wait_and_loses_nothing(startup: MakeFolder) -> None:
    with environment_child("--startup-dir", startup(a=STARTUP)) as child:
        child.ready()
        child.reading.clear()
        child.submit("x", "many", 60)
        child.wait_for_output("New stream")
        assert "the plan is done" not in child.stdout
        child.reading.set()
        child.wait_for(lambda frame: frame.HasField("finished"))
        assert [event.seq_num for event in child.documents("event")] == list(range(1, 61))
