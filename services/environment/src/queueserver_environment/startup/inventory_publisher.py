"""What the environment reports about itself: its plans, its devices and the state of its RunEngine.

Guarantees: after the first report only differences are reported; the last report is the present state, whichever
threads examine it at the same time; what is newly left out is printed.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from queueserver_inventory.descriptions import Inventory, InventoryIssue

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.describe.docstrings import docstrings_of
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.messages.frames import EnvironmentReady, FromEnvironment
from queueserver_environment.messages.states import RunEngineState
from queueserver_environment.plans.item_metadata import reserved_names
from queueserver_environment.plans.run_engine import Send, run_engine_issues
from queueserver_environment.plans.run_engine_holder import RunEngineHolder

Offer: TypeAlias = tuple[Inventory, Mapping[str, str]]
"""Plans and devices, and docstrings by the names of plans."""


class InventoryPublisher:
    """Plans and devices of a namespace, and the RunEngine's state."""

    def __init__(self, namespace: dict[str, Any], holder: RunEngineHolder, send: Send) -> None:
        self._namespace = namespace
        self._holder = holder
        self._send = send
        self._looking = threading.Lock()
        self._told: Offer = (Inventory(), {})
        self._device_max_depth = 0
        self._issues: frozenset[str] = frozenset()

    def first(self, device_max_depth: int) -> EnvironmentReady:
        """Examine the namespace for the first time; this depth of device trees stays in use. The caller reports it."""
        with self._looking:
            self._device_max_depth = device_max_depth
            self._told = self._look()
            return self._ready(*self._told)

    def update(self) -> None:
        """Examine it again, and report any differences."""
        with self._looking:
            found = self._look()
            if found == self._told:
                return
            # Reported in the order in which it was seen, hence inside.
            self._send(FromEnvironment(updated=self._ready(*found)))
            self._told = found

    def _look(self) -> Offer:
        found = take_inventory(self._namespace, device_max_depth=self._device_max_depth)
        found = replace(
            found,
            issues=(*found.issues, *run_engine_issues(self._namespace)),
            reserved_metadata=tuple(sorted(reserved_names(self._holder.engine))),
        )
        self._print_issues(found.issues)
        return found, docstrings_of(found, self._namespace)

    def _ready(self, inventory: Inventory, docstrings: Mapping[str, str]) -> EnvironmentReady:
        return EnvironmentReady(inventory, self._state(), dict(docstrings))

    def _state(self) -> RunEngineState:
        watched = self._holder.watched
        return watched.state if watched is not None else RunEngineState.UNSPECIFIED

    def _print_issues(self, issues: Iterable[InventoryIssue]) -> None:
        messages = [issue.message for issue in issues]
        for message in messages:
            if message not in self._issues:
                streams.note(f"{message}\n")
        self._issues = frozenset(messages)
