# What is described here is written as users write it: on ophyd, which has no types, and without type arguments.
# mypy: disable-error-code="misc, type-arg, untyped-decorator"

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import pytest
from bluesky.plans import count, list_scan, scan
from bluesky.protocols import Movable, Readable
from ophyd import Component, Device, Signal
from ophyd.sim import det1, det2, motor1
from queueserver_environment.plans.arguments import ArgumentError, bind
from queueserver_environment.plans.names import Names


class Stage(Device):
    x = Component(Signal, value=0)


stage = Stage(name="stage")


def helper() -> None:
    pass


NAMES = Names({"det1": det1, "det2": det2, "motor1": motor1, "stage": stage, "count": count, "helper": helper})


def bare(a: Any) -> Iterator[Any]:
    yield a


def with_hint(hint: Any) -> Callable[[Any], Iterator[Any]]:
    def plan(a: Any) -> Iterator[Any]:
        yield a

    plan.__annotations__["a"] = hint
    return plan


def unannotated(a, *args, **kwargs):  # type: ignore[no-untyped-def] # noqa: ANN001,ANN002,ANN003,ANN201 - that is the case
    yield a, args, kwargs


def converted(hint: Any, value: Any) -> Any:
    return bind(with_hint(hint), [value], {}, NAMES).arguments["a"]


def test_without_a_hint_names_convert_at_any_depth_but_never_as_keys() -> None:
    bound = bind(unannotated, [{"det1": ["det1", {"x": "stage.x"}]}, "count", "nobody"], {"k": "motor1"}, NAMES)
    assert bound.arguments["a"] == {"det1": [det1, {"x": stage.x}]}
    assert bound.arguments["args"] == (count, "nobody")
    assert bound.arguments["kwargs"] == {"k": motor1}


@pytest.mark.parametrize("hint", [str, Any, list[str], dict[str, Any], Literal["det1"], list, dict, str | None])
def test_other_hints_keep_strings_that_look_like_devices(hint: Any) -> None:
    for value in ("det1", ["det1"], {"key": "det1"}):
        assert converted(hint, value) == value


@pytest.mark.parametrize(
    ("hint", "value", "result"),
    [
        (Readable, "det1", det1),
        (Readable, "stage.x", stage.x),
        (Readable | None, None, None),
        (Sequence[Readable], ["det1", "det2"], [det1, det2]),
        (Readable | list[Readable], "det1", det1),
        (Readable | list[Readable], ["det1"], [det1]),
        (dict[str, Readable], {"det2": "det1"}, {"det2": det1}),
        (list[tuple[Movable, str, float]], [["motor1", "motor1", 1]], [(motor1, "motor1", 1)]),
        (Movable | Any, "motor1", motor1),
        (Movable | Any, "nobody", "nobody"),
        (Readable | str, "nobody", "nobody"),
        (Sequence[Readable], "det1", det1),
        (Sequence[Readable], 5, 5),
        (Callable[[], None], "helper", helper),
        (Callable[[], None], "nobody", "nobody"),
        (Callable[[], None], "_private", "_private"),
    ],
)
def test_a_device_or_function_anywhere_in_a_hint_converts_names_there(hint: Any, value: Any, result: Any) -> None:
    assert converted(hint, value) == result


@pytest.mark.parametrize(
    ("hint", "value", "near"),
    [
        (Readable, "det3", "det2"),
        (Sequence[Readable], ["det1", "detector1"], "det1"),
        (Movable | None, "moter1", "motor1"),
        (Readable, "stage.y", "stage.x"),
        (Readable, "stge.x", "stage"),
    ],
)
def test_a_name_that_is_no_device_where_only_a_device_fits_is_refused(hint: Any, value: Any, near: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        converted(hint, value)
    assert "Parameter a" in str(refused.value)
    assert near in str(refused.value).split("did you mean")[1]


def test_the_arguments_given_are_not_changed_in_place() -> None:
    given = [["det1"]]
    bind(unannotated, given, {}, NAMES)
    assert given == [["det1"]]


def test_standard_plans_get_their_motors_through_star_args() -> None:
    assert bind(scan, [["det1"], "motor1", -1, 1, 10], {}, NAMES).arguments["args"] == (motor1, -1, 1, 10)
    assert bind(list_scan, [["det1"], "motor1", [1, 2]], {}, NAMES).arguments["args"] == (motor1, [1, 2])


@pytest.mark.parametrize(("args", "kwargs"), [([], {}), ([1, 2], {}), ([1], {"b": 2}), ([1], {"a": 2})])
def test_arguments_that_do_not_bind_are_refused(args: list[Any], kwargs: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="do not fit"):
        bind(bare, args, kwargs, NAMES)
