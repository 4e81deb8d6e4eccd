"""All methods of the API, by name. Each module has the methods of one family."""

from __future__ import annotations

from typing import Final

from queueserver_zmq_bridge.methods import (
    environment,
    history,
    inventory,
    kernel,
    locking,
    manager,
    permissions,
    queue_batches,
    queue_control,
    queue_items,
    run_engine,
    status,
    tasks,
)
from queueserver_zmq_bridge.methods.method import Method

_FAMILIES = (
    status,
    inventory,
    permissions,
    environment,
    queue_items,
    queue_batches,
    queue_control,
    run_engine,
    tasks,
    history,
    locking,
    kernel,
    manager,
)

METHODS: Final[dict[str, Method]] = {method.name: method for family in _FAMILIES for method in family.METHODS}
