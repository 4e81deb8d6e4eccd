"""Plans whose descriptions are the same as those of bluesky-queueserver."""

import collections.abc
import enum
import typing
from collections.abc import Iterable, Sequence
from typing import Any, Dict, List, Literal, Optional, Tuple, Union

from bluesky.plan_stubs import mv, mvr, null, sleep
from bluesky.plans import adaptive_scan, fly, tune_centroid, tweak
from bluesky.protocols import (
    Checkable,
    Configurable,
    Flyable,
    Locatable,
    Movable,
    NamedMovable,
    Pausable,
    Readable,
    Stageable,
    Stoppable,
    Subscribable,
    Triggerable,
)
from bluesky.utils import plan as marked_as_plan
from bluesky_queueserver import parameter_annotation_decorator


class Own:
    pass


def scan_a(a):
    yield from []


def scan_b():
    yield from []


alias_of_scan_b = scan_b


@parameter_annotation_decorator(
    {
        "description": "Move a stage, then measure.",
        "parameters": {
            "detectors": {
                "description": "Detectors to read.",
                "annotation": "typing.List[Dets]",
                "devices": {"Dets": ["det1", ":^bundle$:-^mtrs$:.+"]},
                "default": ["det1"],
            },
            "follow_up": {
                "annotation": "typing.Union[Follow, NoneType]",
                "plans": {"Follow": [":^scan_", "nonexisting"]},
            },
            "mode": {"annotation": "Mode", "enums": {"Mode": ("fast", "slow")}},
            "position": {"min": -5, "max": 5.5, "step": 0.1},
        },
    }
)
def move_and_measure(
    mode,
    position: float,
    detectors=None,
    follow_up=None,
    *extra: int,
    num: int = 1,
    md: Optional[Dict[str, Any]] = None,
    **kwargs,
):
    """Docstring summary.

    Parameters
    ----------
    mode : str
        Fast or slow.
    position : float
        Where to go.
    num : int
        Number of
        repeats.
    """
    yield from []


def python_types(
    a: int, b: float, c: str, d: bool, e: tuple, f: dict, g: list, h: set, i: bytes = b"x", j: complex = 1j
):
    yield from []


def optional(
    a: Optional[int],
    b: int | None,
    c: Union[int, str],
    d: Union[int, None, str],
    e: Optional[Union[int, str]],
    f: Optional[float] = None,
):
    yield from []


def generic(
    a: List[int],
    b: list[int],
    c: Tuple[int, str],
    d: tuple[int, ...],
    e: Dict[str, Any],
    f: Dict[str, List[int]],
    g: Sequence[float],
    h: typing.Sequence[float],
    i: Iterable[int],
    j: typing.Iterable[int],
    k: Iterable,
    l: Dict,
    m: List,
    n: typing.Mapping[str, int],
    o: typing.Set[int],
    p: collections.abc.Sequence,
    q: Dict[int, float],
):
    yield from []


def literals(a: Literal["a", "b"], b: Literal[1, 2], c: Literal["a", 1, None, True], d: Optional[Literal["x"]] = None):
    yield from []


def anything(a: Any, b: typing.Any = 1, c: List[Any] = [], d=None):
    yield from []


def protocols(
    a: Readable,
    b: Movable,
    c: Flyable,
    d: Configurable,
    e: Triggerable,
    f: Locatable,
    g: Stageable,
    h: Pausable,
    i: Stoppable,
    j: Subscribable,
    k: Checkable,
    l: NamedMovable,
):
    yield from []


def protocols_within(
    a: List[Readable],
    b: Union[Readable, List[Readable]],
    c: Sequence[Readable],
    d: Optional[Movable],
    e: Movable | None,
    f: Dict[str, Movable],
    g: Tuple[Movable, float],
    *args: Movable | Any,
):
    yield from []


def functions(
    a: typing.Callable[[int], float],
    b: typing.Callable,
    c: collections.abc.Callable[[int], float],
    d: Optional[typing.Callable] = None,
):
    yield from []


def own_classes(a: Own, b: List[Own], c: Optional[Own], d: Bundle, e: List[Stage]):
    yield from []


def defaults(
    a=1,
    b=1.0,
    c="a",
    d=None,
    e=[1, 2],
    f=(1, "b"),
    g={"a": 1},
    h={1, 2},
    i=b"x",
    j=True,
    k=-1.5,
    l=1e-9,
    m="it's",
    n=["det1"],
    o=(),
    p={},
    q=1e300,
    r='say "x"',
    s="a\nb",
):
    yield from []


def ways_to_pass(a, b, /, c, d=1, *args, e, f=2, **kwargs):
    yield from []


def ways_to_pass_with_types(a: int, /, *args: float, e: str = "x", **kwargs: Any):
    yield from []


def without_words(a, b):
    yield from []


def only_a_summary(a, b):
    """Only a summary."""
    yield from []


def with_words(a, b, c, *args, **kwargs):
    """
    Summary in one line.

    A longer text.

    Parameters
    ----------
    a, b : int
        Shared text.
    c
        No type.

        After an empty line.
    *args : tuple
        Further.
    **kwargs
        Names.

    Returns
    -------
    nothing
    """
    yield from []


@parameter_annotation_decorator(
    {
        "parameters": {
            "a": {"min": 5, "max": 10.50, "step": 1e-7},
            "b": {"min": 0, "max": 1e22},
            "c": {"step": 1.0, "min": -2.0},
            "d": {"min": -1e3},
        }
    }
)
def limits(a: int, b: float, c: float, d):
    yield from []


@parameter_annotation_decorator(
    {
        "parameters": {
            "a": {"annotation": "float", "default": 0},
            "b": {"default": ""},
            "c": {"default": False},
            "d": {"default": None},
            "e": {"default": "det1"},
            "f": {"annotation": "str", "default": "x"},
            "g": {"default": {"a": [1, 2]}},
            "h": {"default": (1, 2)},
        }
    }
)
def decorated_defaults(a=1, b="q", c=True, d=5, e=None, f=motor1, g=None, h=None):
    yield from []


@parameter_annotation_decorator(
    {
        "parameters": {
            "a": {
                "annotation": "typing.List[typing.Union[Dev, Pl, En]]",
                "devices": {"Dev": [":?.*:depth=2"]},
                "plans": {"Pl": [":^scan_", "mv"]},
                "enums": {"En": ["b", "a", "B"]},
            },
            "b": {
                "annotation": "Both",
                "devices": {"Both": ["det1", "bundle.mtrs", "bundle.mtrs.x"]},
                "plans": {"Both": ["scan_a"]},
            },
            "c": {"annotation": "__MOVABLE__"},
            "d": {"annotation": "typing.List[__READABLE__]"},
            "e": {"annotation": "__DEVICE__"},
            "f": {"annotation": "__PLAN__"},
            "g": {"annotation": "__PLAN_OR_DEVICE__"},
            "h": {"annotation": "__CALLABLE__"},
            "i": {"annotation": "typing.Union[__PLAN__, __DEVICE__]"},
            "j": {"annotation": "str", "convert_device_names": True},
            "k": {"annotation": "str", "convert_plan_names": True},
            "l": {"convert_device_names": False, "convert_plan_names": False},
            "m": {"annotation": "str", "convert_device_names": False},
            "n": {"annotation": "int|str"},
            "o": {"annotation": "typing.Dict[str,int]"},
            "p": {"annotation": "typing.Literal['a',\"b\"]"},
            "q": {"annotation": "Nobody", "devices": {"Nobody": ["nodevice", "det1", "_hidden", "bundle"]}},
            "r": {"annotation": "collections.abc.Sequence[Axes]", "devices": {"Axes": ["__MOTOR__:?.*"]}},
            "s": {"annotation": "Seen", "devices": {"Seen": ["__DETECTOR__:.*", "__FLYABLE__:.*"]}},
        }
    }
)
def lists(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s):
    yield from []


@parameter_annotation_decorator(
    {"description": "Said by the decorator.", "parameters": {"a": {"description": "said\nby it"}}}
)
def said_twice(a, b):
    """From the docstring.

    Parameters
    ----------
    a
        doc a
    b
        doc b
    """
    yield from []


def _hidden_plan(a):
    yield from []


@marked_as_plan
def without_generator(a: int = 1):
    return scan_b()


class Holder:
    def method(self, a: int):
        yield from []


method_of_an_object = Holder().method


def größe_ändern(größe: float = 1.0, text="é"):
    """Größe ändern."""
    yield from []
