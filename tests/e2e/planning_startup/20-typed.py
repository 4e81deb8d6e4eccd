"""Plans with one parameter each, of every type that the reference's table of decisions has."""

import typing
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Readable
from bluesky_queueserver import parameter_annotation_decorator


def none(x):
    yield from bps.null()


def any_(x: Any):
    yield from bps.null()


def int_(x: int):
    yield from bps.null()


def float_(x: float):
    yield from bps.null()


def str_(x: str):
    yield from bps.null()


def bool_(x: bool):
    yield from bps.null()


def list_int(x: typing.List[int]):
    yield from bps.null()


def list_float(x: typing.List[float]):
    yield from bps.null()


def tuple_(x: typing.Tuple[int, str]):
    yield from bps.null()


def dict_(x: typing.Dict[str, int]):
    yield from bps.null()


def optional(x: typing.Optional[int]):
    yield from bps.null()


def union(x: typing.Union[int, str]):
    yield from bps.null()


def literal(x: typing.Literal["x", "y"]):
    yield from bps.null()


def readable(x: Readable):
    yield from bps.null()


@parameter_annotation_decorator({"parameters": {"x": {"annotation": "typing.List[__READABLE__]"}}})
def list_readable(x):
    yield from bps.null()


@parameter_annotation_decorator(
    {"parameters": {"x": {"annotation": "typing.List[D]", "devices": {"D": ["det1", "det2"]}}}}
)
def listed(x):
    yield from bps.null()


@parameter_annotation_decorator({"parameters": {"x": {"annotation": "E", "enums": {"E": ["fast", "slow"]}}}})
def enum(x):
    yield from bps.null()


@parameter_annotation_decorator({"parameters": {"x": {"min": 0, "max": 10}}})
def bounded(x):
    yield from bps.null()
