import datetime as dt
import threading
from collections import UserDict
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format
from queueserver_environment.messages.frames import FromEnvironment, MetadataAnswer
from queueserver_environment.plans.metadata import MAX_METADATA_BYTES, MetadataReader, plain_metadata

from tests.unit.environment.channel_forms import arrived

SECONDS = 30.0


class Color(Enum):
    RED = "red"


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError("no text")


class Broken(UserDict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        if key == "broken":
            raise OSError("the file is gone")
        return super().__getitem__(key)


class Unreadable(UserDict[str, Any]):
    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("changed during iteration")


def told(metadata: Any) -> Any:
    answer = FromEnvironment(metadata=MetadataAnswer(1, plain_metadata(metadata)))
    return json_format.MessageToDict(arrived(answer).metadata.metadata)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (17, 17.0),
        (2**53, 2.0**53),
        (2**53 + 1, "9007199254740993"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("Å", "Å"),
        ("\ud800", "\\ud800"),
        (b"raw", "b'raw'"),
        ({"a": [1, (2, None)]}, {"a": [1.0, [2.0, None]]}),
        ({1: 2}, {"1": 2.0}),
        ({3}, [3.0]),
        (Color.RED, "red"),
        (np.float64(1.5), 1.5),
        (np.int64(3), 3.0),
        (np.arange(4).reshape(2, 2), [[0.0, 1.0], [2.0, 3.0]]),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (1 + 2j, "(1+2j)"),
    ],
    ids=repr,
)
def test_a_value_is_what_json_makes_of_it_or_its_text(value: Any, expected: Any) -> None:
    assert told({"key": value}) == {"key": expected}


def test_what_can_not_be_read_does_not_take_the_rest_along() -> None:
    answer = told(Broken(broken=1, whole=2, nested=Broken(broken=3)))
    assert answer["whole"] == 2.0
    assert "the file is gone" in answer["broken"]
    assert "the file is gone" in answer["nested"]
    assert "can't be read" in told({"key": Unprintable()})["key"]
    assert told({Unprintable(): 1}) == {"<Unprintable that can't be printed>": 1.0}


def test_metadata_that_can_not_be_listed_is_empty() -> None:
    assert told(Unreadable(a=1)) == {}


def test_what_is_too_long_is_left_out_and_the_rest_is_told() -> None:
    answer = told({"long": "x" * (MAX_METADATA_BYTES + 1), "short": "y"})
    assert "too many" in answer["long"]
    assert answer["short"] == "y"


@pytest.mark.parametrize("value", ["", "y" * 500])
def test_an_answer_is_bounded_whatever_makes_it_long(value: str) -> None:
    keys = [f"{number} {'x' * 1000}" for number in range(5000)]
    answer = FromEnvironment(metadata=MetadataAnswer(1, plain_metadata(dict.fromkeys(keys, value))))
    assert MAX_METADATA_BYTES * 0.9 < arrived(answer).metadata.metadata.ByteSize() <= MAX_METADATA_BYTES


def test_metadata_that_contains_itself_ends_somewhere() -> None:
    endless: dict[str, Any] = {"a": 1}
    endless["self"] = endless
    assert told({"endless": endless})["endless"]["a"] == 1


def test_an_answer_stands_for_all_questions_that_were_asked_before_it_was_read() -> None:
    reading, may_read = threading.Semaphore(0), threading.Semaphore(0)
    answers: list[FromEnvironment] = []
    answered = threading.Semaphore(0)

    def read() -> dict[str, int]:
        reading.release()
        assert may_read.acquire(timeout=SECONDS)
        return {"a": 1}

    def send(frame: FromEnvironment) -> None:
        answers.append(frame)
        answered.release()

    reader = MetadataReader(read, send)
    reader.ask(1)
    assert reading.acquire(timeout=SECONDS)
    reader.ask(2)
    reader.ask(3)
    may_read.release(2)
    assert answered.acquire(timeout=SECONDS)
    assert answered.acquire(timeout=SECONDS)
    assert [arrived(answer).metadata.number for answer in answers] == [1, 3]


def test_metadata_that_raises_is_answered_too() -> None:
    answers: list[FromEnvironment] = []
    answered = threading.Event()

    def read() -> dict[str, int]:
        raise OSError("the server is gone")

    def send(frame: FromEnvironment) -> None:
        answers.append(frame)
        answered.set()

    MetadataReader(read, send).ask(7)
    assert answered.wait(SECONDS)
    assert arrived(answers[0]).metadata.number == 7
