"""Lists of plans and devices from their file: at the start if none are known, and on request."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from queueserver_inventory import descriptions
from queueserver_inventory.list_file import write_list
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.permissions.permission_errors import FileInvalid, ReloadDisabled
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.files import Files
from queueserver_manager.operations.permissions import PermissionOperations
from queueserver_manager.store.files.list_file import ListFile
from queueserver_manager.worker_client.inventory import inventory_from_proto

from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

LISTED = descriptions.Inventory(
    plans=(descriptions.PlanDescription(name="count", module="m", returns_generator=True, function_name="count"),),
    devices=(descriptions.DeviceDescription(name="det", readable=True, class_name="Det", module="m"),),
)
KNOWN = Inventory({"scan": Plan("scan", ())}, {}, b"known")
REPLY: ReplySpec[None] = ReplySpec(lambda _, revision: str(revision).encode(), part="permissions")


def list_file(directory: Path, content: str | bytes | None = None) -> ListFile:
    path = directory / "existing_plans_and_devices.yaml"
    if content is None:
        content = write_list(LISTED)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ListFile(path, inventory_from_proto)


def operations(o: ScriptedTerm, lists: ListFile | None) -> PermissionOperations:
    return PermissionOperations(o.ledger, Files(lists=lists))


async def begin(o: ScriptedTerm, lists: ListFile | None) -> tuple[set[str], set[str]]:
    """Begin, and answer the names of plans and devices that are stored then."""
    await asyncio.wait_for(operations(o, lists).begin(None), SECONDS)
    return set(o.store.stored.inventory.plans), set(o.store.stored.inventory.devices)


async def test_a_manager_that_knows_no_plans_begins_with_those_of_the_file(tmp_path: Path) -> None:
    async with scripted_term() as o:
        assert await begin(o, list_file(tmp_path)) == ({"count"}, {"det"})
        assert o.store.stored.revisions.plans == 1


async def test_a_manager_that_knows_plans_keeps_them(tmp_path: Path) -> None:
    async with scripted_term(record=Record(store_id="s", inventory=KNOWN)) as o:
        assert await begin(o, list_file(tmp_path)) == ({"scan"}, set())


@pytest.mark.parametrize("content", ["", "a: [", b"\xff\xff"])
async def test_a_file_that_is_broken_or_not_there_is_no_obstacle(
    tmp_path: Path, content: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted_term() as o:
        for lists in (list_file(tmp_path, content), ListFile(tmp_path / "none.yaml", inventory_from_proto)):
            assert await begin(o, lists) == (set(), set())
        assert await begin(o, None) == (set(), set())
    # One that is not there is no news: it is written when an environment opens for the first time.
    assert len([line for line in caplog.messages if "are known when an environment has opened" in line]) == 1


async def test_lists_are_restored_on_request(tmp_path: Path) -> None:
    async with scripted_term(record=Record(store_id="s", inventory=KNOWN)) as o:
        answer = await operations(o, list_file(tmp_path)).reload(REPLY, permissions=False, lists=True)

        assert answer == b"1"
        assert set(o.store.stored.inventory.plans) == {"count"}
        assert o.store.stored.revisions.permissions == 0


async def test_lists_that_cannot_be_read_change_nothing(tmp_path: Path) -> None:
    async with scripted_term(record=Record(store_id="s", inventory=KNOWN)) as o:
        for content, why in (
            ("a: [", r"can't be used \(.* is not YAML"),
            (b"\xff", r"can't be read \(it is not UTF-8\)"),
        ):
            with pytest.raises(FileInvalid, match=why):
                await operations(o, list_file(tmp_path, content)).reload(REPLY, permissions=False, lists=True)
        with pytest.raises(ReloadDisabled, match="--existing-plans-devices FILE"):
            await operations(o, None).reload(REPLY, permissions=False, lists=True)
        with pytest.raises(FieldInvalid, match="say what to read again"):
            await operations(o, list_file(tmp_path)).reload(REPLY, permissions=False, lists=False)
        assert set(o.record.inventory.plans) == {"scan"}


async def test_nothing_is_reloaded_if_a_part_cannot_be(tmp_path: Path) -> None:
    async with scripted_term() as o:
        with pytest.raises(ReloadDisabled, match="without a file of permissions"):
            await operations(o, list_file(tmp_path)).reload(REPLY, permissions=True, lists=True)
        assert o.record.revisions.last == 0


async def test_a_file_that_is_not_there_yet_is_not_to_be_mended(tmp_path: Path) -> None:
    async with scripted_term() as o:
        lists = ListFile(tmp_path / "none.yaml", inventory_from_proto)
        with pytest.raises(FileInvalid, match=r"none\.yaml is not there: open the environment to learn"):
            await operations(o, lists).reload(REPLY, permissions=False, lists=True)


async def test_a_byte_order_mark_is_no_part_of_the_lists(tmp_path: Path) -> None:
    content = write_list(LISTED)
    with_mark = content.encode("utf-8-sig") if isinstance(content, str) else content
    async with scripted_term() as o:
        assert await begin(o, list_file(tmp_path, with_mark)) == ({"count"}, {"det"})
