"""Plans whose descriptions say more than those of bluesky-queueserver, or say it in other words."""

import collections.abc
import datetime
import enum
import pathlib
from typing import List, Optional

import bluesky.protocols
from bluesky.plans import count, grid_scan, list_grid_scan, scan


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def number_or_nothing(a: float = None):
    yield from []


def enumeration(a: Colour):
    yield from []


def any_function(a: collections.abc.Callable):
    yield from []


def quoted(a: "List[int]", b: "bluesky.protocols.Readable", c: "Own", d: "int | None" = None):
    yield from []


def rare_protocol(a: bluesky.protocols.HasName):
    yield from []


def texts(a: datetime.datetime, b: Optional[pathlib.Path] = None):
    yield from []


def endless(a=float("inf")):
    yield from []


def device_as_default(a=motor1):
    yield from []


def lines():
    """Summary over
    two lines.
    """
    yield from []


def in_another_style(a):
    """Summary.

    Args:
        a (int): first.
    """
    yield from []
