"""The inventory: every plan and device of a namespace, by the name under which a person calls it."""

from typing import Any

from queueserver.common.v1.inventory_pb2 import Inventory, InventoryIssue

from queueserver_worker.environment.describe.devices import describe_device, is_device
from queueserver_worker.environment.describe.plans import describe_plan, is_plan
from queueserver_worker.environment.failures import error_text


def take_inventory(namespace: dict[str, Any]) -> Inventory:
    """Describe all plans and devices of a namespace, in alphabetical order; list what had to be left out."""
    inventory = Inventory()
    for name in sorted(key for key in namespace if isinstance(key, str)):
        value = namespace[name]
        try:
            if is_plan(value):
                inventory.plans.append(describe_plan(name, value))
            elif is_device(value):
                problems: list[str] = []
                inventory.devices.append(describe_device(name, value, problems))
                inventory.issues.extend(InventoryIssue(name=name, message=problem) for problem in problems)
        except Exception as error:  # noqa: BLE001 - protects the other plans and devices from a broken one
            inventory.issues.append(_issue(name, error))
    return inventory


def _issue(name: str, error: Exception) -> InventoryIssue:
    cause = f"{type(error).__name__}: {error_text(error)}"
    return InventoryIssue(name=name, message=f"{name} can't be described and was left out ({cause}).")
