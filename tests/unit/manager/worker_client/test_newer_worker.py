"""What only a newer Worker knows is understood as far as it can be, and refused nowhere."""

from __future__ import annotations

import pytest
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver.worker.v1 import event_pb2
from queueserver_inventory.access import Access, GroupRules
from queueserver_inventory.value_fit import fits
from queueserver_manager.domain.inventory import ParameterKind
from queueserver_manager.domain.lifecycle import EnvironmentState
from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.wire.descriptions import DescriptionCutter
from queueserver_manager.worker_client.convert import events_from_proto, snapshot_from_proto
from queueserver_manager.worker_client.inventory import inventory_from_proto
from queueserver_manager.worker_client.port import ExecutionFinished

from tests.harness.next_version import TEXT, Newer

UNKNOWN = 77


def inventory_of(parameter: pb.ParameterDescription) -> pb.Inventory:
    return pb.Inventory(plans=[pb.PlanDescription(name="count", parameters=[parameter])])


def test_a_parameter_of_an_unknown_kind_counts_as_an_ordinary_one() -> None:
    parameter = pb.ParameterDescription(name="p", kind=UNKNOWN)  # type: ignore[arg-type] # that is the point
    plan = inventory_from_proto(inventory_of(parameter)).plans["count"]
    assert plan.parameters[0].kind is ParameterKind.POSITIONAL_OR_KEYWORD
    assert plan.required == ("p",)


def test_a_type_of_an_unknown_kind_takes_any_value_and_reaches_clients_as_it_came() -> None:
    type_ = pb.ParameterType(kind=UNKNOWN, choices=["count"], listed=True)  # type: ignore[arg-type] # as above
    inventory = inventory_from_proto(inventory_of(pb.ParameterDescription(name="p", type=type_)))
    plan = inventory.plans["count"]
    assert fits(17, plan.parameters[0].type, AllowedInventory(inventory).names)
    assert AllowedInventory(inventory).plan("count") is plan
    assert pb.PlanDescription.FromString(plan.wire).parameters[0].type == type_


def test_names_that_a_group_may_not_use_are_cut_from_types_of_an_unknown_kind_too() -> None:
    names = pb.ParameterType(kind=pb.ParameterType.KIND_PLAN, choices=["count", "secret"], listed=True)
    type_ = pb.ParameterType(kind=UNKNOWN, choices=["secret"], listed=True, arguments=[names])  # type: ignore[arg-type] # as above
    message = inventory_of(pb.ParameterDescription(name="p", type=type_))
    message.plans.add(name="secret")
    inventory = inventory_from_proto(message)
    group = GroupRules(allowed_plans=("count",))
    allowed = AllowedInventory(inventory, Access("group", GroupRules(all_plans=True), group))
    wire = DescriptionCutter().plan(inventory.plans["count"], allowed)
    cut = pb.PlanDescription.FromString(wire).parameters[0].type
    assert (list(cut.choices), list(cut.arguments[0].choices)) == ([], ["count"])


NEWER = Newer()
WORKER = "queueserver.worker.v1."
EVENTS = event_pb2.WorkerEvent.DESCRIPTOR.oneofs_by_name["event"].fields


@pytest.mark.parametrize("oneofs", [False, True])
async def test_a_snapshot_of_the_next_version_is_understood(oneofs: bool) -> None:
    data = NEWER.filled(WORKER + "WorkerSnapshot", oneofs=oneofs).SerializeToString()
    snapshot = await snapshot_from_proto(event_pb2.WorkerSnapshot.FromString(data))
    assert snapshot.boot_id == TEXT
    assert snapshot.environment.state is EnvironmentState.UNKNOWN


@pytest.mark.parametrize("name", [*(field.name for field in EVENTS), "newer_event"])
async def test_an_event_of_the_next_version_is_understood_and_counts(name: str) -> None:
    event = NEWER.new(WORKER + "WorkerEvent")
    event.sequence, event.newer = 5, TEXT
    if name == "newer_event":
        event.newer_event = TEXT
    else:
        kind = event.DESCRIPTOR.fields_by_name[name].message_type.full_name
        getattr(event, name).CopyFrom(NEWER.filled(kind, oneofs=False))
    (read,) = await events_from_proto([event_pb2.WorkerEvent.FromString(event.SerializeToString())])
    assert read.sequence == 5


async def test_an_end_that_is_not_known_is_no_success() -> None:
    event = NEWER.new(WORKER + "WorkerEvent")
    event.execution_finished.CopyFrom(NEWER.filled(WORKER + "ExecutionOutcome", oneofs=False))
    (read,) = await events_from_proto([event_pb2.WorkerEvent.FromString(event.SerializeToString())])
    assert isinstance(read.event, ExecutionFinished)
    assert read.event.outcome.result.exit_status is ExitStatus.FAILED
