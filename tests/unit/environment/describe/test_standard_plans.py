"""Every plan of bluesky can be called as people call it, and each of its defaults may be given."""

import ast
from typing import Any

import pytest
from ophyd.sim import det1, det2, motor1, motor2

from tests.unit.environment.plan_calls import PlanCalls
from tests.unit.environment.standard_plans import DETS, NOT_FOR_REQUESTS, PLANS, STUBS, namespace, split

CALLS = PLANS | STUBS
ALL = PlanCalls(namespace())
DEVICES = {"det1", "det2", "motor1", "motor2", "flyer1"}
#: Metadata, and names of fields in documents, which are those of devices here.
KEPT = {"md", "target_field", "signal"}


def test_all_plans_of_bluesky_are_here() -> None:
    assert {plan.name for plan in ALL.inventory.plans} == CALLS.keys() | NOT_FOR_REQUESTS


@pytest.mark.parametrize(
    ("plan", "call"), [pytest.param(plan, call, id=f"{plan}{call}") for plan, calls in CALLS.items() for call in calls]
)
def test_a_standard_plan_takes_its_usual_arguments(plan: str, call: list[Any]) -> None:
    args, kwargs = split(call)
    assert ALL.wrong(plan, *args, **kwargs) == {}
    given = [value for name, value in ALL.given(plan, *args, **kwargs).items() if name not in KEPT]
    assert not DEVICES.intersection(_texts(given))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, (list, tuple)) else []


@pytest.mark.parametrize("plan", sorted(CALLS))
def test_each_default_of_a_standard_plan_may_be_given(plan: str) -> None:
    (args, kwargs), parameters = split(CALLS[plan][0]), ALL.parameters(plan)
    given_by_position = list(parameters)[: len(args)]
    for name, parameter in parameters.items():
        if parameter.default_text is not None and name not in given_by_position:
            default = ast.literal_eval(parameter.default_text)
            value = list(default) if isinstance(default, tuple) else default
            assert ALL.wrong(plan, *args, **{**kwargs, name: value}) == {}, name


@pytest.mark.parametrize(
    ("plan", "call", "wrong"),
    [
        ("list_scan", [DETS, "motor1"], {"item.args"}),
        ("list_scan", [DETS, "motor1", 5], {"item.args[2]"}),
        ("list_scan", [["dett1"], "motor1", [1]], {"item.args[0][0]"}),
        ("count", [["motr1"], {"num": 1.5}], {"item.args[0][0]", "item.kwargs.num"}),
        ("abs_set", ["det1", 5], {"item.args[0]"}),
        ("fly", [["dett1"]], {"item.args[0][0]"}),
        ("grid_scan", [DETS, "motor1", 0, 1, 2, {"snake_axes": ["motr1"]}], {"item.kwargs.snake_axes[0]"}),
        ("move_per_step", [{"motr1": 1}, {}, {}], {"item.args[0].motr1"}),
    ],
)
def test_a_wrong_argument_of_a_standard_plan_is_refused_by_its_path(
    plan: str, call: list[Any], wrong: set[str]
) -> None:
    args, kwargs = split(call)
    assert set(ALL.wrong(plan, *args, **kwargs)) == wrong


def test_names_of_motors_become_motors_in_groups_keys_and_axes() -> None:
    assert ALL.given("list_scan", ["det1"], "motor1", [1], "motor2", [2])["args"] == (motor1, [1], motor2, [2])
    grid = ALL.given("grid_scan", ["det1", "det2"], "motor1", 0, 1, 2, "motor2", 0, 1, 2, snake_axes=["motor2"])
    assert (grid["detectors"], grid["snake_axes"]) == ([det1, det2], [motor2])
    step = ALL.given("one_nd_step", ["det1"], {"motor1": 1, "motor2": 2}, {"motor1": None})
    assert (step["step"], step["pos_cache"]) == ({motor1: 1, motor2: 2}, {motor1: None})
