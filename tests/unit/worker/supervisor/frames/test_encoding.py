import json
import math
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import ListValue, Struct
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.task_pb2 import FunctionCall
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver.worker.v1.worker_service_pb2 import TaskCommand
from queueserver_environment.process.frames import decode
from queueserver_worker.supervisor.frames.encoding import encode

EXACT = 2**53
NUMBERS = st.integers(-EXACT + 1, EXACT - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not number.is_integer()
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=15,
)


def arrived(**arguments: Any) -> Any:
    """What the environment has of a call."""
    command = TaskCommand(function=FunctionCall(name="f", **arguments))
    task = decode(encode(pb.ToEnvironment(run_task=command))).run_task
    assert task is not None
    return task.function


@given(st.dictionaries(st.text("abc"), JSON, max_size=4))
def test_json_values_reach_python_with_their_types(values: dict[str, Any]) -> None:
    struct = Struct()
    json_format.ParseDict(values, struct)
    assert json.dumps(arrived(kwargs=struct).kwargs, sort_keys=True) == json.dumps(values, sort_keys=True)


@given(st.floats())
def test_every_number_keeps_its_value_and_only_exact_whole_ones_become_int(number: float) -> None:
    values = ListValue()
    values.values.add().number_value = number
    (converted,) = arrived(args=values).args
    assert converted == number or math.isnan(number)
    assert isinstance(converted, int) == (number.is_integer() and abs(number) < EXACT)
