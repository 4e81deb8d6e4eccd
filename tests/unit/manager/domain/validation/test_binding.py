"""Arguments are bound as Python binds them: a call of a real function is the oracle.

``inspect.Signature.bind`` is not: before Python 3.13 it refuses, unlike a call, a positional-only name with a default
that is meant for ``**kwargs``.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_manager.domain.inventory import Inventory, Parameter, ParameterKind, Plan
from queueserver_manager.domain.permissions.permissions import BUILT_IN
from queueserver_manager.domain.queue.item import ItemKind
from queueserver_manager.domain.refusals.errors import ItemInvalid, PlanNotFound
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.type_words import near_matches
from queueserver_manager.domain.validation.validation import check_item

NAMES = ["a", "b", "c", "d", "e"]
KINDS = {kind: getattr(inspect.Parameter, kind.name) for kind in ParameterKind}
RELAXED = settings(deadline=None, max_examples=200)


@st.composite
def signatures(draw: st.DrawFn) -> inspect.Signature:
    """A signature that Python would accept, with a few of the names."""
    kinds = sorted(draw(st.lists(st.sampled_from(ParameterKind), max_size=5)), key=lambda kind: kind.value)
    parameters: list[inspect.Parameter] = []
    defaults = False
    for name, kind in zip(NAMES, kinds, strict=False):
        if kind in (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD):
            if any(parameter.kind is KINDS[kind] for parameter in parameters):
                continue
            parameters.append(inspect.Parameter(name, KINDS[kind]))
            continue
        has_default = draw(st.booleans())
        if kind is not ParameterKind.KEYWORD_ONLY:
            has_default = defaults = defaults or has_default
        default = None if has_default else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, KINDS[kind], default=default))
    return inspect.Signature(parameters)


def everything(plans: Mapping[str, Plan] | None = None) -> AllowedInventory:
    """These plans, all of which may be used that permissions don't hide from everybody."""
    return AllowedInventory(Inventory(plans or {}), BUILT_IN.access_for("admin"))


def plan_of(signature: inspect.Signature, name: str = "plan") -> Plan:
    kinds = {value: kind for kind, value in KINDS.items()}
    never = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return Plan(
        name,
        tuple(
            Parameter(p.name, kinds[p.kind], required=p.default is inspect.Parameter.empty and p.kind not in never)
            for p in signature.parameters.values()
        ),
    )


def refusal(signature: inspect.Signature, args: list[Any], kwargs: dict[str, Any]) -> ItemInvalid | None:
    inventory = everything({"plan": plan_of(signature)})
    try:
        check_item(ItemKind.PLAN, "plan", args, kwargs, inventory)
    except ItemInvalid as error:
        return error
    return None


def sample(*args: Any, **kwargs: Any) -> dict[str, str]:
    """What is wrong with a call of ``def plan(a, /, b, c=None, *, d)``, by field."""

    def plan(a: Any, /, b: Any, c: Any = None, *, d: Any) -> None: ...

    error = refusal(inspect.signature(plan), list(args), kwargs)
    return {violation.field: violation.description for violation in error.violations} if error else {}


@RELAXED
@given(signatures(), st.lists(st.integers(), max_size=6), st.dictionaries(st.sampled_from([*NAMES, "x"]), st.none()))
def test_a_call_is_accepted_exactly_when_python_would_accept_it(
    signature: inspect.Signature, args: list[Any], kwargs: dict[str, Any]
) -> None:
    function = eval(f"lambda {str(signature)[1:-1]}: None")  # noqa: S307 - the text is made from a signature of ours
    try:
        function(*args, **kwargs)
        python_accepts = True
    except TypeError:
        python_accepts = False
    error = refusal(signature, args, kwargs)
    assert (error is None) == python_accepts
    if error is not None:
        assert error.violations
        assert all(violation.field.startswith(("item.args[", "item.kwargs.")) for violation in error.violations)
        assert all(violation.description for violation in error.violations)


def test_a_call_that_fits_has_nothing_wrong() -> None:
    assert sample(1, 2, d=3) == {}
    assert sample(1, b=2, c=3, d=4) == {}


def test_every_mistake_of_a_call_is_named_and_not_only_the_first() -> None:
    assert sample(1, 2, b=3, e=4) == {
        "item.kwargs.b": "given twice: by position and by name",
        "item.kwargs.e": "no such parameter; there are b, c, d",
        "item.kwargs.d": "required and not given",
    }


def test_a_surplus_argument_is_told_how_many_the_plan_takes() -> None:
    assert sample(1, 2, 3, 4, 5, d=6) == {"item.args[3]": "too many: the plan takes 3 positional arguments"}


def test_a_positional_only_parameter_given_by_name_is_told_so() -> None:
    assert sample(1, 2, a=1, d=3) == {"item.kwargs.a": "can be given by position only"}


def test_a_misspelt_parameter_is_answered_with_the_ones_it_may_mean() -> None:
    def plan(detectors: Any, num: Any = 1) -> None: ...

    error = refusal(inspect.signature(plan), [1], {"numm": 2})
    assert error is not None
    assert error.violations[0].description == "no such parameter; did you mean 'num'?"
    assert error.message == (
        "The call does not fit the plan 'plan': item.kwargs.numm: no such parameter; did you mean 'num'?"
    )


def test_a_plan_without_parameters_says_so() -> None:
    error = refusal(inspect.Signature(), [], {"num": 2})
    assert error is not None
    assert error.violations[0].description == "no such parameter; there are none"


def test_a_catch_all_is_no_parameter_to_be_meant() -> None:
    def plan(detectors: Any, *args: Any) -> None: ...

    error = refusal(inspect.signature(plan), [1], {"args": [2]})
    assert error is not None
    assert error.violations[0].description == "no such parameter; there are detectors"


@pytest.mark.parametrize("path", ["item", "items[7]"])
def test_the_path_of_a_batch_leads_to_the_item(path: str) -> None:
    inventory = everything({"plan": plan_of(inspect.Signature())})
    with pytest.raises(ItemInvalid) as caught:
        check_item(ItemKind.PLAN, "plan", [1], {}, inventory, path)
    assert caught.value.violations[0].field == f"{path}.args[0]"


def test_an_unknown_plan_is_answered_with_near_matches() -> None:
    inventory = everything({name: Plan(name, ()) for name in ("count", "scan", "_counter")})
    with pytest.raises(PlanNotFound, match=r"no plan 'cuont' that you may use: did you mean 'count'\?"):
        check_item(ItemKind.PLAN, "cuont", [], {}, inventory)
    with pytest.raises(PlanNotFound, match="list the plans") as caught:
        check_item(ItemKind.PLAN, "zzz", [], {}, inventory)
    assert [violation.field for violation in caught.value.violations] == ["item.name"]


def test_a_plan_with_a_leading_underscore_is_neither_accepted_nor_offered() -> None:
    inventory = everything({"_counter": Plan("_counter", ())})
    for name in ("_counter", "counter"):
        with pytest.raises(PlanNotFound, match="list the plans"):
            check_item(ItemKind.PLAN, name, [], {}, inventory)


def test_an_item_needs_a_name() -> None:
    for kind in ItemKind:
        with pytest.raises(ItemInvalid, match="give the name of a plan"):
            check_item(kind, "", [], {}, everything())


def test_the_only_instruction_is_to_stop_the_queue() -> None:
    check_item(ItemKind.INSTRUCTION, "queue_stop", [], {}, everything())
    with pytest.raises(ItemInvalid, match="the only one is 'queue_stop'"):
        check_item(ItemKind.INSTRUCTION, "queue_start", [], {}, everything())
    with pytest.raises(PlanNotFound):
        check_item(ItemKind.PLAN, "queue_stop", [], {}, everything({"count": Plan("count", ())}))


def test_of_very_many_mistakes_the_first_are_told() -> None:
    parameters = (Parameter("name", ParameterKind.VAR_POSITIONAL, required=False, type=ParameterType(TypeKind.DEVICE)),)
    allowed = AllowedInventory(Inventory({"plan": Plan("plan", parameters)}))
    for args, kwargs in ((["x"] * 1000, {}), ([], {f"x{number}": 1 for number in range(1000)})):
        with pytest.raises(ItemInvalid) as refused:
            check_item(ItemKind.PLAN, "plan", args, kwargs, allowed)
        assert len(refused.value.violations) == 50


def test_of_thousands_of_names_few_are_compared_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    close = difflib.get_close_matches

    def counted(name: str, names: Sequence[str], n: int) -> list[str]:
        compared.append(len(names))
        return close(name, names, n)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    names = tuple(f"{side}_motor_{number}" for side in ("left", "right") for number in range(2000))
    assert "'left_motor_1234'" in near_matches("left_moto_1234", names)
    assert compared == [50]


def test_metadata_can_not_have_the_names_that_the_run_engine_takes() -> None:
    inventory = AllowedInventory(Inventory({"count": Plan("count", ())}, reserved_metadata=frozenset({"subs", "plan"})))
    check_item(ItemKind.PLAN, "count", [], {}, inventory, meta={"sample": 1, "subs_": 2})
    with pytest.raises(ItemInvalid, match=r"The metadata can't be used: item\.meta\.plan: ") as caught:
        check_item(ItemKind.PLAN, "count", [], {}, inventory, meta={"subs": 1, "sample": 1, "plan": 3})
    assert [violation.field for violation in caught.value.violations] == ["item.meta.plan", "item.meta.subs"]
    with pytest.raises(ItemInvalid, match="does not fit the plan 'count'") as caught:
        check_item(ItemKind.PLAN, "count", [1], {}, inventory, "items[2]", {"plan": 3})
    assert [violation.field for violation in caught.value.violations] == ["items[2].args[0]", "items[2].meta.plan"]


GROUP = ParameterType(TypeKind.TUPLE, (ParameterType(TypeKind.STRING), ParameterType(TypeKind.LIST)))


def call_of(rest: Parameter, args: list[Any], kwargs: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a call of a plan with one parameter before a catch-all, by field."""
    first = Parameter("first", ParameterKind.POSITIONAL_ONLY, required=True)
    try:
        check_item(ItemKind.PLAN, "plan", args, kwargs, everything({"plan": Plan("plan", (first, rest))}))
    except ItemInvalid as error:
        return {violation.field: violation.description for violation in error.violations}
    return {}


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        ([], {}),
        (["m1", [1]], {}),
        (["m1", [1], "m2", []], {}),
        ([["m1", [1]]], {}),
        ([["m1", [1]], ["m2", []]], {}),
        ([5, [1]], {"item.args[1]": "must be text, not 5"}),
        (["m1", [1], "m2", 5], {"item.args[4]": "must be a list, not 5"}),
        (["m1", [1], "m2"], {"item.args": "must come in groups of 2 after the first 1: text, a list"}),
    ],
)
def test_a_tuple_for_args_is_a_group_that_repeats_or_each_argument(args: list[Any], wrong: dict[str, str]) -> None:
    rest = Parameter("rest", ParameterKind.VAR_POSITIONAL, required=False, type=GROUP)
    assert call_of(rest, [0, *args], {}) == wrong


@pytest.mark.parametrize(
    ("kwargs", "wrong"),
    [
        ({"a": 1}, {}),
        ({"a": 1, "b": 2.5}, {}),
        ({}, {"item.kwargs.a": "required and not given"}),
        ({"a": "x"}, {"item.kwargs.a": 'must be a whole number, not "x"'}),
        ({"a": 1, "c": 1}, {"item.kwargs.c": "no such field; there are a, b"}),
    ],
)
def test_a_record_for_kwargs_has_the_named_arguments_as_its_fields(
    kwargs: dict[str, Any], wrong: dict[str, str]
) -> None:
    fields = (
        RecordField("a", ParameterType(TypeKind.INTEGER), required=True),
        RecordField("b", ParameterType(TypeKind.NUMBER), required=False),
    )
    more = Parameter("more", ParameterKind.VAR_KEYWORD, False, ParameterType(TypeKind.RECORD, fields=fields))
    assert call_of(more, [0], kwargs) == wrong


def test_a_default_may_be_given_whatever_the_bounds_are() -> None:
    number = ParameterType(TypeKind.NUMBER)
    x = Parameter("x", ParameterKind.POSITIONAL_OR_KEYWORD, False, number, minimum=0, default=-1)
    plans = everything({"plan": Plan("plan", (x,))})
    check_item(ItemKind.PLAN, "plan", [-1], {}, plans)
    with pytest.raises(ItemInvalid):
        check_item(ItemKind.PLAN, "plan", [-2], {}, plans)
