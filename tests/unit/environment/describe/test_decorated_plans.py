"""What the decorator says about a plan, in its description; and what is wrong with what it says."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from queueserver_environment.describe import expansion
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.user_api.annotation_decorator import ATTRIBUTE, parameter_annotation_decorator
from queueserver_inventory.descriptions import InventoryIssue, InventoryIssueKind, ParameterDescription
from queueserver_inventory.list_entries import plan_entry

from tests.unit.common.inventory.type_notation import shown
from tests.unit.environment.documented import take_documented
from tests.unit.environment.reference_devices import reference_tree

NO_DEFAULT = inspect.Parameter.empty


def decorated(said: dict[str, Any], default: Any = NO_DEFAULT) -> Any:
    def plan(a: int) -> Iterator[Any]:
        """Do it."""
        yield a

    if default is not NO_DEFAULT:
        plan.__defaults__ = (default,)
    return parameter_annotation_decorator({"parameters": {"a": said}})(plan)


def described(said: dict[str, Any], default: Any = NO_DEFAULT) -> ParameterDescription:
    inventory = take_inventory({**reference_tree(), "plan": decorated(said, default)})
    assert not inventory.issues
    return inventory.plans[0].parameters[0]


def issue_with(plan: Any) -> InventoryIssue:
    inventory = take_inventory({"plan": plan})
    assert not inventory.plans
    (issue,) = inventory.issues
    assert (issue.name, issue.kind) == ("plan", InventoryIssueKind.PLAN)
    return issue


EVERYTHING = (
    "det1 det1.val det2 fly motor motor.val stage stage.det stage.det.val stage.mtrs stage.mtrs.x stage.mtrs.x.val "
    "stage.mtrs.y stage2 stage2.det stage2.det.val"
)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("det1", "det1"),
        ("nope", "nope"),
        (":det", "det1 det2"),
        (":^det", "det1 det2"),
        (":^stage", "stage stage2"),
        (":^stage$:.*", "stage stage.det stage.mtrs"),
        (":^stage$:^mtrs$:^x$", "stage stage.mtrs stage.mtrs.x"),
        (":-^stage$:^mtrs$:^x$", "stage.mtrs stage.mtrs.x"),
        (":-^stage$:-^mtrs$:-^x$", "stage.mtrs.x"),
        (":?.*", EVERYTHING),
        (":?.*:depth=1", "det1 det2 fly motor stage stage2"),
        (
            ":?.*:depth=2",
            "det1 det1.val det2 fly motor motor.val stage stage.det stage.mtrs stage2 stage2.det",
        ),
        (":?.*val$", "det1.val motor.val stage.det.val stage.mtrs.x.val stage2.det.val"),
        (":?^stage.*val$", "stage.det.val stage.mtrs.x.val stage2.det.val"),
        (":^stage$:?.*", "stage stage.det stage.det.val stage.mtrs stage.mtrs.x stage.mtrs.x.val stage.mtrs.y"),
        (":^stage$:?.*:depth=1", "stage stage.det stage.mtrs"),
        (":^stage$:?.*val$:depth=2", "stage stage.det.val"),
        (":-^stage$:?val$", "stage.det.val stage.mtrs.x.val"),
        ("__MOTOR__:.*", "motor"),
        ("__MOTOR__:?.*", "motor stage.mtrs.x stage.mtrs.y"),
        ("__DETECTOR__:.*", "det1 det2 stage stage2"),
        ("__FLYABLE__:.*", "fly"),
    ],
)
def test_a_list_has_the_names_that_the_reference_says(pattern: str, names: str) -> None:
    parameter = described({"annotation": "Dets", "devices": {"Dets": [pattern]}})
    assert parameter.type.listed
    assert list(parameter.type.choices) == names.split()


def test_names_of_a_list_are_sorted_without_regard_to_case_and_occur_once() -> None:
    parameter = described({"annotation": "Dets", "devices": {"Dets": ["b", "C", "a", "b", ":^det1", "det1"]}})
    assert list(parameter.type.choices) == ["a", "b", "C", "det1"]


def test_a_name_may_stand_for_devices_and_plans() -> None:
    said = {"annotation": "Both | None", "devices": {"Both": [":^det"]}, "plans": {"Both": [":plan", "other"]}}
    assert shown(described(said).type) == "device_or_plan Both[det1, det2, other, plan] | none"


def test_texts_of_an_enum_stay_in_their_order() -> None:
    parameter = described({"annotation": "Mode", "enums": {"Mode": ("slow", "fast", "slow")}})
    assert shown(parameter.type) == "enum Mode[slow, fast]"


def test_a_list_that_is_too_long_takes_any_device_and_is_told_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_NAMES", 5)
    plan = decorated({"annotation": "list[Dets]", "devices": {"Dets": [":?.*"]}})
    inventory = take_inventory({**reference_tree(), "plan": plan})
    assert shown(inventory.plans[0].parameters[0].type) == "list(device)"
    assert "The list Dets of the parameter a of the plan plan is too long" in inventory.issues[0].message


def test_limits_unit_and_switches_are_told() -> None:
    said = {"min": 0, "max": 2.5, "step": 1, "unit": "mm", "convert_device_names": False, "convert_plan_names": True}
    parameter = described(said)
    assert (parameter.minimum, parameter.maximum, parameter.step, parameter.unit) == (0, 2.5, 1, "mm")
    assert parameter.convert_device_names is False
    assert parameter.convert_plan_names


def test_the_decorators_words_go_before_the_signatures_and_the_docstrings() -> None:
    @parameter_annotation_decorator(
        {"description": "Better.", "parameters": {"a": {"annotation": "str", "description": "A text."}}}
    )
    def plan(a: int, b: int) -> Iterator[Any]:
        """Do it.

        Args:
            a: A number.
            b: Another number.
        """
        yield a, b

    (found,) = take_documented({"plan": plan}).plans
    assert found.description == "Better."
    assert [(p.annotation, p.description) for p in found.parameters] == [("str", "A text."), ("int", "Another number.")]


@pytest.mark.parametrize("default", [0, "", False, [], 1.5, ("a", 1), {"a": None}])
def test_a_default_of_the_decorator_goes_before_that_of_the_signature(default: Any) -> None:
    parameter = described({"default": default}, object())
    assert parameter.default_text == repr(default)
    assert parameter.default_in_decorator


def test_a_default_of_none_in_the_decorator_says_nothing() -> None:
    parameter = described({"default": None}, 5)
    assert (parameter.default_text, parameter.default_in_decorator) == ("5", False)


def test_words_of_protocols_replace_their_names_in_the_text_of_a_type() -> None:
    parameter = described({"annotation": "typing.List[bluesky.protocols.Readable]"})
    assert (parameter.annotation, shown(parameter.type)) == ("typing.List[__READABLE__]", "list(device:Readable)")
    text = described({"annotation": "typing.Literal['Readable', \"Flyable\"]"})
    assert text.annotation == "typing.Literal['Readable', \"Flyable\"]"
    own = described({"annotation": "Readable", "devices": {"Readable": ["det1"]}})
    assert (own.annotation, shown(own.type)) == ("Readable", "device Readable[det1]")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"annotation": "List[Dets"}, "is not a type"),
        ({"annotation": "Dets"}, "'Dets' is not known"),
        ({"annotation": "int", "devices": {"Dets": ["det1"]}}, "does not use Dets"),
        ({"devices": {"Dets": ["det1"]}}, "there is no 'annotation'"),
        ({"annotation": "Dets", "devices": {"Dets": ["det 1-"]}}, "label patterns|is not a name"),
        ({"annotation": "Dets", "devices": {"Dets": [":("]}}, "is not a pattern"),
        ({"annotation": "Dets", "plans": {"Dets": ["__READABLE__:.*"]}}, "no kinds"),
        ({"annotation": "Dets", "plans": {"Dets": [":?.*:depth=2"]}}, "no components"),
        ({"annotation": "Dets", "plans": {"Dets": ["a.b"]}}, "is not a name"),
        ({"default": object()}, "give a device or plan by its name"),
        ({"default": float("inf")}, "numbers, texts"),
        ({"min": float("nan")}, "'min' must be a finite number"),
        ({"max": 10**400}, "'max' must be a finite number"),
    ],
)
def test_a_plan_whose_decorator_contradicts_itself_is_left_out_with_its_place(said: dict[str, Any], told: str) -> None:
    plan = decorated(said, None)
    issue = issue_with(plan)
    assert any(part in issue.message for part in told.split("|"))
    assert "Parameter a: " in issue.message
    assert (issue.file, issue.line) == (__file__, plan.__wrapped__.__code__.co_firstlineno)


def test_a_default_in_the_decorator_needs_one_in_the_signature() -> None:
    @parameter_annotation_decorator({"parameters": {"a": {"default": 1}}})
    def plan(a: int) -> Iterator[Any]:
        yield a

    assert "give it some default in the signature too" in issue_with(plan).message


def test_a_dictionary_that_somebody_else_attached_is_understood_and_checked() -> None:
    def plan(a: int) -> Iterator[Any]:
        yield a

    setattr(plan, ATTRIBUTE, {"parameters": {"a": {"annotation": "__DEVICE__"}}})
    (found,) = take_inventory({"plan": plan}).plans
    assert plan_entry(found)["parameters"][0]["annotation"] == {"type": "__DEVICE__"}

    def other(b: int) -> Iterator[Any]:
        yield b

    setattr(other, ATTRIBUTE, {"parameters": {"a": {}}})
    assert "'a', which is not a parameter of the plan" in issue_with(other).message
