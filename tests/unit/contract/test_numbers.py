"""The one number type of JSON: client, Manager and Worker take the same numbers for the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf.struct_pb2 import ListValue, Value
from hypothesis import example, given
from hypothesis import strategies as st
from queueserver.common.v1.task_pb2 import FunctionCall
from queueserver.worker.v1.environment_channel_pb2 import ToEnvironment
from queueserver.worker.v1.worker_service_pb2 import TaskCommand
from queueserver_client import values
from queueserver_client.errors import ValueNotRepresentable
from queueserver_environment.process.frames import decode
from queueserver_manager.domain.validation.numbers import exact_number
from queueserver_protos.numbers import FIRST_DOUBTFUL, is_exact, may_have_lost_digits, python_number
from queueserver_worker.supervisor.frames.encoding import encode

FIRST = 2**53


def arguments_in_environment(sent: ListValue) -> list[Any]:
    """What a function is called with."""
    command = TaskCommand(function=FunctionCall(name="f", args=sent))
    task = decode(encode(ToEnvironment(run_task=command))).run_task
    assert task is not None
    assert task.function is not None
    return task.function.args


whole_numbers = st.integers(-(2**66), 2**66) | st.integers(FIRST - 3, FIRST + 3)
numbers = st.floats() | whole_numbers.map(float)


def is_accepted(number: Any) -> bool:
    """Whether the Manager takes a number that reaches it."""
    try:
        exact_number(float(number))
    except ValueError:
        return False
    return True


def is_sent(number: Any) -> bool:
    """Whether the client sends a number."""
    try:
        values.to_list([number], "args")
    except ValueNotRepresentable:
        return False
    return True


@given(numbers)
@example(2.0**64)
@example(-(2.0**53))
def test_the_client_sends_those_floats_that_the_manager_accepts(number: float) -> None:
    assert is_sent(number) == is_accepted(number)


@given(whole_numbers)
def test_the_client_sends_no_whole_number_that_arrives_as_another_one(number: int) -> None:
    assert is_sent(number) == (-FIRST < number < FIRST)
    if is_sent(number):
        assert exact_number(float(number)) == number


@given(numbers)
def test_client_and_worker_read_a_number_as_the_manager_does(number: float) -> None:
    sent = ListValue(values=[Value(number_value=number)])
    found = repr(python_number(number))
    assert repr(values.from_list(sent)[0]) == repr(arguments_in_environment(sent)[0]) == found
    if is_accepted(number):
        assert repr(exact_number(number)) == found


@given(whole_numbers)
def test_a_float_carries_an_exact_whole_number(number: int) -> None:
    assert float(number) == number or not is_exact(number)
    assert is_exact(number) == (-FIRST <= number <= FIRST)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, FIRST_DOUBTFUL - 1, 2.0**64, 1e300, 0.5])
def test_what_was_no_whole_number_that_people_count_with_has_lost_no_digits(number: float) -> None:
    assert not may_have_lost_digits(number)
    assert may_have_lost_digits(FIRST_DOUBTFUL)
