"""What may be left out may also be given: each default is taken as a value, and described so that it can be."""

# mypy: disable-error-code="assignment"

import ast
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from annotated_types import Ge
from bluesky.protocols import Movable, Readable

from tests.unit.common.inventory.type_notation import shown
from tests.unit.environment.hints import DEVICES, Mode, Window
from tests.unit.environment.plan_calls import PlanCalls, plan_with

MOTOR, DET = DEVICES["motor1"], DEVICES["det1"]


def helper(value: float) -> float:
    return value


def of(hint: Any, default: Any) -> PlanCalls:
    return PlanCalls({**DEVICES, "helper": helper, "plan": plan_with(hint, default)})


@pytest.mark.parametrize(
    ("hint", "default", "tree", "text"),
    [
        (float, None, "number | none", "float | None"),
        (dict, None, "map | none", "dict | None"),
        (int | str, None, "integer | string | none", "int | str | None"),
        (list[Readable], None, "list(device:Readable) | none", "list[__READABLE__] | None"),
        (float | None, None, "number | none", "float | None"),
        (float, 5, "number", "float"),
        (int, 0.5, "integer | literal(0.5)", "int | typing.Literal[0.5]"),
        (int, 1.0, "integer", "int"),
        (float, False, "number | literal(False)", "float | typing.Literal[False]"),
        (float, "auto", "number | enum(auto)", "float | typing.Literal['auto']"),
        (Movable, "", "device:Movable | enum()", "__MOVABLE__ | typing.Literal['']"),
        (Sequence[str], (), "list(string)", "collections.abc.Sequence[str]"),
        (tuple[int, int], (), "tuple(integer, integer) | tuple", "tuple[int, int] | tuple[()]"),
        (tuple[int, int], (1, 2), "tuple(integer, integer)", "tuple[int, int]"),
        (Literal["a", 1], "b", "enum(a) | literal(1) | enum(b)", "typing.Literal['a', 1] | typing.Literal['b']"),
        (Mode, Mode.FAST, "enum Mode[fast, slow]", "Mode"),
        (Mode, None, "enum Mode[fast, slow] | none", "Mode | None"),
        (float, math.inf, "number", "float"),
        (np.ndarray, None, "list | none", "numpy.ndarray | None"),
    ],
)
def test_a_type_is_widened_by_a_default_that_it_does_not_admit(hint: Any, default: Any, tree: str, text: str) -> None:
    parameter = of(hint, default).parameters("plan")["a"]
    assert (shown(parameter.type), parameter.annotation) == (tree, text)


@pytest.mark.parametrize(
    ("hint", "default", "given"),
    [
        (float, None, None),
        (int, 0.5, 0.5),
        (float, "auto", "auto"),
        (Movable, "none", "none"),
        (Movable, "motor1", MOTOR),
        (tuple[int, int], (), ()),
        (Mode, Mode.SLOW, Mode.SLOW),
        (Window, None, None),
        (Movable, MOTOR, MOTOR),
        (list[Readable], [DET, MOTOR], [DET, MOTOR]),
        (list[Readable], ["det1", "all"], [DET, "all"]),
        (dict[str, Movable], {"a": "motor1", "b": "none"}, {"a": MOTOR, "b": "none"}),
        (tuple[Readable, ...], (DET,), (DET,)),
        (Callable[[float], float], helper, helper),
        (Any, 5, 5),
        (list, [1, "a"], [1, "a"]),
        (dict, {"a": [1, None]}, {"a": [1, None]}),
        (Annotated[float, Ge(0)], -1, -1),
    ],
)
def test_the_default_that_is_described_can_be_given(hint: Any, default: Any, given: Any) -> None:
    plan = of(hint, default)
    text = ast.literal_eval(plan.parameters("plan")["a"].default_text)
    value = list(text) if isinstance(text, tuple) else text
    assert plan.wrong("plan", value) == {}
    got = plan.given("plan", value)["a"]
    # An empty list stands for an empty tuple of the default, which is not a tuple of the hint.
    assert (tuple(got) if default == () else got) == given


def test_another_value_is_refused_as_before() -> None:
    assert of(float, None).wrong("plan", "x") == {"item.args[0]": 'must be a number or null, not "x"'}
    assert set(of(Annotated[float, Ge(0)], -1).wrong("plan", -2)) == {"item.args[0]"}
    (told,) = of(list[Readable] | None, None).wrong("plan", ["dett1"]).values()
    assert told.endswith("did you mean 'det1'?")
