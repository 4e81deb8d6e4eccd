"""Plans and devices of a namespace as the Worker publishes them: described here, with docstrings read there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from queueserver_environment.describe.docstrings import docstrings_of
from queueserver_environment.describe.inventory import take_inventory
from queueserver_inventory.description_messages import devices_of, inventory_message, plans_of
from queueserver_inventory.descriptions import Inventory
from queueserver_worker.supervisor.inventory.docstrings import Docstrings


def take_documented(namespace: Mapping[str, Any]) -> Inventory:
    """Take the inventory; its issues must be none."""
    inventory = take_inventory(namespace)
    assert not inventory.issues
    message = inventory_message(inventory)
    Docstrings().describe(message, docstrings_of(inventory, namespace))
    return Inventory(plans_of(message.plans), devices_of(message.devices))
