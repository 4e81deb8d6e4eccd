"""What the environment reports about itself: its plans, its devices and the state of its RunEngine.

Guarantees: after the first report only differences are reported; the last report is the present state, whichever
threads examine it at the same time; what is newly left out is printed.
"""

import threading
from collections.abc import Iterable
from typing import Any

from queueserver.common.v1.environment_pb2 import RUN_ENGINE_STATE_UNSPECIFIED
from queueserver.common.v1.inventory_pb2 import Inventory, InventoryIssue
from queueserver.worker.v1.environment_channel_pb2 import EnvironmentReady, FromEnvironment

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.plans.item_metadata import reserved_names
from queueserver_environment.plans.run_engine import Send, run_engine_issues
from queueserver_environment.plans.run_engine_holder import RunEngineHolder
from queueserver_environment.startup.inventory_file import InventoryFile


class InventoryPublisher:
    """Plans and devices of a namespace, and the RunEngine's state."""

    def __init__(
        self, namespace: dict[str, Any], holder: RunEngineHolder, send: Send, inventory_file: InventoryFile
    ) -> None:
        self._namespace = namespace
        self._holder = holder
        self._send = send
        self._inventory_file = inventory_file
        self._looking = threading.Lock()
        self._told = b""
        self._device_max_depth = 0
        self._issues: frozenset[str] = frozenset()

    def first(self, device_max_depth: int) -> EnvironmentReady:
        """Examine the namespace for the first time; this depth of device trees stays in use. The caller reports it."""
        with self._looking:
            self._device_max_depth = device_max_depth
            offered, self._told = self._look()
            return offered

    def keep(self, offered: EnvironmentReady) -> None:
        """List in a file, if there is one, what was found the first time; problems with it become issues."""
        with self._looking:
            self._inventory_file.opened(offered.inventory)
            self._add_issues_of_list(offered.inventory)

    def update(self) -> None:
        """Examine it again, and report any differences."""
        with self._looking:
            offered, serialized = self._look()
            if serialized == self._told:
                return
            self._inventory_file.changed(offered.inventory)
            self._add_issues_of_list(offered.inventory)
            # Reported in the order in which it was seen, hence inside.
            self._send(FromEnvironment(updated=offered))
            self._told = serialized

    def _look(self) -> tuple[EnvironmentReady, bytes]:
        inventory = take_inventory(self._namespace, device_max_depth=self._device_max_depth)
        inventory.issues.extend(run_engine_issues(self._namespace))
        inventory.reserved_metadata.extend(sorted(reserved_names(self._holder.engine)))
        self._print_issues([*inventory.issues, *self._inventory_file.issues])
        serialized = inventory.SerializeToString(deterministic=True)
        return EnvironmentReady(inventory=inventory, run_engine_state=self._state()), serialized

    def _state(self) -> Any:
        watched = self._holder.watched
        return watched.state if watched is not None else RUN_ENGINE_STATE_UNSPECIFIED

    def _add_issues_of_list(self, inventory: Inventory) -> None:
        issues = self._inventory_file.issues
        self._print_issues([*inventory.issues, *issues])
        inventory.issues.extend(issues)

    def _print_issues(self, issues: Iterable[InventoryIssue]) -> None:
        messages = [issue.message for issue in issues]
        for message in messages:
            if message not in self._issues:
                streams.note(f"{message}\n")
        self._issues = frozenset(messages)
