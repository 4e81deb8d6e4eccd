"""Descriptions of plans as dictionaries: bound, checked and shown to people."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from queueserver_environment.user_api.plan_arguments import bind_plan_arguments, construct_parameters
from queueserver_environment.user_api.plan_validation import validate_plan
from queueserver_environment.user_api.text_descriptions import format_text_descriptions


def parameter(name: str, kind: int = 1, **fields: Any) -> dict[str, Any]:
    """A parameter as in the lists of plans."""
    kinds = ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "VAR_POSITIONAL", "KEYWORD_ONLY", "VAR_KEYWORD")
    return {"name": name, "kind": {"name": kinds[kind], "value": kind}, **fields}


MODE = parameter("mode", annotation={"type": "Mode", "enums": {"Mode": ["fast", "slow"]}}, description="How.")
POSITION = parameter("position", annotation={"type": "float"}, min="-5", max="5.5", step="0.1")
DETECTORS = parameter(
    "detectors", annotation={"type": "typing.List[D]", "devices": {"D": ["det1", "stage.x"]}}, default="['det1']"
)
PARAMETERS = [MODE, POSITION, DETECTORS]
PLAN = {"name": "move", "description": "Move.\nThen measure.", "parameters": PARAMETERS}
DEVICES = {"det1": {}, "stage": {"excluded": True, "components": {"x": {}}}}


def test_arguments_are_bound_as_the_plan_would_bind_them() -> None:
    rest = {"parameters": [*PARAMETERS, parameter("extra", 2), parameter("num", 3, default="1")]}
    bound = bind_plan_arguments(plan_args=["fast", 1, ["det1"], 7], plan_kwargs={"num": 2}, plan_parameters=rest)
    assert bound.arguments == {"mode": "fast", "position": 1, "detectors": ["det1"], "extra": (7,), "num": 2}
    with pytest.raises(TypeError, match="missing a required argument: 'position'"):
        bind_plan_arguments(plan_args=["fast"], plan_kwargs={}, plan_parameters=rest)


def test_parameters_have_types_and_defaults_that_are_read_and_not_evaluated() -> None:
    mode, position, detectors, anything = construct_parameters(
        [*PARAMETERS, parameter("any", annotation={"type": "typing.Optional[typing.Dict[str, int]]"})]
    )
    assert [member.value for member in mode.annotation] == ["fast", "slow"]
    assert (position.annotation, position.default) == (float, position.empty)
    assert typing.get_origin(detectors.annotation) is list
    assert detectors.default == ["det1"]
    (literal,) = construct_parameters([parameter("x", annotation={"type": "typing.Literal[1, True]"})])
    assert literal.annotation == typing.Literal[1, True]
    assert anything.annotation == typing.Optional[typing.Dict[str, int]]  # noqa: UP006, UP045 - as it was written
    with pytest.raises(TypeError, match="can't be understood"):
        construct_parameters([parameter("a", default="__import__('os').getpid()")])


def test_types_and_defaults_that_are_known_already_go_before_those_of_the_description() -> None:
    unreadable = parameter("odd", 3, annotation={"type": "]"}, default="f(")
    known = {"odd": {"type": bytes, "default": b"x"}, "mode": {}, "other": {"type": int}}
    mode, position, odd = construct_parameters([MODE, POSITION, unreadable], params_decoded=known)
    assert (odd.annotation, odd.default, odd.kind) == (bytes, b"x", odd.KEYWORD_ONLY)
    assert (mode.annotation, mode.default) == (Any, mode.empty)
    assert position.annotation is float
    with pytest.raises(TypeError, match="can't be understood"):
        construct_parameters([unreadable], params_decoded=None)


@pytest.mark.parametrize(
    ("args", "kwargs", "problem"),
    [
        (["fast", 1], {}, ""),
        (["fast", 5.5], {"detectors": ["stage.x", "det1"]}, ""),
        (["fst", 1], {}, "'mode' must be of type"),
        (["fast", "1"], {}, "'position' must be of type float"),
        (["fast", True], {}, "'position' must be of type float"),
        (["fast", 6], {}, "out of range: 6 > 5.5"),
        (["fast", -6], {}, "out of range: -6 < -5.0"),
        (["fast", 1, ["det2"]], {}, "'detectors' must be"),
        (["fast", 1, "det1"], {}, "'detectors' must be"),
        (["fast"], {}, "missing a required argument"),
    ],
)
def test_a_call_fits_or_not_and_it_is_said_why(args: list[Any], kwargs: dict[str, Any], problem: str) -> None:
    call = {"name": "move", "args": args, "kwargs": kwargs}
    accepted, message = validate_plan(call, allowed_plans={"move": PLAN}, allowed_devices=DEVICES)
    assert accepted == (not problem)
    assert problem in message
    assert validate_plan(call, allowed_plans=None, allowed_devices=None) == (True, "")


def test_devices_must_be_allowed_even_if_the_plan_lists_them_and_plans_must_be_there() -> None:
    call = {"name": "move", "args": ["fast", 1, ["det1"]]}
    assert not validate_plan(call, allowed_plans={"move": PLAN}, allowed_devices={})[0]
    assert validate_plan(call, allowed_plans={"move": PLAN}, allowed_devices=None)[0]
    assert "'move' is not in the list" in validate_plan(call, allowed_plans={}, allowed_devices={})[1]


@pytest.mark.parametrize(
    ("annotation", "value", "fits"),
    [
        ("typing.Union[int, str]", 1, True),
        ("typing.Union[int, str]", 1.5, False),
        ("typing.Tuple[int, str]", [1, "a"], True),
        ("typing.Tuple[int, str]", [1], False),
        ("typing.Dict[str, int]", {"a": 1}, True),
        ("typing.Dict[str, int]", {"a": 1.5}, False),
        ("typing.Literal['x', 'y']", "z", False),
        ("typing.Optional[bool]", None, True),
        ("bool", 1, False),
        ("__READABLE__", "det1", True),
        ("__READABLE__", "stage", False),
        ("__PLAN__", "one", True),
        ("__PLAN_OR_DEVICE__", "stage.x", True),
        ("typing.Any", object(), True),
    ],
)
def test_values_fit_the_types_that_they_are_of(annotation: str, value: Any, fits: bool) -> None:
    plan = {"parameters": [parameter("a", annotation={"type": annotation})]}
    call = {"name": "one", "args": [value]}
    assert validate_plan(call, allowed_plans={"one": plan}, allowed_devices=DEVICES)[0] == fits


def test_a_description_is_shown_as_text_or_html() -> None:
    text = format_text_descriptions(PLAN)
    assert text["description"] == "Name: move\nMove.\nThen measure."
    assert text["parameters"]["mode"] == "Name: mode\nType: Mode\nMode: ('fast', 'slow')\nDefault: -\nHow."
    assert text["parameters"]["position"].splitlines()[-1] == "Min: -5 Max: 5.5 Step: 0.1"
    html = format_text_descriptions(PLAN, use_html=True)
    assert html["description"] == "<i>Name:</i> <b>move</b><br>Move.<br>Then measure."
    assert html["parameters"]["detectors"].endswith("<b>D:</b> ('det1', 'stage.x')<br><i>Default:</i> <b>['det1']</b>")
    assert format_text_descriptions({}) == {}
