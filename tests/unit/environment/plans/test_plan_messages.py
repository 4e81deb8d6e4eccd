"""What a plan yields that is not a message: told with the plan's own line and what to write there."""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import pytest
from bluesky import Msg, RunEngine
from bluesky.utils import plan as marked
from ophyd.sim import det1, motor1
from queueserver_environment.plans.plan_messages import NoMessageError, messages_of

# bluesky says it of every plan that is forgotten.
pytestmark = pytest.mark.filterwarnings(r"ignore:[\s\S]*was never iterated:RuntimeWarning")
HERE = Path(__file__).name
WRONG = re.compile(r"\s+(got = )?yield (?!from [^\[])")


@pytest.fixture(scope="module", autouse=True)
def no_plan_left() -> Iterator[None]:
    """Forgotten plans end here, and not in the tests of another module, which expect no warnings."""
    yield
    gc.collect()


def nothing(_: BaseException) -> None:
    """Explain no error."""


def forgets_from() -> Any:
    yield bp.count([det1])


def forgets_from_of_a_generator() -> Any:
    yield forgets_from()


def yields_messages_in_a_list() -> Any:
    yield [Msg("null"), Msg("null")]


def yields_plans_in_a_list() -> Any:
    yield [bps.null(), bps.null()]


def goes_through_a_list_of_plans() -> Any:
    yield from [bps.null(), bps.null()]


def forgets_from_on_several_lines() -> Any:
    yield bp.scan(
        [det1], motor1, 0, 1, 2
    )  # fmt: skip


def yields_none() -> Any:
    got = yield None
    return got


def yields_text() -> Any:
    yield "moving"


def yields_a_function() -> Any:
    yield bps.null


def yields_a_status() -> Any:
    yield motor1.set(0)


def yields_a_coroutine() -> Any:
    async def wait() -> None:
        return None

    waiting = wait()
    try:
        yield waiting
    finally:
        waiting.close()


class Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def yields_what_raises() -> Any:
    yield Hostile()


@bpp.stage_decorator([det1])
@bpp.run_decorator()
def forgets_from_inside_decorators() -> Any:
    yield bps.trigger_and_read([det1])


@bpp.relative_set_decorator([motor1])
@bpp.reset_positions_decorator([motor1])
def forgets_from_below_preprocessors() -> Any:
    yield bps.mv(motor1, 1)


def forgets_from_in_a_step() -> Any:
    def step(detectors: Any, step: Any, pos_cache: Any) -> Any:
        del detectors
        yield bps.move_per_step(step, pos_cache)

    yield from bp.scan([det1], motor1, 0, 1, 2, per_step=step)


CASES: list[tuple[Callable[[], Any], str, str]] = [
    (forgets_from, "a plan (count)", "write `yield from bp.count([det1])`."),
    (forgets_from_of_a_generator, "a plan (forgets_from)", "write `yield from forgets_from()`."),
    (yields_messages_in_a_list, "type list", 'write `yield from [Msg("null"), Msg("null")]`.'),
    (yields_plans_in_a_list, "type list", "write a loop"),
    (goes_through_a_list_of_plans, "a plan (null)", "write a loop"),
    (forgets_from_on_several_lines, "a plan (scan)", "write `yield from bp.scan(…`."),
    (yields_none, "None", "`yield from bps.null()`"),
    (yields_text, "type str", "leave the `yield` out"),
    (yields_a_function, "the function null", "call it and write `yield from`"),
    (yields_a_status, "Status", "`yield from bps.mv(…)`"),
    (yields_a_coroutine, "a coroutine", "`yield from bps.wait_for([…])`"),
    (yields_what_raises, "type Hostile", "leave the `yield` out"),
    (forgets_from_inside_decorators, "a plan (trigger_and_read)", "write `yield from bps.trigger_and_read([det1])`."),
    (forgets_from_below_preprocessors, "a plan (mv)", "write `yield from bps.mv(motor1, 1)`."),
    (forgets_from_in_a_step, "a plan (move_per_step)", "write `yield from bps.move_per_step(step, pos_cache)`."),
]


@pytest.mark.parametrize(("plan", "what", "advice"), CASES, ids=[plan.__name__ for plan, _, _ in CASES])
def test_a_plan_that_yields_something_else_is_told_where_and_what_to_write(
    plan: Callable[[], Any], what: str, advice: str
) -> None:
    with pytest.raises(NoMessageError) as caught:
        RunEngine({}, context_managers=[])(messages_of(plan(), nothing))
    lines, first = inspect.getsourcelines(plan)
    number = first + next(index for index, line in enumerate(lines) if WRONG.match(line))
    text = str(caught.value)
    assert text.startswith(f"{HERE}, line {number}, yields ")
    assert what in text
    assert advice in text


def test_a_plan_cleans_up_by_messages_after_it_has_yielded_something_else() -> None:
    def plan() -> Any:
        try:
            yield bp.count([det1])
        finally:
            yield Msg("null")

    messages = messages_of(plan(), nothing)
    assert next(messages).command == "null"
    with pytest.raises(NoMessageError):
        next(messages)


def test_a_plan_that_never_stops_yielding_something_else_is_ended() -> None:
    def plan() -> Any:
        while True:
            with contextlib.suppress(NoMessageError):
                yield None

    with pytest.raises(NoMessageError):
        next(messages_of(plan(), nothing))


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (None, "returned None and no messages"),
        (5, "returned an object of type int and no messages"),
        (functools.partial(bps.null), "returned an object of type partial"),
    ],
)
def test_a_plan_that_returns_no_messages_is_told_so(made: Any, what: str) -> None:
    with pytest.raises(NoMessageError, match=what):
        messages_of(made, nothing)


def test_an_async_function_that_is_marked_as_a_plan_is_told_to_be_an_ordinary_one() -> None:
    async def plan() -> None:
        return None

    made = plan()
    with pytest.raises(NoMessageError, match="write `def`, not `async def`"):
        messages_of(made, nothing)
    made.close()


@pytest.mark.parametrize(
    "made",
    [Msg("null"), [Msg("null")], iter([Msg("null")]), (m for m in [Msg("null")]), marked(bps.null)(), bps.null()],
    ids=["a message", "a list", "an iterator", "a generator", "a marked plan", "a stub"],
)
def test_everything_that_makes_messages_is_a_plan(made: Any) -> None:
    assert [message.command for message in messages_of(made, nothing)] == ["null"]


def test_what_a_plan_gets_raises_and_returns_passes_through() -> None:
    def plan() -> Any:
        got = yield Msg("null")
        try:
            yield Msg("null")
        except ValueError as error:
            return got, str(error)

    messages = messages_of(plan(), nothing)
    next(messages)
    messages.send("answer")
    with pytest.raises(StopIteration) as end:
        messages.throw(ValueError("thrown"))
    assert end.value.value == ("answer", "thrown")
