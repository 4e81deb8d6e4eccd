"""Plans whose hints are classes, and plans of bluesky: checked when they are added, run with what their hints say."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, Client, ExitStatus, ItemInvalid, Plan

from tests.harness.stack import Stack, running_stack
from tests.harness.wait import bounded

STARTUP = """
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

import bluesky.plan_stubs as bps
import pydantic
from bluesky import RunEngine
from bluesky.plan_stubs import mv
from bluesky.plans import count, grid_scan, list_scan
from bluesky.protocols import Movable
from ophyd import Component, Device
from ophyd.sim import SynAxis, det1, motor1, motor2

RE = RunEngine({})


class Axis(TypedDict):
    motor: Movable
    where: float


@dataclass
class Window:
    axis: Axis
    width: float = None


class Model(pydantic.BaseModel, arbitrary_types_allowed=True):
    motor: Movable
    where: float = 0


class XYStage(Device):
    x = Component(SynAxis)


xy = XYStage(name="xy")


def by_typed_dict(axis: Axis):
    yield from bps.mv(axis["motor"], axis["where"])


def by_dataclass(window: Window):
    yield from bps.mv(window.axis["motor"], window.axis["where"])


def by_model(model: Model):
    yield from bps.mv(model.motor, model.where)


def by_mapping(moves: Mapping[Movable, float]):
    for motor, where in moves.items():
        yield from bps.mv(motor, where)


def by_class(stage: XYStage, gain: Literal[1, 10] = 1, rest: float = None):
    yield from bps.mv(stage.x, gain)
"""
AXIS = {"motor": "motor1", "where": 1}
GOOD = [
    Plan("by_typed_dict", AXIS),
    Plan("by_dataclass", {"axis": AXIS, "width": None}),
    Plan("by_model", {"motor": "motor2"}),
    Plan("by_mapping", {"motor1": 1.5, "motor2": -1}),
    Plan("by_class", "xy", gain=10, rest=None),
    Plan("mv", "motor1", 1, "motor2", 2),
    Plan("count", ["det1"], num=2, delay=[0]),
    Plan("list_scan", ["det1"], "motor1", [0, 0.5, 1], "motor2", [1, 2, 3]),
    Plan("grid_scan", ["det1"], "motor1", 0, 1, 2, "motor2", 0, 1, 2, snake_axes=["motor2"]),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with an open environment that has these plans."""
    startup = tmp_path_factory.mktemp("typed")
    Path(startup, "plans.py").write_text(STARTUP, encoding="utf-8")
    with running_stack("--strict-startup", startup=startup) as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[AsyncClient]:
    """A client of it."""
    async with AsyncClient(stack.address) as connected:
        yield connected


async def test_plans_with_classes_in_their_hints_and_plans_of_bluesky_run_to_their_end(client: AsyncClient) -> None:
    handles = await client.queue.add_batch(GOOD)
    await client.queue.start()
    ended = [await bounded(handle.result()) for handle in handles]
    assert [(entry.result.exit_status, entry.result.message) for entry in ended] == [(ExitStatus.COMPLETED, "")] * len(
        GOOD
    )


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan("by_typed_dict", {"mtor": "motor1", "where": 1}), "mtor"),
        (Plan("by_dataclass", {"axis": {"motor": "motr1", "where": 1}}), "axis.motor"),
        (Plan("by_model", {"motor": "motor1", "where": "up"}), "where"),
        (Plan("by_mapping", {"motr1": 1}), "motr1"),
    ],
)
async def test_a_wrong_field_is_refused_with_its_path(client: AsyncClient, plan: Plan, field: str) -> None:
    with pytest.raises(ItemInvalid) as refused:
        await client.queue.add(plan)
    assert refused.value.violations[0].field == f"item.args[0].{field}"


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (
            Plan("by_class", "det1"),
            "must be the name of a device of the class XYStage, which 'det1' is not; there is 'xy'",
        ),
        (Plan("by_class", "xy", gain=5), "must be 1 or 10, not 5"),
        (Plan("list_scan", ["det1"], "motor1"), "must come in groups of 2"),
        (Plan("count", ["dett1"]), "did you mean 'det1'?"),
    ],
)
async def test_a_wrong_value_is_refused_in_words(client: AsyncClient, plan: Plan, told: str) -> None:
    with pytest.raises(ItemInvalid, match=re.escape(told)):
        await client.queue.add(plan)


async def test_devices_tell_of_which_classes_they_are_that_plans_ask_for(client: AsyncClient) -> None:
    devices = {device.name: device for device in (await client.inventory.devices()).devices}
    assert [list(devices[name].instance_of) for name in ("xy", "det1")] == [["__main__.XYStage"], []]
