"""Before it moves: items are checked without being added."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.error_reason_pb2 import ErrorReason
from queueserver.manager.v1 import planning_service_pb2 as pb
from queueserver.manager.v1 import status_service_pb2 as status_pb
from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceStub
from queueserver_client import AsyncClient, Client, ExitStatus, ItemWarning, Plan

from tests.harness.raw import Stubs, connect, refused
from tests.harness.stack import Stack, running_stack

STARTUP = Path(__file__).parent / "planning_startup"
ITEM_INVALID = ErrorReason.ERROR_REASON_ITEM_INVALID
#: The decisions of the reference, plan by plan: what is accepted, what is refused. Where we are stricter than the
#: server that people know (docs/decisions), it is said behind the value.
DECISIONS: dict[str, tuple[list[Any], list[Any]]] = {
    "none": ([1, "a", None, [1], {"a": 1}, "det1"], []),
    "any_": ([1, "a", None, [1], {"a": 1}, "det1"], []),
    # JSON has one number type: 1.0 is 1.
    "int_": ([1, 1.0], [1.5, "1", True, None, [1]]),
    "float_": ([1, 1.5], ["1.5", None, True]),  # true: stricter
    "str_": (["a", "det1"], [1, 1.5, None]),
    "bool_": ([True, False], ["true", "yes", 1, 0]),  # 1, 0: stricter
    "list_int": ([[1, 2], []], [[1, "2"], [True], "12", {"a": 1}]),
    "list_float": ([[1, 2.5]], [["1"]]),
    "tuple_": ([[1, "a"]], [[1], ["1", "a"]]),
    "dict_": ([{"a": 1}], [{"a": 1.5}, {"a": "1"}]),  # "1": stricter
    "optional": ([None, 1], ["a"]),
    "union": ([1, "a", "1"], [1.5]),
    "literal": (["x"], ["z"]),
    "readable": (["det1", "motor.velocity"], [5, ["det1"], "nope"]),  # nope: stricter
    "list_readable": ([["det1", "motor"]], ["det1", ["det1", "nope"]]),
    "listed": ([["det1", "det2"], []], [["motor"], "det1", None]),
    "enum": (["fast", "slow"], ["medium", 1]),
    "bounded": ([5, 0, 10, "x", True, None, "20"], [-1, 11, [1, 2, 30], {"a": {"b": [5, -5]}}]),
}
ROWS = [
    pytest.param(name, value, good, id=f"{name}-{value!r}-{'accepted' if good else 'refused'}")
    for name, (accepted, not_accepted) in DECISIONS.items()
    for values, good in ((accepted, True), (not_accepted, False))
    for value in values
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack with plans of every type, open."""
    with running_stack(startup=STARTUP) as running:
        with Client(running.address) as client:
            client.environment.open()
        yield running


@pytest.fixture
async def raw(stack: Stack) -> AsyncIterator[Stubs]:
    """Generated stubs of ``stack``."""
    async with connect(stack.address) as stubs:
        yield stubs


def item(name: str, *args: Any, **kwargs: Any) -> item_pb2.ItemSpec:
    return json_format.ParseDict({"name": name, "args": list(args), "kwargs": kwargs}, item_pb2.ItemSpec())


async def verdicts(raw: Stubs, *items: item_pb2.ItemSpec) -> list[pb.ItemVerdict]:
    return list((await raw.planning.ValidateItems(pb.ValidateItemsRequest(items=items))).verdicts)


@pytest.mark.parametrize(("name", "value", "good"), ROWS)
async def test_a_value_is_accepted_or_refused_as_its_type_says(raw: Stubs, name: str, value: Any, good: bool) -> None:
    by_position, by_name = await verdicts(raw, item(name, value), item(name, x=value))
    assert (by_position.valid, by_name.valid) == (good, good)
    if not good:
        assert (by_position.reason, by_name.reason) == (ITEM_INVALID, ITEM_INVALID)
        # What is wrong inside of the value is named by its own path.
        (first,), (second,) = by_position.field_violations, by_name.field_violations
        assert re.fullmatch(r"items\[0\]\.args\[0\](\[\d\]|\.\w)*", first.field)
        assert re.fullmatch(r"items\[1\]\.kwargs\.x(\[\d\]|\.\w)*", second.field)


async def test_each_item_has_its_own_verdict_and_nothing_is_stored(raw: Stubs) -> None:
    before = (await raw.status.GetStatus(status_pb.GetStatusRequest())).status.revision
    found = await verdicts(raw, item("int_", 1), item("no_such_plan"), item("int_"), item("enum", "medium"))
    assert [verdict.reason for verdict in found] == [
        ErrorReason.ERROR_REASON_UNSPECIFIED,
        ErrorReason.ERROR_REASON_PLAN_NOT_FOUND,
        ITEM_INVALID,
        ITEM_INVALID,
    ]
    assert "'fast', 'slow'" in found[3].field_violations[0].description
    assert all(verdict.message for verdict in found[1:])
    assert (await raw.status.GetStatus(status_pb.GetStatusRequest())).status.revision == before


async def test_all_wrong_parameters_of_a_call_are_named_at_once(raw: Stubs) -> None:
    (verdict,) = await verdicts(raw, item("bounded", 50, 3, y=2))
    assert {violation.field for violation in verdict.field_violations} == {
        *("items[0].args[0]", "items[0].args[1]", "items[0].kwargs.y"),
    }


async def test_no_items_have_no_verdicts(raw: Stubs) -> None:
    assert await verdicts(raw) == []


async def test_too_many_items_are_refused(raw: Stubs) -> None:
    request = pb.ValidateItemsRequest(items=[item_pb2.ItemSpec(name="int_")] * 50_001)
    refusal = await refused(raw.planning.ValidateItems(request))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "BATCH_TOO_LARGE")


async def test_an_answer_about_very_many_wrong_items_fits_into_what_a_client_takes_by_default(
    raw: Stubs, stack: Stack
) -> None:
    wrong = {f"no_such_parameter_{number}": 1 for number in range(25)}
    (alone,) = await verdicts(raw, item("bounded", **wrong))
    assert (len(alone.field_violations), len(alone.message.encode()) <= 800) == (20, True)
    request = pb.ValidateItemsRequest(items=[item("bounded", **wrong)] * 2_000)
    async with grpc.aio.insecure_channel(stack.address) as channel:
        answer = await PlanningServiceStub(channel).ValidateItems(request)
    found = answer.verdicts
    assert len(found) == 2_000
    assert {verdict.reason for verdict in found} == {ITEM_INVALID}
    told = sum(not verdict.details_left_out for verdict in found)
    assert 100 < told < 2_000
    assert all(len(verdict.field_violations) == 20 and verdict.message for verdict in found[:told])
    assert not any(verdict.field_violations or verdict.message for verdict in found[told:])


async def test_a_field_with_a_very_long_name_is_told_in_short(raw: Stubs) -> None:
    (verdict,) = await verdicts(raw, item("int_", 1, **{"x" * 500_000: 1}))
    assert (verdict.reason, verdict.details_left_out) == (ITEM_INVALID, False)
    assert len(verdict.field_violations[0].field.encode()) <= 120


def odd(warnings: Iterable[ItemWarning]) -> list[tuple[str, str, Sequence[str]]]:
    return [(warning.field, warning.text, warning.near_matches) for warning in warnings]


async def test_a_misspelt_device_where_any_value_is_taken_is_a_warning_in_every_answer(stack: Stack) -> None:
    typo, right = Plan("none", "mottor1"), Plan("none", "motor1")
    warned = [("item.args[0]", "mottor1", ("motor1", "motor"))]
    async with AsyncClient(stack.address) as client:
        good, bad = await client.planning.validate([right, typo])
        assert (good.valid, odd(good.warnings), bad.valid) == (True, [], True)
        assert odd(bad.warnings) == [("items[1].args[0]", "mottor1", ("motor1", "motor"))]
        assert odd((await client.planning.simulate(typo)).warnings) == warned
        added = await client.queue.add(typo)
        assert odd(added.warnings) == warned
        assert odd((await client.planning.simulate(added.uid)).warnings) == warned
        updated = await client.queue.update(added.uid, Plan("none", ["det1", "cam"]))
        assert odd(updated.warnings) == [("item.args[0][1]", "cam", ())]
        first, second = await client.queue.add_batch([right, typo])
        assert (odd(first.warnings), odd(second.warnings)) == (
            [],
            [("items[1].args[0]", "mottor1", ("motor1", "motor"))],
        )
        await client.queue.clear()
        executed = await client.queue.execute(typo)
        assert odd(executed.warnings) == warned
        assert (await executed.result()).result.exit_status is ExitStatus.COMPLETED


async def test_a_description_tells_where_names_of_devices_convert(stack: Stack) -> None:
    async with AsyncClient(stack.address) as client:
        plans = (await client.inventory.plans()).plans
    takes = {plan.name for plan in plans if any(p.takes_device_names for p in plan.parameters)}
    assert {"none", "readable", "list_readable", "listed"} <= takes
    assert not takes & {"any_", "str_", "enum", "union"}
