"""Put other plans and devices, or other permissions, in the place of the present ones."""

from __future__ import annotations

from queueserver_manager.domain.changes import Decision, SetInventory, SetPermissions
from queueserver_manager.domain.events import InventoryReplaced, PermissionsReplaced
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.record import Record


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
