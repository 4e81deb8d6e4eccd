"""The lists of plans and devices: what is in them, how long they last, and when their markers move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from queueserver.manager.v1 import inventory_service_pb2 as pb
from queueserver_client import (
    AsyncClient,
    DeviceDescription,
    DeviceNotFound,
    EnvironmentOpenFailed,
    ExitStatus,
    FailureCause,
    ManagerState,
    Plan,
    PlanNotFound,
    Status,
)

from tests.harness.parts import Parts, running_parts
from tests.harness.progress import queue, until_state
from tests.harness.raw import Stubs, connect, refused
from tests.harness.stack import Stack
from tests.harness.wait import bounded

PLANS = """
import bluesky.plan_stubs as bps

def nothing():
    yield from bps.null()

def measure(detectors, /, times: int = 1, *, label: str = "a", **more):
    "Measure something."
    yield from bps.null()

def _hidden():
    yield from bps.null()
"""
DEVICES = """
class Reader:
    parent = None

    def __init__(self, name):
        self.name = name

    def read(self):
        return {}

    def describe(self):
        return {}

    read_configuration = read
    describe_configuration = describe


class Bundle:
    parent = None

    def __init__(self, name, **parts):
        self.name, self.parts = name, parts

    def children(self):
        return iter(self.parts.items())

    async def connect(self):
        pass


det = Reader("det")
_hidden_det = Reader("_hidden_det")
bundle = Bundle("bundle", inner=Bundle("inner", x=Reader("x"), y=Reader("y")), z=Reader("z"))
"""
EXISTING = (["_hidden", "measure", "nothing"], ["_hidden_det", "bundle", "det"])
ALLOWED = (["measure", "nothing"], ["bundle", "det"])


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The startup directory, which tests fill."""
    return tmp_path_factory.mktemp("startup")


@pytest.fixture(scope="module")
def parts(startup: Path) -> Iterator[Parts]:
    """Parts with that startup directory."""
    with running_parts(startup) as running:
        yield running


@pytest.fixture
async def client(parts: Parts, startup: Path) -> AsyncIterator[AsyncClient]:
    """A client of a server whose environment is open and has those plans and devices."""
    async with AsyncClient(parts.address) as connected:
        (startup / "plans.py").write_text(PLANS)
        (startup / "zz_devices.py").write_text(DEVICES)
        is_open = (await connected.status()).environment_exists
        if is_open and await names(connected, existing=True) != EXISTING:
            await connected.environment.destroy()
            is_open = False
        if not is_open:
            await connected.environment.open()
        yield connected


@pytest.fixture
async def stubs(parts: Parts) -> AsyncIterator[Stubs]:
    async with connect(parts.address) as connected:
        yield connected


async def names(client: AsyncClient, *, existing: bool) -> tuple[list[str], list[str]]:
    """Names of the plans and of the devices."""
    plans = await client.inventory.plans(existing=existing)
    devices = await client.inventory.devices(existing=existing)
    return [plan.name for plan in plans.plans], [device.name for device in devices.devices]


def markers(status: Status) -> tuple[tuple[str, str], tuple[str, str]]:
    """Markers of the plans and of the devices."""
    plans = (status.plans_existing_uid, status.plans_allowed_uid)
    return plans, (status.devices_existing_uid, status.devices_allowed_uid)


def tree(device: DeviceDescription) -> dict[str, Any]:
    """Names of the components, as deep as they go."""
    return {component.name: tree(component) for component in device.components}


async def test_before_any_environment_was_open_all_lists_are_empty(stack: Stack) -> None:
    async with AsyncClient(stack.address) as newcomer:
        for existing in (False, True):
            assert await names(newcomer, existing=existing) == ([], [])


async def test_what_exists_is_listed_in_alphabetical_order_and_what_begins_with_an_underscore_is_not_offered(
    client: AsyncClient,
) -> None:
    assert await names(client, existing=True) == EXISTING
    assert await names(client, existing=False) == ALLOWED


@pytest.mark.parametrize("existing", [False, True])
async def test_descriptions_are_complete(client: AsyncClient, existing: bool) -> None:
    plans = {plan.name: plan for plan in (await client.inventory.plans(existing=existing)).plans}
    measure = plans["measure"]
    assert measure.description == "Measure something."
    assert [(one.name, one.kind.value, one.default_text) for one in measure.parameters] == [
        ("detectors", "positional_only", None),
        ("times", "positional_or_keyword", "1"),
        ("label", "keyword_only", "'a'"),
        ("more", "var_keyword", None),
    ]
    devices = {device.name: device for device in (await client.inventory.devices(existing=existing)).devices}
    assert (devices["det"].is_readable, devices["det"].is_movable, devices["det"].classname) == (True, False, "Reader")
    assert tree(devices["bundle"]) == {"inner": {"x": {}, "y": {}}, "z": {}}


async def test_each_list_carries_the_marker_that_the_status_shows(client: AsyncClient) -> None:
    status = await client.status()
    assert (await client.inventory.plans()).uid == status.plans_allowed_uid
    assert (await client.inventory.plans(existing=True)).uid == status.plans_existing_uid
    assert (await client.inventory.devices()).uid == status.devices_allowed_uid
    assert (await client.inventory.devices(existing=True)).uid == status.devices_existing_uid


@pytest.mark.parametrize("change", ["nothing", "plans", "devices"])
async def test_a_marker_moves_when_another_environment_has_another_list_and_only_then(
    client: AsyncClient, startup: Path, change: str
) -> None:
    before = markers(await client.status())
    await client.environment.close()
    if change == "plans":
        (startup / "plans.py").write_text(PLANS + "def another():\n    yield from nothing()\n")
    elif change == "devices":
        (startup / "zz_devices.py").write_text(DEVICES + "further = Reader('further')\n")
    await client.environment.open()
    after = markers(await client.status())
    moved = [[old != new for old, new in zip(*pair, strict=True)] for pair in zip(before, after, strict=True)]
    assert [existing for existing, _ in moved] == [change == "plans", change == "devices"]
    # What is allowed may also depend on the other list.
    assert all(allowed >= existing for existing, allowed in moved)
    assert any(allowed for _, allowed in moved) is (change != "nothing")


async def test_the_lists_stay_when_the_environment_closes_when_it_can_not_be_opened_again_and_over_a_restart(
    parts: Parts, client: AsyncClient, startup: Path
) -> None:
    before = markers(await client.status())
    await client.environment.close()
    assert [await names(client, existing=existing) for existing in (False, True)] == [ALLOWED, EXISTING]
    (startup / "plans.py").write_text("raise RuntimeError('not today')\n")
    with pytest.raises(EnvironmentOpenFailed):
        await client.environment.open()
    assert [await names(client, existing=existing) for existing in (False, True)] == [ALLOWED, EXISTING]
    with parts.manager_killed():
        pass
    assert [await names(client, existing=existing) for existing in (False, True)] == [ALLOWED, EXISTING]
    assert markers(await client.status()) == before


@pytest.mark.parametrize("existing", [False, True])
async def test_one_plan_or_device_by_its_name_is_what_the_list_has_of_it(client: AsyncClient, existing: bool) -> None:
    for plan in (await client.inventory.plans(existing=existing)).plans:
        assert await client.inventory.plan(plan.name, existing=existing) == plan
    devices = (await client.inventory.devices(existing=existing)).devices
    for device in devices:
        assert await client.inventory.device(device.name, existing=existing) == device
    (inner,) = [component for device in devices for component in device.components if component.name == "inner"]
    assert await client.inventory.device("bundle.inner", existing=existing) == inner
    assert await client.inventory.device("bundle.inner.x", existing=existing) == inner.components[0]


async def test_one_plan_or_device_comes_with_the_marker_of_its_list(client: AsyncClient, stubs: Stubs) -> None:
    status = await client.status()
    for existing, plans_uid, devices_uid in (
        (False, status.plans_allowed_uid, status.devices_allowed_uid),
        (True, status.plans_existing_uid, status.devices_existing_uid),
    ):
        plan = await stubs.inventory.GetPlan(pb.GetPlanRequest(name="measure", existing=existing))
        device = await stubs.inventory.GetDevice(pb.GetDeviceRequest(name="det", existing=existing))
        assert (plan.plans_uid, device.devices_uid) == (plans_uid, devices_uid)


@pytest.mark.parametrize(
    ("what", "name", "existing", "reason", "sentence"),
    [
        (
            "plan",
            "mesure",
            False,
            "PLAN_NOT_FOUND",
            "no plan 'mesure' that user group 'admin' may use: did you mean 'measure'?",
        ),
        ("plan", "_hidden", False, "PLAN_NOT_FOUND", "may use: list the plans"),
        ("plan", "mesure", True, "PLAN_NOT_FOUND", "There is no plan 'mesure': did you mean 'measure'?"),
        (
            "device",
            "deet",
            False,
            "DEVICE_NOT_FOUND",
            "no device 'deet' that user group 'admin' may use: did you mean 'det'?",
        ),
        ("device", "_hidden_det", False, "DEVICE_NOT_FOUND", "user group 'admin' may use"),
        (
            "device",
            "bundle.iner",
            True,
            "DEVICE_NOT_FOUND",
            "There is no device 'bundle.iner': did you mean 'bundle.inner'?",
        ),
        ("device", "bundle.", True, "DEVICE_NOT_FOUND", "list the devices"),
    ],
)
async def test_a_name_that_is_not_there_is_refused_with_names_that_are_near(
    client: AsyncClient, what: str, name: str, existing: bool, reason: str, sentence: str
) -> None:
    with pytest.raises({"plan": PlanNotFound, "device": DeviceNotFound}[what]) as caught:
        await getattr(client.inventory, what)(name, existing=existing)
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, reason)
    assert sentence in caught.value.message
    assert [violation.field for violation in caught.value.violations] == ["name"]


async def test_a_plan_of_a_group_that_is_not_there_and_no_name_are_refused(client: AsyncClient, stubs: Stubs) -> None:
    refusal = await refused(stubs.inventory.GetPlan(pb.GetPlanRequest(name="measure", user_group="nobody")))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "GROUP_NOT_FOUND")
    for call in (stubs.inventory.GetPlan(pb.GetPlanRequest()), stubs.inventory.GetDevice(pb.GetDeviceRequest())):
        refusal = await refused(call)
        assert (refusal.reason, list(refusal.violations)) == ("FIELD_INVALID", ["name"])
    assert (await client.inventory.plan("measure", user_group="primary")).name == "measure"


async def test_only_named_plans_and_devices_are_listed_and_those_that_are_not_there_are_told(
    client: AsyncClient, stubs: Stubs
) -> None:
    plans = await client.inventory.plans(names=["nothing", "no", "measure", "_hidden", "nothing"])
    assert ([plan.name for plan in plans.plans], plans.names_not_found) == (["measure", "nothing"], ("_hidden", "no"))
    assert plans.uid == (await client.status()).plans_allowed_uid
    devices = await client.inventory.devices(names=["bundle.z", "_hidden_det", "det"], existing=True)
    assert [device.name for device in devices.devices] == ["_hidden_det", "det"]
    assert devices.names_not_found == ("bundle.z",)
    page = await stubs.inventory.ListPlans(pb.ListPlansRequest(names=["nothing", "no", "measure"], page_size=1))
    rest = await stubs.inventory.ListPlans(
        pb.ListPlansRequest(names=["nothing", "no", "measure"], page_size=1, page_token=page.next_page_token)
    )
    assert [plan.name for plan in (*page.plans, *rest.plans)] == ["measure", "nothing"]
    assert (list(page.names_not_found), list(rest.names_not_found), rest.next_page_token) == (["no"], ["no"], "")
    too_many = await refused(stubs.inventory.ListDevices(pb.ListDevicesRequest(names=["d"] * 1001)))
    assert (too_many.reason, list(too_many.violations)) == ("BATCH_TOO_LARGE", ["names"])


async def test_a_page_token_of_another_list_is_refused_instead_of_leaving_something_out(stubs: Stubs) -> None:
    plans, devices = stubs.inventory.ListPlans, stubs.inventory.ListDevices
    token = (await plans(pb.ListPlansRequest(page_size=1))).next_page_token
    named = pb.ListPlansRequest(names=["nothing", "measure"], page_size=1)
    named_token = (await plans(named)).next_page_token
    for call in (
        devices(pb.ListDevicesRequest(page_token=token)),
        plans(pb.ListPlansRequest(page_token=token, existing=True)),
        plans(pb.ListPlansRequest(page_token=token, user_group="primary")),
        plans(pb.ListPlansRequest(page_token=token, names=["measure"])),
        plans(pb.ListPlansRequest(page_token=named_token)),
    ):
        refusal = await refused(call)
        assert (refusal.reason, "as for its first page" in refusal.message) == ("PAGE_TOKEN_INVALID", True)
    named.page_token = named_token
    assert [plan.name for plan in (await plans(named)).plans] == ["nothing"]


async def test_functions_and_issues_come_in_pages(client: AsyncClient, stubs: Stubs, startup: Path) -> None:
    await client.environment.close()
    functions = "".join(f"def give_{letter}():\n    return 1\n" for letter in "abcde")
    missing = "".join(f"register_plan('missing_{number}')\n" for number in range(5))
    (startup / "plans.py").write_text(f"from bluesky_queueserver import register_plan\n{PLANS}{functions}{missing}")
    await client.environment.open()
    for listing, request, kind in (
        (stubs.inventory.ListFunctions, pb.ListFunctionsRequest, "functions"),
        (stubs.inventory.ListIssues, pb.ListIssuesRequest, "issues"),
    ):
        whole = await listing(request())
        names = [one.name for one in getattr(whole, kind)]
        assert len(names) > 2
        found, token = [], ""
        while not found or token:
            page = await listing(request(page_size=2, page_token=token))
            assert len(getattr(page, kind)) <= 2
            found, token = found + [one.name for one in getattr(page, kind)], page.next_page_token
        assert found == names
        token = (await listing(request(page_size=2))).next_page_token
        assert (
            await refused(listing(request(page_token=token.replace("inventory-", "inventory-9"))))
        ).reason == "INVENTORY_CHANGED"
        assert (await refused(listing(request(page_token="x")))).reason == "PAGE_TOKEN_INVALID"
        assert (await refused(listing(request(page_size=-1)))).reason == "FIELD_INVALID"
    assert [issue.name for issue in await client.inventory.issues()] == [f"missing_{number}" for number in range(5)]


@pytest.mark.parametrize("kind", ["plans", "devices"])
async def test_pages_join_to_the_list_and_a_list_that_changed_meanwhile_has_to_be_begun_again(
    client: AsyncClient, stubs: Stubs, startup: Path, kind: str
) -> None:
    listing, request = {
        "plans": (stubs.inventory.ListPlans, pb.ListPlansRequest),
        "devices": (stubs.inventory.ListDevices, pb.ListDevicesRequest),
    }[kind]
    page = await listing(request(existing=True, page_size=2))
    found, token = [one.name for one in getattr(page, kind)], page.next_page_token
    assert len(found) == 2
    rest = await listing(request(existing=True, page_size=2, page_token=token))
    found += [one.name for one in getattr(rest, kind)]
    assert (found, rest.next_page_token) == (EXISTING[kind == "devices"], "")
    await client.environment.close()
    (startup / "plans.py").write_text(PLANS + "def another():\n    yield from nothing()\n")
    (startup / "zz_devices.py").write_text(DEVICES + "further = Reader('further')\n")
    await client.environment.open()
    refusal = await refused(listing(request(existing=True, page_size=2, page_token=token)))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ABORTED, "INVENTORY_CHANGED")
    assert "without a token" in refusal.message


async def test_an_item_whose_plan_is_gone_can_be_moved_and_removed_and_fails_when_it_is_executed(
    client: AsyncClient, startup: Path
) -> None:
    one, two, three = await client.queue.add_batch([Plan("nothing"), Plan("measure", []), Plan("measure", [])])
    await client.environment.close()
    (startup / "plans.py").write_text(PLANS.replace("def measure", "def observe"))
    await client.environment.open()
    assert (await client.queue.move(two.uid, "front")).item.name == "measure"
    await client.queue.move_batch([three.uid, two.uid], "front")
    await three.remove()
    with pytest.raises(PlanNotFound, match="did you mean"):
        await client.queue.add(Plan("observes", []))
    await client.queue.start()
    entry = await bounded(two.result())
    assert (entry.result.exit_status, entry.result.failure_cause) == (ExitStatus.FAILED, FailureCause.NOT_STARTED)
    assert "no such plan" in entry.result.message
    await until_state(client, ManagerState.IDLE)
    retry, waiting = await queue(client)
    assert (retry.retry_of_uid, waiting.uid) == (two.uid, one.uid)
    await client.queue.clear()
