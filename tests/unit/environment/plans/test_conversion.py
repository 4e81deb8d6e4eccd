"""What converts at execution: the table of the reference, by parameter and by what the submitter may use."""

# mypy: disable-error-code="misc, type-arg, untyped-decorator"

import copy
import functools
import math
import os
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np
import pytest
from queueserver_environment.plans.arguments import ArgumentError, bind
from queueserver_environment.plans.names import Names
from queueserver_environment.user_api.annotation_decorator import ATTRIBUTE, parameter_annotation_decorator
from queueserver_inventory.access import Access, GroupRules

from tests.unit.environment.reference_devices import Detector, Motor, reference_tree


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


class Gain(Enum):
    LOW = 1
    HIGH = 10


class Unplugged(Detector):
    component_names = ("x",)
    children = None  # type: ignore[assignment] # it names its component instead

    @property
    def x(self) -> Any:
        raise TimeoutError("no answer")


class Broken(Detector):
    def children(self) -> Any:
        raise RuntimeError("no children today")


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def plan_a() -> Iterator[Any]:
    yield


def plan_b() -> Iterator[Any]:
    yield


def helper(value: float) -> float:
    return value


TREE = reference_tree()
NAMESPACE = {
    **TREE,
    "plan_a": plan_a,
    "plan_b": plan_b,
    "helper": helper,
    "half": functools.partial(helper, 0.5),
    "Mode": Mode,
    "math": math,
    "os": os,
    "np": np,
    "here": TREE["motor"].set,
    "laboratory": object(),
    "unplugged": Unplugged(),
    "broken": Broken(),
}
NAMES = Names(NAMESPACE)
DET1, DET2, STAGE, MOTOR = (TREE[name] for name in ("det1", "det2", "stage", "motor"))
STAGE_X: Motor = STAGE._components["mtrs"]._components["x"]


def rules(**allowed: list[str]) -> GroupRules:
    return GroupRules(**{f"allowed_{kind}": tuple(names) for kind, names in allowed.items()})  # type: ignore[arg-type] # names of fields


def access(**allowed: list[str]) -> Access:
    everything = GroupRules(all_plans=True, all_devices=True, all_functions=True)
    return Access("visitors", everything, rules(**allowed))


def plan_with(said: dict[str, Any] | None = None, hint: Any = None) -> Callable[..., Iterator[Any]]:
    def plan(a: Any, *rest: Any, **more: Any) -> Iterator[Any]:
        yield a, rest, more

    plan.__annotations__ = {} if hint is None else {"a": hint}
    if said is not None:
        setattr(plan, ATTRIBUTE, {"parameters": {"a": said}})
    return plan


def converted(said: dict[str, Any] | None, value: Any, may: Access | None = None, hint: Any = None) -> Any:
    return bind(plan_with(said, hint), [value], {}, NAMES, may).arguments["a"]


DETS = {"annotation": "list[Dets]", "devices": {"Dets": [":^det", ":^stage$:?x$"]}}
PLANS = {"annotation": "list[P]", "plans": {"P": [":_a$"]}}


@pytest.mark.parametrize(
    ("said", "value", "result"),
    [
        # no annotation: each string that names a device, a component or a plan
        ({}, ["det1", "stage.mtrs.x", "plan_a", "nope"], [DET1, STAGE_X, plan_a, "nope"]),
        ({}, {"det1": {"det2": ["det1", 5, None]}}, {"det1": {"det2": [DET1, 5, None]}}),
        ({}, "helper", "helper"),
        # lists: only the names in them
        (DETS, ["det1", "det2", "stage.mtrs.x"], [DET1, DET2, STAGE_X]),
        ({**DETS, "annotation": "list[Dets] | str"}, "motor", "motor"),
        ({**DETS, "annotation": "dict[str, Dets | str]"}, {"det1": "det1", "x": "motor"}, {"det1": DET1, "x": "motor"}),
        (PLANS, ["plan_a"], [plan_a]),
        ({**PLANS, "annotation": "P | str"}, "plan_b", "plan_b"),
        # texts of enums, and any other annotation: nothing
        ({"annotation": "M | Dets", "enums": {"M": ["det1"]}, "devices": {"Dets": [":det"]}}, "det1", "det1"),
        ({"annotation": "str"}, "det1", "det1"),
        ({"annotation": "typing.List[str]"}, ["det1"], ["det1"]),
        ({"annotation": "typing.Any"}, ["det1", "plan_a"], ["det1", "plan_a"]),
        # built-in names
        ({"annotation": "__DEVICE__"}, "det1", DET1),
        ({"annotation": "__FLYABLE__"}, "det1", DET1),
        ({"annotation": "typing.List[__READABLE__]"}, ["det1", "motor"], [DET1, MOTOR]),
        ({"annotation": "__PLAN__"}, "plan_b", plan_b),
        ({"annotation": "list[__PLAN_OR_DEVICE__]"}, ["plan_b", "motor"], [plan_b, MOTOR]),
        ({"annotation": "__CALLABLE__"}, "helper", helper),
        # switches go before the type
        ({"convert_device_names": False}, ["det1", "plan_a"], ["det1", plan_a]),
        ({"convert_plan_names": False}, ["det1", "plan_a"], [DET1, "plan_a"]),
        ({"annotation": "str", "convert_device_names": True}, "det1", DET1),
        ({"annotation": "list[str]", "convert_plan_names": True}, ["plan_a", "det1"], [plan_a, "det1"]),
        ({"annotation": "typing.Any", "convert_device_names": True}, {"k": ["det1"]}, {"k": [DET1]}),
        ({**DETS, "convert_device_names": True}, ["motor"], [MOTOR]),
        ({**DETS, "convert_device_names": False}, ["det1"], ["det1"]),
        ({"annotation": "__PLAN__", "convert_plan_names": False}, "plan_a", "plan_a"),
    ],
)
def test_names_convert_as_the_reference_says(said: dict[str, Any], value: Any, result: Any) -> None:
    given = copy.deepcopy(value)
    assert converted(said, given) == result
    assert given == value


def test_each_element_of_args_and_each_value_of_kwargs_converts_alike() -> None:
    bound = bind(plan_with(), ["x", "det1", ["motor"]], {"det1": "det2"}, NAMES)
    assert bound.arguments["rest"] == (DET1, [MOTOR])
    assert bound.arguments["more"] == {"det1": DET2}


@pytest.mark.parametrize(
    ("said", "value", "told"),
    [
        (DETS, ["motor"], "it does not take the device 'motor'"),
        (DETS, ["dett1"], "did you mean det1 or det2?"),
        (PLANS, ["plan_b"], "did you mean plan_a?"),
        ({"annotation": "__DEVICE__"}, "nope", "there is no device that you may use called 'nope'"),
        ({"annotation": "__PLAN_OR_DEVICE__"}, "nope", "no device or plan"),
        ({}, "unplugged.x", "can't be used (TimeoutError: no answer)"),
        ({"annotation": "__DEVICE__"}, "unplugged.y", "no device that you may use called 'unplugged.y'"),
        ({"annotation": "__DEVICE__"}, "broken.y", "can't be used (RuntimeError: no children today)"),
    ],
)
def test_a_name_that_does_not_fit_where_only_a_name_does_is_refused(said: Any, value: Any, told: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        converted(said, value)
    assert "Parameter a: " in str(refused.value)
    assert told in str(refused.value)


def test_names_that_the_submitter_may_not_use_stay_strings() -> None:
    may = access(devices=["det1", "stage.mtrs.x"], plans=["plan_a"])
    value = ["det1", "det2", "det1.val", "stage", "stage.mtrs.x", "plan_a", "plan_b"]
    assert converted({}, value, may) == [DET1, "det2", "det1.val", "stage", STAGE_X, plan_a, "plan_b"]
    assert converted({"annotation": "str", "convert_device_names": True}, "det2", may) == "det2"


def test_names_that_the_submitter_may_not_use_are_refused_where_only_a_device_fits_and_not_proposed() -> None:
    may = access(devices=["det1"])
    for said in ({"annotation": "__DEVICE__"}, {"annotation": "D", "devices": {"D": [":^det"]}}):
        with pytest.raises(ArgumentError) as refused:
            converted(said, "det2", may)
        assert "did you mean det1?" in str(refused.value)
    with pytest.raises(ArgumentError) as refused:
        converted({"annotation": "__DEVICE__"}, "stage.mtrs.x", may)
    assert "stage" not in str(refused.value).split(";")[1]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("helper", helper),
        ("plan_a", plan_a),
        ("half", NAMESPACE["half"]),
        ("Mode", Mode),
        ("math.sqrt", math.sqrt),
        ("os.path.join", os.path.join),
        ("np.sin", np.sin),
        ("np.mean", np.mean),
        ("motor.set", MOTOR.set),
        # not a function: objects, their methods, methods in a variable, modules, names of nothing, private names
        ("det1", "det1"),
        ("laboratory.__class__", "laboratory.__class__"),
        ("here", "here"),
        ("math", "math"),
        ("math.nope", "math.nope"),
        ("helper.__call__", "helper.__call__"),
        ("os._exit", "os._exit"),
        ("nope.nope", "nope.nope"),
        ("", ""),
        ("not a name", "not a name"),
    ],
)
def test_a_dotted_name_leads_to_functions_classes_and_methods_of_devices_only(name: str, found: Any) -> None:
    assert converted({"annotation": "__CALLABLE__"}, name) == found


def test_functions_have_to_be_allowed_by_their_whole_name_and_methods_by_their_device() -> None:
    may = access(functions=["helper", "system", ":^math"], plans=["plan_a"], devices=["det1"])
    said = {"annotation": "__CALLABLE__"}
    assert converted(said, "helper", may) is helper
    assert converted(said, "plan_a", may) is plan_a
    assert converted(said, "math.sqrt", may) is math.sqrt
    assert converted(said, "det1.read", may) == DET1.read
    for name in ("plan_b", "os.system", "motor.set", "half"):
        with pytest.raises(ArgumentError, match="you may not use the function"):
            converted(said, name, may)
    assert converted({"annotation": "__CALLABLE__ | str"}, "nope", may) == "nope"


@pytest.mark.parametrize(
    ("hint", "value", "result"),
    [
        (Mode, "fast", Mode.FAST),
        (list[Mode], ["slow", "fast"], [Mode.SLOW, Mode.FAST]),
        (Mode | None, None, None),
        (Gain, "HIGH", Gain.HIGH),
        (dict[str, Gain | float], {"LOW": "LOW", "x": 1.5}, {"LOW": Gain.LOW, "x": 1.5}),
        (Mode, "other", "other"),
    ],
)
def test_texts_for_a_hint_that_is_an_enum_become_its_members(hint: Any, value: Any, result: Any) -> None:
    assert converted(None, value, hint=hint) == result


def test_an_enum_of_the_decorator_keeps_texts_whatever_the_hint_is() -> None:
    assert converted({"annotation": "Mode", "enums": {"Mode": ["fast"]}}, "fast", hint=Mode) == "fast"


def with_default(said: dict[str, Any]) -> Callable[..., Iterator[Any]]:
    def plan(a: Any = 0, b: Any = None, *, c: Any = 1) -> Iterator[Any]:
        yield a, b, c

    del plan.__annotations__["b"]
    return parameter_annotation_decorator({"parameters": {"b": said}})(plan)


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"default": ["det1"]}, [DET1]),
        ({"default": "det1", "annotation": "str"}, "det1"),
        ({"default": ["det1"], **DETS}, [DET1]),
        ({"default": 0}, 0),
        ({"default": ""}, ""),
        ({"default": None}, None),
    ],
)
def test_a_default_of_the_decorator_is_passed_and_converted_by_the_parameters_own_rules(
    said: dict[str, Any], result: Any
) -> None:
    plan = with_default(said)
    bound = bind(plan, [], {"c": 5}, NAMES)
    assert next(plan(*bound.args, **bound.kwargs)) == (0, result, 5)
    given = bind(plan, [1], {"b": 7}, NAMES)
    assert next(plan(*given.args, **given.kwargs)) == (1, 7, 1)


def test_a_plan_can_change_the_default_it_got_without_changing_that_of_the_next_call() -> None:
    plan = with_default({"default": {"k": [1]}, "annotation": "typing.Any"})
    bind(plan, [], {}, NAMES).arguments["b"]["k"].append(2)
    assert bind(plan, [], {}, NAMES).arguments["b"] == {"k": [1]}


def test_defaults_of_parameters_that_are_given_by_position_only_are_passed_with_those_before_them() -> None:
    @parameter_annotation_decorator({"parameters": {"b": {"default": 7}}})
    def plan(a: int = 1, b: int = 2, /, c: int = 3) -> Iterator[Any]:
        yield a, b, c

    bound = bind(plan, [], {}, NAMES)
    assert next(plan(*bound.args, **bound.kwargs)) == (1, 7, 3)


def test_a_plan_whose_hint_raises_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no words"):
        converted(None, 1, hint=Unprintable())


def test_a_plan_that_cant_be_described_can_not_be_called_either() -> None:
    with pytest.raises(ArgumentError, match="'Dets' is not known"):
        converted({"annotation": "Dets"}, 1)
