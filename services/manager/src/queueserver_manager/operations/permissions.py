"""Look at the permissions of user groups, set them, read them from their file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from queueserver_inventory.access import GroupRules

from queueserver_manager.domain.changes import Decision, SetInventory, SetPermissions
from queueserver_manager.domain.events import InventoryReplaced, PermissionsReplaced
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permission_errors import PermissionsInvalid
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid, NotReady
from queueserver_manager.operations.commit.commit_batch import Decide
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.prepared_decisions import submit_prepared
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.commit.until_stored import until_stored
from queueserver_manager.operations.files import Files, find_violations


class PermissionOperations:
    """What clients may do with permissions. Every method raises the ledger's refusals besides its own."""

    def __init__(self, ledger: Ledger, files: Files) -> None:
        self._ledger = ledger
        self._files = files

    async def get(self) -> tuple[Permissions, int]:
        """The permissions in force, and the revision of their last change."""
        return await self._ledger.read(lambda record: (record.permissions, record.revisions.permissions))

    async def set(self, groups: Mapping[str, GroupRules], reply: ReplySpec[None]) -> bytes:
        """Replace the permissions. Raises PermissionsInvalid."""

        async def prepare() -> Decide[None]:
            violations = await find_violations(groups, "permissions.user_groups")
            if violations:
                raise PermissionsInvalid(violations)
            permissions = Permissions(groups)
            return lambda record: replace_permissions(record, permissions)

        return await submit_prepared(self._ledger, reply, prepare)

    async def reload(self, reply: ReplySpec[None], *, permissions: bool, lists: bool) -> bytes:
        """Read files again: everything requested, or nothing. Raises ReloadDisabled, FileInvalid, FieldInvalid."""

        async def prepare() -> Decide[None]:
            if not permissions and not lists:
                raise FieldInvalid("restore_permissions", "say what to read again: this, restore_plans_devices or both")
            fresh = await self._files.reload_permissions() if permissions else None
            inventory = await self._files.read_lists() if lists else None

            def decide(record: Record) -> Decision[None]:
                parts = [replace_permissions(record, fresh)] if fresh is not None else []
                parts += [replace_inventory(record, inventory)] if inventory is not None else []
                changes = [change for part in parts for change in part.changes]
                return Decision(None, changes, [event for part in parts for event in part.events])

            return decide

        return await submit_prepared(self._ledger, reply, prepare)

    async def begin(self, fresh: Permissions | None) -> None:
        """Put permissions into force, if given, and plans and devices of their file, if none are known."""
        if fresh is not None:
            await self._store(lambda record: replace_permissions(record, fresh))
        if self._ledger.inventory.wire:
            return
        inventory = await self._files.first_inventory()
        if inventory is not None:
            await self._store(
                lambda record: Decision(None) if record.inventory.wire else replace_inventory(record, inventory)
            )

    async def _store(self, decide: Callable[[Record], Decision[None]]) -> None:
        """Decide as soon as Redis answers."""
        with suppress(NotReady):
            await until_stored(self._ledger, lambda: self._ledger.submit(decide))


def replace_inventory(record: Record, inventory: Inventory) -> Decision[None]:
    """Replace plans and devices; nothing changes if they are the same."""
    old = record.inventory
    if old.wire == inventory.wire:
        return Decision(None)
    plans = [plan.wire for plan in old.plans.values()] != [plan.wire for plan in inventory.plans.values()]
    devices = [d.wire for d in old.devices.values()] != [d.wire for d in inventory.devices.values()]
    return Decision(
        None,
        [SetInventory(inventory, plans_changed=plans, devices_changed=devices)],
        [InventoryReplaced(len(inventory.plans), len(inventory.devices))],
    )


def replace_permissions(record: Record, permissions: Permissions) -> Decision[None]:
    """Replace the permissions of all groups; nothing changes if the same are stored already."""
    if record.revisions.permissions and record.permissions == permissions:
        return Decision(None)
    # The lists of what each group may use follow from them.
    lists = InventoryReplaced(len(record.inventory.plans), len(record.inventory.devices))
    return Decision(None, [SetPermissions(permissions)], [PermissionsReplaced(permissions), lists])
