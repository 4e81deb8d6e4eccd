"""Classes for hints of plans, and a namespace in which hints are evaluated that are written as text."""

import collections.abc
import dataclasses
import datetime as dt
import decimal
import numbers
import os
import pathlib
import re
import sys
import typing
import uuid
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypedDict

import attrs
import bluesky.protocols
import numpy as np
import numpy.typing as npt
import pydantic
from bluesky.protocols import Movable
from ophyd import Component, Device
from ophyd.sim import SynAxis, det1, motor1, motor2
from typing_extensions import NotRequired


def of_union(old: str, new: str) -> str:
    """Choose the text of a union that is written in the old form: from Python 3.14 on it is the same as the new one."""
    return old if sys.version_info < (3, 14) else new


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


class Settings(TypedDict):
    motor: Movable[Any]
    width: NotRequired[float]


@dataclasses.dataclass
class Window:
    motor: Movable[Any]
    width: float = 0.0
    modes: list[Mode] = dataclasses.field(default_factory=list)
    inner: "Settings | None" = None


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    motor: Movable[Any]
    width: float = pydantic.Field(default=1, ge=0)


@attrs.define
class Optics:
    motor: Movable[Any]
    width: float = 0


class Point(NamedTuple):
    x: float
    y: float = 0


class XYStage(Device):  # type: ignore[misc] # ophyd has no types
    x = Component(SynAxis)
    y = Component(SynAxis)


class Opaque:
    pass


class Checked(bluesky.protocols.Readable[Any], Protocol):
    def check(self) -> None: ...


@dataclasses.dataclass
class Node:
    value: float
    children: "list[Node]" = dataclasses.field(default_factory=list)


STAGE = XYStage(name="stage")
DEVICES: dict[str, Any] = {"det1": det1, "motor1": motor1, "motor2": motor2, "stage": STAGE}
NAMESPACE: dict[str, Any] = {
    **vars(typing),
    **vars(collections.abc),
    **{name: value for name, value in vars(bluesky.protocols).items() if isinstance(value, type)},
    **{cls.__name__: cls for cls in (Mode, Settings, Window, Model, Optics, Point, XYStage, Opaque, Checked, Node)},
    **{cls.__name__: cls for cls in (dt.datetime, dt.date, dt.time, dt.timedelta)},
    "deque": collections.deque,
    "Decimal": decimal.Decimal,
    "UUID": uuid.UUID,
    "Path": pathlib.Path,
    "PurePath": pathlib.PurePath,
    "Pattern": re.Pattern,
    "NDArray": npt.NDArray,
    "np": np,
    "numbers": numbers,
    "os": os,
    "X": str,
    "Y": int,
}
