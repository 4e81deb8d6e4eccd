"""Functions in a real environment: which can be called, with what, and what comes back."""

import uuid
from typing import Any

import pytest
from queueserver.common.v1.task_pb2 import TaskResult

from tests.integration.environment.environment_child import EnvironmentChild
from tests.unit.environment.value_decoder import decode

FAILED = "Error occurred while executing 'Execute function': "
STARTUP = """
import os, sys, threading
import numpy as np
from ophyd.sim import det1, motor1
from bluesky.plans import count

number = 5
class Thing:
    pass
def echo(*args, **kwargs):
    print("echo")
    return {"args": args, "kwargs": kwargs}
def where():
    return {"main": threading.current_thread() is threading.main_thread()}
def values():
    return {"nan": float("nan"), "big": 2**70, "bytes": b"x", "array": np.arange(3), "none": None, 1: [(2, 3)]}
def nothing():
    pass
def thing_inside():
    return {"list": [0, {"deep": Thing()}]}
def fails():
    raise ValueError("no such luck")
def leaves():
    sys.exit(3)
def interrupts():
    raise KeyboardInterrupt
def deep():
    value = []
    for _ in range(100):
        value = [value]
    return value
def much():
    return b"x" * (3 * 1024 * 1024)
def forks():
    return os.fork()
async def soon():
    return 1
"""


def call(child: EnvironmentChild, name: str, *args: Any, **options: Any) -> TaskResult:
    return child.task(str(uuid.uuid4()), function={"name": name, "args": list(args)}, **options)


def test_arguments_reach_a_function_as_they_are_given(hardy: EnvironmentChild) -> None:
    function = {"name": "echo", "args": ["det1", 1, 1.5, None], "kwargs": {"motor": "motor1", "list": [True]}}
    result = hardy.task("as given", function=function)
    assert result.success
    assert result.message == result.traceback == ""
    assert decode(result.return_value) == {
        "args": ["det1", 1, 1.5, None],
        "kwargs": {"motor": "motor1", "list": [True]},
    }
    assert result.start_time.ToNanoseconds() <= result.stop_time.ToNanoseconds()


@pytest.mark.parametrize("in_background", [False, True])
def test_a_function_runs_in_the_main_thread_unless_it_is_sent_to_the_background(
    hardy: EnvironmentChild, in_background: bool
) -> None:
    result = call(hardy, "where", in_background=in_background)
    assert decode(result.return_value) == {"main": not in_background}


def test_values_come_back_without_loss(hardy: EnvironmentChild) -> None:
    found = call(hardy, "values").return_value.map.entries
    assert str(found["nan"].number) == "nan"
    assert found["big"].big_integer == str(2**70)
    assert found["bytes"].binary == b"x"
    assert found["array"].array.shape == [3]
    assert decode(found["1"]) == [[2, 3]]
    assert decode(call(hardy, "nothing").return_value) is None


def test_what_no_client_could_read_fails_the_task_and_is_named(hardy: EnvironmentChild) -> None:
    result = call(hardy, "thing_inside")
    assert not result.success
    assert not result.HasField("return_value")
    assert result.message == (
        f"{FAILED}the function returned an object of type Thing at ['list'][1]['deep'], which can't be passed on; "
        "return numbers, texts, bytes, arrays, lists and maps."
    )


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("eco", "the environment has no function 'eco'; did you mean echo?"),
        ("number", "'number' is not a function but an object of type int."),
        ("count", "'count' is a plan: add it to the queue instead."),
        ("soon", "'soon' is an async function: let an ordinary function wait for it."),
        ("deep", "more than 24 deep"),
        ("much", "let it write them to a file and return its name."),
        ("fails", "ValueError: no such luck"),
        ("leaves", "it called exit (3); remove the call."),
        ("interrupts", "KeyboardInterrupt"),
    ],
)
def test_a_failure_says_what_is_wrong_and_the_environment_goes_on(
    hardy: EnvironmentChild, name: str, complaint: str
) -> None:
    result = call(hardy, name)
    assert not result.success
    assert result.message.startswith(FAILED)
    assert complaint in result.message
    assert call(hardy, "nothing").success


def test_the_traceback_of_a_function_has_the_frames_of_its_author_only(hardy: EnvironmentChild) -> None:
    traceback = call(hardy, "fails").traceback
    assert traceback.count("File ") == 1
    assert 'raise ValueError("no such luck")' in traceback
    assert "queueserver_worker" not in traceback


def test_wrong_arguments_are_a_failure(hardy: EnvironmentChild) -> None:
    result = call(hardy, "nothing", "one too many")
    assert "TypeError: nothing() takes 0 positional arguments but 1 was given" in result.message


def test_a_function_has_to_be_allowed(hardy: EnvironmentChild) -> None:
    access = {"user_group": "users", "root": {"all_functions": True}, "group": {"allowed_functions": ["nothing"]}}
    allowed = call(hardy, "nothing", access=access)
    refused = call(hardy, "echo", access=access)
    unknown = call(hardy, "eco", access=access)
    assert allowed.success
    assert (
        refused.message == f"{FAILED}the user group 'users' may not call the function 'echo'; ask for the permission."
    )
    assert "did you mean" not in unknown.message


def test_a_process_that_a_function_forks_does_not_speak_for_the_environment(hardy: EnvironmentChild) -> None:
    result = call(hardy, "forks")
    assert decode(result.return_value) > 0
    assert call(hardy, "nothing").success
