"""What a Manager promises about tasks, as a model that a person can read: a list of them, and how each ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.integration.manager.worker_script import Fate


@dataclass(eq=False)
class ModelTask:
    """A task that was accepted."""

    uid: str
    background: bool
    #: How it ended; None if it goes on.
    success: bool | None = None


@dataclass
class TaskModel:
    """All tasks of a scene, and those that the Worker was made to begin, in order."""

    tasks: list[ModelTask] = field(default_factory=list)
    begun: list[ModelTask] = field(default_factory=list)
    #: What becomes of the next commands to the Worker.
    fates: deque[Fate] = field(default_factory=deque)

    @property
    def running(self) -> list[ModelTask]:
        """Those that go on."""
        return [task for task in self.tasks if task.success is None]

    @property
    def foreground(self) -> ModelTask | None:
        """The one that keeps the environment to itself."""
        return next((task for task in self.running if not task.background), None)

    def accept(self, uid: str, *, background: bool) -> Fate:
        """A task is accepted and handed to the Worker; answers what became of that."""
        task = ModelTask(uid, background)
        self.tasks.append(task)
        fate = Fate.COMMAND_LOST
        while fate is Fate.COMMAND_LOST:
            fate = self.fates.popleft() if self.fates else Fate.ACCEPTED
        if fate in {Fate.REFUSED, Fate.REFUSED_LATE, Fate.ENVIRONMENT_DIES, Fate.WORKER_RESTARTS}:
            task.success = False
        else:
            self.begun.append(task)
            if fate in {Fate.ENDS_FIRST, Fate.ENDS_AND_REPLY_LOST}:
                task.success = True
        return fate

    def lose(self) -> None:
        """The environment is gone: whatever goes on has failed."""
        for task in self.running:
            task.success = False

    def some(self, which: int, count: int) -> Sequence[ModelTask]:
        """Up to ``count`` of those that go on, in some order."""
        running = self.running
        return [running[(which + i) % len(running)] for i in range(min(count, len(running)))]
