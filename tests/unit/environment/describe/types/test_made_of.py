"""Plans get what their hints say: instances of classes, and devices wherever a hint has them, at any depth."""

# mypy: disable-error-code="type-arg, misc"

import collections
import datetime as dt
import decimal
import pathlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypedDict

import numpy as np
import pydantic
import pydantic.v1
import pytest
from bluesky.protocols import Movable, Readable
from numpy.typing import NDArray
from typing_extensions import Unpack

from tests.unit.environment.hints import DEVICES, STAGE, Mode, Model, Optics, Point, Settings, Window, XYStage
from tests.unit.environment.plan_calls import PlanCalls, plan_with

MOTOR, OTHER, DET = DEVICES["motor1"], DEVICES["motor2"], DEVICES["det1"]
ID = "12345678-1234-5678-1234-567812345678"
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    kind: Literal["strict"]
    size: int = pydantic.Field(alias="n")


class Loose(pydantic.BaseModel):
    kind: Literal["loose"]
    text: str = ""
    odd: int = 0

    @pydantic.field_validator("odd", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return len(value)


class Early(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    motors: list[Any]

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return {"motors": list(value.values())}


@pydantic.dataclasses.dataclass(config=pydantic.ConfigDict(arbitrary_types_allowed=True))
class Slit:
    motor: Movable
    points: list[Point]


class Old(pydantic.v1.BaseModel):
    size: int
    name: str = pydantic.v1.Field("x", alias="n")


class Narrow(pydantic.BaseModel):
    width: float = pydantic.Field(le=1)


class Wide(pydantic.BaseModel):
    width: float


class Outer(TypedDict, total=False):
    window: Window
    by_motor: dict[Movable, "list[Settings]"]


def given(hint: Any, value: Any) -> Any:
    """What the plan gets of a value, which the Manager takes as well."""
    calls = PlanCalls({**DEVICES, "plan": plan_with(hint)})
    assert calls.wrong("plan", value) == {}
    return calls.given("plan", value)["a"]


@pytest.mark.parametrize(
    ("hint", "value", "result"),
    [
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[Readable, ...], ["det1"], (DET,)),
        (tuple, [1], (1,)),
        (set[int], [1, 1], {1}),
        (frozenset[str], ["a"], frozenset("a")),
        (collections.deque[int], [1], collections.deque([1])),
        (list[tuple[Movable, float]], [["motor1", 5]], [(MOTOR, 5)]),
        (list[float] | tuple[float, float], [1, 2], [1, 2]),
        (pathlib.Path, "/data", pathlib.Path("/data")),
        (pathlib.Path | None, None, None),
        (str | pathlib.Path, "/data", "/data"),
        (bytes, "ä", "ä".encode()),
        (dt.datetime, "2026-01-31T12:00:00Z", NOON),
        (dt.date, "2026-01-31", NOON.date()),
        (uuid.UUID, ID, uuid.UUID(ID)),
        (decimal.Decimal, 0.1, decimal.Decimal("0.1")),
        (dt.timedelta, 90, dt.timedelta(seconds=90)),
        (list[Mode] | None, ["fast"], [Mode.FAST]),
        (Literal[Mode.SLOW, b"x", 1], "slow", Mode.SLOW),
        (Literal[Mode.SLOW, b"x", 1], "x", b"x"),
        (Mapping[Movable, float], {"motor1": 5}, {MOTOR: 5}),
        (dict[Mode, list[Readable]], {"fast": ["det1"]}, {Mode.FAST: [DET]}),
        (dict[int | str, int], {"5": 1, "a": 2}, {5: 1, "a": 2}),
        (dict[Movable | str, int], {"motor1": 1, "energy": 2}, {MOTOR: 1, "energy": 2}),
        (XYStage, "stage", STAGE),
        (Narrow | Wide, {"width": 1}, Narrow(width=1)),
        (Narrow | Wide, {"width": 5}, Wide(width=5)),
        (Settings, {"motor": "motor1", "width": 5}, {"motor": MOTOR, "width": 5}),
        (Window, {"motor": "motor1", "modes": ["slow"]}, Window(MOTOR, 0.0, [Mode.SLOW])),
        (Window, {"motor": "motor1", "inner": {"motor": "motor2"}}, Window(MOTOR, inner={"motor": OTHER})),
        (Model, {"motor": "motor1", "width": 2}, Model(motor=MOTOR, width=2)),
        (Optics, {"motor": "motor1"}, Optics(MOTOR)),
        (Point, [1, 2], Point(1, 2)),
        (Point | None, {"x": 1}, Point(1)),
        (Slit, {"motor": "motor1", "points": [[1, 2]]}, Slit(MOTOR, [Point(1, 2)])),
        (Old, {"size": 1, "n": "y"}, Old(size=1, n="y")),
        (Strict | Loose, {"kind": "loose", "text": "t", "odd": "abc"}, Loose(kind="loose", text="t", odd="abc")),
        (Strict | Loose, {"kind": "strict", "n": 1, "more": 2}, Strict(kind="strict", n=1, more=2)),
        (Early, {"a": "motor1", "b": "motor2"}, Early(a=MOTOR, b=OTHER)),
        (
            Outer,
            {"window": {"motor": "motor1"}, "by_motor": {"motor2": [{"motor": "motor1"}]}},
            {"window": Window(MOTOR), "by_motor": {OTHER: [{"motor": MOTOR}]}},
        ),
        (dict[str, Window | Mode], {"a": {"motor": "motor1"}, "b": "fast"}, {"a": Window(MOTOR), "b": Mode.FAST}),
    ],
)
def test_a_plan_gets_what_its_hint_says(hint: Any, value: Any, result: Any) -> None:
    got = given(hint, value)
    assert got == result
    assert type(got) is type(result)


@pytest.mark.parametrize(("hint", "kind"), [(np.ndarray, "i"), (NDArray[np.float64], "f")])
def test_a_list_becomes_an_array_of_the_kind_that_the_hint_says(hint: Any, kind: str) -> None:
    array = given(hint, [[1, 2], [3, 4]])
    assert (array.shape, array.dtype.kind) == ((2, 2), kind)


@pytest.mark.parametrize(
    ("hint", "value", "wrong"),
    [
        (Settings, {"mtor": "motor1"}, {".mtor", ".motor"}),
        (Window, {"motor": "motr1", "wher": 5, "modes": ["fats"]}, {".motor", ".wher", ".modes[0]"}),
        (list[Window], [{"motor": "motor1"}, {"motor": "motor1", "inner": {"width": "5"}}], {"[1].inner.width"}),
        (Model, {"motor": "motor1", "width": -1}, {".width"}),
        (Strict, {"kind": "strict", "size": 1}, {".n"}),
        (Outer, {"by_motor": {"motr2": []}}, {".by_motor.motr2"}),
        (Outer, {"by_motor": {"motor2": [{"motor": "det1"}]}}, {".by_motor.motor2[0].motor"}),
    ],
)
def test_what_is_wrong_with_a_field_is_told_by_its_path(hint: Any, value: Any, wrong: set[str]) -> None:
    calls = PlanCalls({**DEVICES, "plan": plan_with(hint)})
    found = {path.removeprefix("item.args[0]") for path in calls.wrong("plan", value)}
    assert found & wrong == wrong


def test_named_arguments_are_the_fields_of_an_unpacked_record() -> None:
    def plan(**more: Unpack[Settings]) -> Iterator[Any]:
        yield more

    calls = PlanCalls({**DEVICES, "plan": plan})
    assert calls.given("plan", motor="motor1", width=5) == {"more": {"motor": MOTOR, "width": 5}}
    assert calls.wrong("plan", motor="motor1") == {}
    assert set(calls.wrong("plan", width="5", size=1)) == {
        "item.kwargs.motor",
        "item.kwargs.width",
        "item.kwargs.size",
    }


def test_a_tuple_for_positional_arguments_is_a_group_that_repeats_or_each_of_them() -> None:
    def plan(*args: tuple[Movable, list[float]]) -> Iterator[Any]:
        yield args

    calls = PlanCalls({**DEVICES, "plan": plan})
    assert calls.given("plan", "motor1", [1], "motor2", [2]) == {"args": (MOTOR, [1], OTHER, [2])}
    assert calls.given("plan", ["motor1", [1]], ["motor2", [2]]) == {"args": ((MOTOR, [1]), (OTHER, [2]))}
    assert set(calls.wrong("plan", "motor1", [1], "motr2", [2])) == {"item.args[2]"}
    assert set(calls.wrong("plan", "motor1", [1], "motor2")) == {"item.args"}
