"""Who may use what: each rule of the permissions, through a whole server."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import event_pb2 as events_pb
from queueserver.manager.v1 import inventory_service_pb2, queue_items_pb2, status_service_pb2, task_service_pb2
from queueserver.manager.v1 import permission_service_pb2 as pb
from queueserver_client import AsyncClient, Client, ExitStatus, Plan
from queueserver_client.errors import InvalidRequest, PlanNotFound, QueueServerError

from tests.e2e.conftest import STARTUP
from tests.e2e.permission_lists import EVERYTHING, allowed_devices, allowed_plans, group, permissions, set_permissions
from tests.harness.raw import Stubs, refused
from tests.harness.raw_watch import hear, snapshot
from tests.harness.stack import Stack, running_stack

VISITORS = group(
    allowed_plans=["count", ":_scan$"],
    forbidden_plans=[":^adaptive"],
    allowed_devices=[":^det:?.*"],
    forbidden_devices=["det3", ":^det4$:?.*"],
)


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Stack]:
    with running_stack(startup=STARTUP.parent / "permission_startup.py") as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


@pytest.fixture
async def raw_reset(raw: Stubs, shared_client: AsyncClient) -> Stubs:
    """Stubs of a server with the built-in groups, and nothing queued."""
    await shared_client.queue.clear()
    await set_permissions(raw, admin=EVERYTHING, primary=EVERYTHING)
    return raw


async def names(stubs: Stubs, user_group: str) -> list[str]:
    return [plan.name for plan in await allowed_plans(stubs, user_group)]


async def test_the_example_of_the_documentation_allows_what_it_says(raw_reset: Stubs) -> None:
    primary = group(allowed_plans=[":.*"], allowed_devices=[":?.*:depth=5"], allowed_functions=["function_sleep"])
    await set_permissions(raw_reset, primary=primary, visitors=VISITORS)

    everything = ["adaptive_scan", "count", "measure_scan", "rel_scan", "scan", "told"]
    assert await names(raw_reset, "root") == await names(raw_reset, "primary") == everything
    assert await names(raw_reset, "visitors") == ["count", "measure_scan", "rel_scan"]
    assert await allowed_devices(raw_reset, "primary") == [
        *("det1[val]", "det2[val]", "det3[val]", "det4[val]", "motor[val]"),
        "stage[mtrs[x[val] y] det[val]]",
        "stage2[det[val]]",
    ]
    assert await allowed_devices(raw_reset, "visitors") == ["det1[val]", "det2[val]", "(det3)[val]"]


async def test_what_is_not_allowed_is_forbidden(raw_reset: Stubs) -> None:
    await set_permissions(raw_reset, nothing=group(), plans=group(all_plans=True, forbidden_plans=["count"]))

    assert await names(raw_reset, "nothing") == []
    assert await allowed_devices(raw_reset, "nothing") == []
    assert "count" not in await names(raw_reset, "plans")
    assert "scan" in await names(raw_reset, "plans")
    assert await allowed_devices(raw_reset, "plans") == []


async def test_no_group_has_more_than_root(raw_reset: Stubs) -> None:
    limits = permissions(group(allowed_plans=["count"], allowed_devices=["det1"]), admin=EVERYTHING)
    await raw_reset.permissions.SetPermissions(pb.SetPermissionsRequest(permissions=limits))

    assert await names(raw_reset, "admin") == await names(raw_reset, "root") == ["count"]
    assert await allowed_devices(raw_reset, "admin") == ["det1"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"all_devices": True, "forbidden_devices": [":^[dm]:?.*", ":^stage"]}, "(stage)[mtrs[x[val] y] det[val]]"),
        ({"all_devices": True, "forbidden_devices": [":^[dm]:?.*", ":^stage2?$:?.*"]}, ""),
        ({"allowed_devices": [":^(stage|det1)$"]}, "det1 stage"),
        ({"allowed_devices": ["stage.mtrs.x"]}, "(stage)[(mtrs)[x]]"),
        ({"allowed_devices": [":^stage$:?val$"]}, "stage[(mtrs)[(x)[val]] (det)[val]]"),
    ],
    ids=["a node alone", "a whole tree", "without components", "one component", "leaves"],
)
async def test_rules_act_on_the_device_and_not_on_what_is_below(
    raw_reset: Stubs, rules: dict[str, object], expected: str
) -> None:
    await set_permissions(raw_reset, visitors=group(**rules))

    found = await allowed_devices(raw_reset, "visitors")

    assert " ".join(found[:2] if expected.startswith("det1") else found[:1]) == expected


async def test_lists_of_names_in_plans_are_reduced_for_the_group(raw_reset: Stubs) -> None:
    await set_permissions(raw_reset, admin=EVERYTHING, visitors=VISITORS)

    async def lists(user_group: str) -> list[list[str]]:
        (plan,) = (one for one in await allowed_plans(raw_reset, user_group) if one.name == "measure_scan")
        return [list(p.type.choices or p.type.arguments[0].choices) for p in plan.parameters]

    assert await lists("admin") == [
        ["det1", "det2", "det3", "det4", "stage.det"],
        ["adaptive_scan", "measure_scan", "rel_scan", "scan"],
    ]
    assert await lists("visitors") == [["det1", "det2"], ["measure_scan", "rel_scan"]]
    existing = await raw_reset.inventory.ListPlans(inventory_service_pb2.ListPlansRequest(existing=True))
    (plan,) = (one for one in existing.plans if one.name == "measure_scan")
    assert "nope" in plan.parameters[0].type.arguments[0].choices


async def test_what_exists_is_listed_whatever_is_allowed(raw_reset: Stubs) -> None:
    await set_permissions(raw_reset, nothing=group())

    plans = await raw_reset.inventory.ListPlans(inventory_service_pb2.ListPlansRequest(existing=True))
    devices = await raw_reset.inventory.ListDevices(inventory_service_pb2.ListDevicesRequest(existing=True))

    assert "_private" in [plan.name for plan in plans.plans]
    assert "_hidden" in [device.name for device in devices.devices]


async def test_the_caller_is_asked_about_if_no_group_is_named(raw_reset: Stubs) -> None:
    await set_permissions(raw_reset, visitors=VISITORS)
    request = inventory_service_pb2.ListPlansRequest()

    visitors = await raw_reset.inventory.ListPlans(request, metadata=(("qserver-user-group", "visitors"),))
    assert [plan.name for plan in visitors.plans] == ["count", "measure_scan", "rel_scan"]

    refusal = await refused(raw_reset.inventory.ListPlans(request, metadata=(("qserver-user-group", "admin"),)))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "GROUP_NOT_FOUND")
    assert refusal.message == "There is no user group 'admin': use one of 'visitors'."


async def test_only_members_of_a_group_submit_and_only_what_it_may_use(raw_reset: Stubs, shared_stack: Stack) -> None:
    await set_permissions(raw_reset, admin=EVERYTHING, visitors=VISITORS)
    async with AsyncClient(shared_stack.address, user_group="visitors") as visitor:
        await visitor.queue.add(Plan("count"))
        with pytest.raises(PlanNotFound, match="There is no plan 'scan' that you may use"):
            await visitor.queue.add(Plan("scan"))
        with pytest.raises(InvalidRequest, match="must be one of 'det1', 'det2', not \"det3\""):
            await visitor.queue.add(Plan("measure_scan", ["det3"], "rel_scan"))
        await visitor.queue.add(Plan("measure_scan", ["det1"], "rel_scan"))
    for user_group, reason in (("strangers", "GROUP_NOT_FOUND"), ("root", "GROUP_NOT_ACCEPTED")):
        async with AsyncClient(shared_stack.address, user_group=user_group) as stranger:
            for call in (stranger.queue.add(Plan("count")), stranger.queue.add_batch([Plan("count")])):
                with pytest.raises(QueueServerError) as refusal:
                    await call
                assert refusal.value.reason == reason
                assert "'admin', 'visitors'" in refusal.value.message


async def test_root_submits_when_the_caller_says_that_it_is_meant(raw_reset: Stubs) -> None:
    item = item_pb2.ItemSpec(item_type=item_pb2.ITEM_TYPE_PLAN, name="count")
    request, root = queue_items_pb2.AddItemRequest(item=item), (("qserver-user-group", "root"),)
    refusal = await refused(raw_reset.queue.AddItem(request, metadata=root))
    assert refusal.reason == "GROUP_NOT_ACCEPTED"
    added = await raw_reset.queue.AddItem(request, metadata=(*root, ("qserver-root-submits", "true")))
    assert added.item.user_group == "root"
    await set_permissions(raw_reset, admin=EVERYTHING)
    queue = await raw_reset.queue.ListItems(queue_items_pb2.ListItemsRequest())
    assert [(item.user_group, list(item.problems)) for item in queue.items] == [("root", [])]


async def test_functions_must_be_allowed_by_root_and_by_the_group(raw_reset: Stubs) -> None:
    await set_permissions(raw_reset, visitors=group(allowed_functions=["time", "_own"]))

    async def reason(name: str, user_group: str) -> str:
        request = task_service_pb2.ExecuteFunctionRequest(function={"name": name})
        refusal = await refused(
            raw_reset.tasks.ExecuteFunction(request, metadata=(("qserver-user-group", user_group),))
        )
        return refusal.reason

    assert await reason("_own", "visitors") == "FUNCTION_NOT_ALLOWED"
    assert await reason("other", "visitors") == "FUNCTION_NOT_ALLOWED"
    assert await reason("time", "strangers") == "GROUP_NOT_FOUND"


async def test_a_plan_that_was_forbidden_meanwhile_is_not_executed(
    raw_reset: Stubs, shared_client: AsyncClient
) -> None:
    item = await shared_client.queue.add(Plan("count"))
    await set_permissions(raw_reset, admin=group(allowed_plans=["scan"]))

    await shared_client.queue.start()
    entry = await item.result()

    assert entry.result.exit_status is ExitStatus.FAILED
    assert "'count'" in entry.result.message


async def test_an_item_of_a_group_that_is_gone_is_not_executed(raw_reset: Stubs, shared_client: AsyncClient) -> None:
    item = await shared_client.queue.add(Plan("count"))
    await set_permissions(raw_reset, visitors=EVERYTHING)

    await shared_client.queue.start()
    entry = await item.result()

    assert entry.result.exit_status is ExitStatus.FAILED
    assert entry.result.message == ("The plan was not started: There is no user group 'admin': use one of 'visitors'.")


async def test_names_of_devices_that_may_not_be_used_stay_names(raw_reset: Stubs, shared_client: AsyncClient) -> None:
    await set_permissions(raw_reset, admin=group(all_plans=True, allowed_devices=["det1", "stage.mtrs.x"]))

    async def came(name: str) -> str:
        item = await shared_client.queue.add(Plan("told", name))
        await shared_client.queue.start()
        message = (await item.result()).result.message
        await shared_client.queue.clear()
        return message

    assert "it is a Node" in await came("det1")
    assert "it is a Node" in await came("stage.mtrs.x")
    assert "it is a str" in await came("det2")
    assert "it is a str" in await came("stage.mtrs")


async def test_wrong_permissions_change_nothing_and_every_mistake_is_named(raw_reset: Stubs) -> None:
    before = await raw_reset.permissions.GetPermissions(pb.GetPermissionsRequest())
    wrong = permissions(visitors=group(allowed_plans=["count", "ok", ":("], allowed_devices=["1st"]))
    refusal = await refused(raw_reset.permissions.SetPermissions(pb.SetPermissionsRequest(permissions=wrong)))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PERMISSIONS_INVALID")
    assert set(refusal.violations) == {
        "permissions.user_groups[visitors].allowed_plans[2]",
        "permissions.user_groups[visitors].allowed_devices[0]",
    }
    del wrong.user_groups["root"]
    refusal = await refused(raw_reset.permissions.SetPermissions(pb.SetPermissionsRequest(permissions=wrong)))
    assert "'root' is missing" in refusal.violations["permissions.user_groups"]
    assert (await refused(raw_reset.permissions.SetPermissions(pb.SetPermissionsRequest()))).reason == "FIELD_INVALID"
    assert await raw_reset.permissions.GetPermissions(pb.GetPermissionsRequest()) == before


async def test_changes_are_announced_marked_and_guarded_by_their_revision(
    raw_reset: Stubs, shared_stack: Stack
) -> None:
    kinds = (events_pb.EVENT_KIND_PERMISSION, events_pb.EVENT_KIND_QUEUE)
    parts, token = await snapshot(shared_stack.address, kinds)
    assert set(parts[0].permissions.user_groups) == {"root", "admin", "primary"}
    request = status_service_pb2.GetStatusRequest()
    before = (await raw_reset.status.GetStatus(request)).status
    known = await raw_reset.permissions.GetPermissions(pb.GetPermissionsRequest())

    revision = await set_permissions(raw_reset, visitors=VISITORS)
    heard = await hear(shared_stack.address, token, lambda events: len(events) >= 2, kinds)

    assert [event.WhichOneof("event") for event in heard.events] == ["permissions_changed", "inventory_changed"]
    assert heard.events[0].permissions_changed.permissions.user_groups["visitors"] == VISITORS
    after = (await raw_reset.status.GetStatus(request)).status
    assert after.plans_allowed_uid != before.plans_allowed_uid
    assert after.devices_allowed_uid != before.devices_allowed_uid
    assert after.plans_existing_uid == before.plans_existing_uid
    guarded = pb.SetPermissionsRequest(permissions=permissions(), expected_revision=known.revision)
    refusal = await refused(raw_reset.permissions.SetPermissions(guarded))
    assert (refusal.reason, f"at revision {revision}" in refusal.message) == ("REVISION_MISMATCH", True)
    only_checked = pb.SetPermissionsRequest(permissions=permissions(), validate_only=True)
    await raw_reset.permissions.SetPermissions(only_checked)
    now = await raw_reset.permissions.GetPermissions(pb.GetPermissionsRequest())
    assert (now.revision, now.permissions.user_groups["visitors"]) == (revision, VISITORS)
