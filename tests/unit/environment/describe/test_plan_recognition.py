"""Which objects are plans, by what they are, wrap and declare; and what is said of those that are none."""

# Plans are written here as users write them.
# ruff: noqa: ANN201, ANN204
# mypy: disable-error-code="misc, untyped-decorator, no-untyped-def, no-untyped-call, type-arg, attr-defined"

import contextlib
import functools
from collections.abc import Callable, Generator, Iterator
from typing import Annotated, Any, ForwardRef

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import pytest
from bluesky import Msg, RunEngine
from bluesky.protocols import Readable
from bluesky.utils import MsgGenerator
from bluesky.utils import plan as marked
from ophyd.sim import det1, motor1
from pydantic import Field, validate_call
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.describe.plan_recognition import is_plan, why_no_plan
from queueserver_environment.plans.arguments import bind
from queueserver_environment.plans.names import Names
from queueserver_environment.plans.run_engine import run_engine_issues, run_engine_of
from queueserver_inventory.descriptions import InventoryIssueKind

from tests.unit.environment import postponed_plans

# Plans are only begun here.
pytestmark = pytest.mark.filterwarnings(r"ignore:[\s\S]*was never iterated:RuntimeWarning")


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


def align(detectors: list[Readable], num: int = 1):
    yield from bp.count(detectors, num)


@validate_call(config={"arbitrary_types_allowed": True})
def validated(detectors: Annotated[set[Readable], Field(min_length=1)], num: Annotated[int, Field(ge=1)] = 1):
    yield from bp.count(list(detectors), num)


def declared(num: int = 1) -> MsgGenerator:
    return bp.count([det1], num)


def declared_with_result(num: int = 1) -> MsgGenerator[int]:
    return bp.count([det1], num)


def spelt_out(num: int = 1) -> Generator[Msg, None, None]:
    return bp.count([det1], num)


def in_a_list(num: int = 1) -> list[Msg]:
    return [Msg("null")] * num


def only_for_checkers(num: int = 1) -> "Elsewhere | MsgGenerator":  # type: ignore[name-defined] # noqa: F821
    return bp.count([det1], num)


def by_reference(num: int = 1) -> Any:
    return bp.count([det1], num)


by_reference.__annotations__["return"] = ForwardRef("Elsewhere | MsgGenerator")


class Aligner:
    def __call__(self, num: int = 1) -> "MsgGenerator":
        return bp.count([det1], num)

    def align(self, num: int = 1) -> MsgGenerator:
        return bp.count([det1], num)

    __hash__ = None


PLANS: dict[str, Any] = {
    "validated": validated,
    "wrapped": logged(align),
    "wrapped twice": logged(logged(align)),
    "wrapped when marked": logged(bp.count),
    "declared": declared,
    "declared with a result": declared_with_result,
    "declared as text": postponed_plans.declared,
    "spelt out": spelt_out,
    "in a list": in_a_list,
    "only for checkers": only_for_checkers,
    "only for checkers, by a reference": by_reference,
    "partial": functools.partial(align, [det1]),
    "partial of a marked plan": functools.partial(bp.count, [det1]),
    "partial of a declared plan": functools.partial(declared, num=2),
    "partial of a partial": functools.partial(functools.partial(declared), 2),
    "partial of an object": functools.partial(Aligner(), 2),
    "object": Aligner(),
    "method": Aligner().align,
    "decorated": bpp.run_decorator()(bpp.stage_decorator([det1])(align)),
    "finalized": bpp.finalize_decorator(bps.null)(align),
    "marked": marked(align),
}


@pytest.mark.parametrize("name", PLANS)
def test_what_wraps_or_declares_a_plan_is_described_and_can_be_called(name: str) -> None:
    plan = PLANS[name]
    namespace = {"plan": plan, "det1": det1}
    inventory = take_inventory(namespace)
    assert [described.name for described in inventory.plans] == ["plan"]
    assert not inventory.issues
    needs_detectors = any(parameter.name == "detectors" for parameter in inventory.plans[0].parameters)
    needs_detectors &= not isinstance(plan, functools.partial)
    bound = bind(plan, [["det1"]] if needs_detectors else [], {}, Names(namespace))
    made = plan(*bound.args, **bound.kwargs)
    assert isinstance(next(iter(made)), Msg)


def uses_engine(plan: Callable[..., Any]) -> Callable[..., Any]:
    engine = RunEngine({}, context_managers=[])

    @functools.wraps(plan)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return engine(plan(*args, **kwargs))

    return inner


@contextlib.contextmanager
def shutter_open() -> Iterator[None]:
    yield


def undeclared():
    return bp.count([det1])


async def asynchronous() -> MsgGenerator:
    return bp.count([det1])


async def asynchronous_generator():
    yield Msg("null")


class Preprocessor:
    def __call__(self, plan: Any):
        return (yield from plan)


NO_PLANS: dict[str, tuple[Any, str]] = {
    "undeclared": (undeclared, "it contains no `yield`; say `-> MsgGenerator`"),
    "lambda": (lambda: bp.count([det1]), "it contains no `yield`"),
    "context manager": (shutter_open, "it is a context manager"),
    "calls the RunEngine": (uses_engine(align), "it calls the RunEngine itself"),
    "async": (asynchronous_generator, "it is async; write `def` in place of `async def`"),
    "async, wrapped": (logged(asynchronous), "it is async"),
    "cached": (functools.lru_cache(align), "a cache would give away the same generator twice"),
    "class": (Aligner, "make a plan that uses it"),
    "preprocessor": (Preprocessor(), "its class Preprocessor does not say so"),
}


@pytest.mark.parametrize("name", NO_PLANS)
def test_what_is_no_plan_is_known_with_the_reason(name: str) -> None:
    value, reason = NO_PLANS[name]
    assert not is_plan(value)
    assert reason in why_no_plan("it", value)
    inventory = take_inventory({"it": value})
    assert not inventory.plans
    told = [no_plan.message for no_plan in inventory.no_plans] + [issue.message for issue in inventory.issues]
    assert told == [why_no_plan("it", value)]


def test_what_declares_a_plan_and_is_none_is_an_issue_with_its_place() -> None:
    (issue,) = take_inventory({"asynchronous": asynchronous, "undeclared": undeclared}).issues
    assert (issue.name, issue.kind) == ("asynchronous", InventoryIssueKind.PLAN)
    assert (issue.file, issue.line) == (__file__, asynchronous.__code__.co_firstlineno)
    assert "it is async" in issue.message


def test_what_bluesky_itself_brings_is_no_plan_because_it_can_be_called() -> None:
    namespace = {"RE": RunEngine({}, context_managers=[]), "sd": bpp.SupplementalData(), "det1": det1}
    inventory = take_inventory(namespace)
    assert not inventory.plans
    assert not inventory.issues
    assert [device.name for device in inventory.devices] == ["det1"]


class Raising:
    def __init__(self, error: type[BaseException]) -> None:
        object.__setattr__(self, "error", error)

    def __getattribute__(self, name: str) -> Any:
        raise object.__getattribute__(self, "error")(name)

    def __call__(self) -> MsgGenerator:
        return bps.null()


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_object_whose_attributes_raise_costs_that_object_only(error: type[BaseException]) -> None:
    namespace = {"align": align, "hostile": Raising(error), "motor1": motor1, "motor2": Raising(error)}
    inventory = take_inventory(namespace)
    assert [plan.name for plan in inventory.plans] == ["align"]
    assert [device.name for device in inventory.devices] == ["motor1"]
    assert {issue.name for issue in inventory.issues} == {"hostile", "motor2"}
    names = Names(namespace)
    assert names.plans_like("alig") == ["align"]
    assert names.devices_like("motr1") == ["motor1"]
    assert names.plan("hostile") is None
    assert run_engine_of({"RE": Raising(error)}) is None
    assert "is of type Raising" in run_engine_issues({"RE": Raising(error)})[0].message
