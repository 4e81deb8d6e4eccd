"""The environment as it is published: its state and the rest of the message.

Guarantees: the state moves only as `lifecycle` allows, and each change is published with the whole environment.
Does not decide when it changes.
"""

from __future__ import annotations

from queueserver.common.v1 import environment_pb2
from queueserver.common.v1.environment_pb2 import EnvironmentFailure
from queueserver.common.v1.environment_pb2 import EnvironmentStatus as View
from queueserver.common.v1.inventory_pb2 import Inventory

from queueserver_worker.clock import now
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.process.lifecycle import State, check

MAX_PROGRESS = 300
"""Characters that are shown of what is being loaded."""

MAX_VERSION = 200
"""Characters of a version."""


class Status:
    """What is published. Changes of single fields follow with the next :meth:`move` or :meth:`publish`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._state = State.CLOSED
        self._inventory: Inventory | None = None
        #: The whole environment, as it is published.
        self.view = View(state=State.CLOSED.value, responsive=True)

    @property
    def state(self) -> State:
        """The state of the environment."""
        return self._state

    @property
    def inventory(self) -> Inventory | None:
        """Plans and devices; None unless it is open."""
        return self._inventory

    @property
    def has_run_engine(self) -> bool:
        """Whether the environment has reported a RunEngine."""
        return self.view.run_engine_state != environment_pb2.RUN_ENGINE_STATE_UNSPECIFIED

    def begin(self, environment_id: str) -> None:
        """Start again, for an environment that is to be opened."""
        self.view.CopyFrom(View(environment_id=environment_id, open_time=now(), responsive=True))
        self.move(State.INITIALIZING)

    def end(self, failure: EnvironmentFailure | None) -> None:
        """Forget what only a process has. The caller moves the state, when everything is published."""
        self._inventory = None
        self.view.pid = 0
        self.view.python = self.view.bluesky_version = ""
        self.view.responsive = True
        if failure is not None:
            self.view.failure.CopyFrom(failure)

    def progress(self, text: str) -> None:
        """Publish what is being loaded."""
        self.view.progress = text[:MAX_PROGRESS]
        self.publish()

    def about(self, python: str, bluesky_version: str) -> None:
        """Tell on what it runs, with the next change."""
        self.view.python, self.view.bluesky_version = python[:MAX_VERSION], bluesky_version[:MAX_VERSION]

    def offer(self, inventory: Inventory) -> None:
        """Tell plans and devices."""
        self._inventory = inventory
        self._journal.inventory_changed(inventory)

    def responsive_changed(self, responsive: bool) -> None:
        """Publish whether the process sends heartbeats."""
        self.view.responsive = responsive
        self.publish()

    def move(self, state: State) -> None:
        """Move to a state, perhaps the same, and publish. Raises TransitionError, which is a defect."""
        if state is not self._state:
            self._state = check(self._state, state)
        self.view.state = state.value
        if state is not State.INITIALIZING:
            self.view.progress = ""
        self.publish()

    def publish(self) -> None:
        """Publish the whole environment as it is."""
        self._journal.environment_changed(self.view)
