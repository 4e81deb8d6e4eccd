"""What the Manager may refuse because of the environment and its RunEngine. The rules are those of ``errors.py``.

Refused
├── NotFound
│   └── EnvironmentNotFound
└── WrongState
    ├── EnvironmentClosed
    ├── EnvironmentExists
    ├── RunEngineMissing
    ├── RunEngineBusy
    └── RunEnginePanicked
"""

from __future__ import annotations

from queueserver_manager.domain.refusals.errors import NotFound, WrongState


class EnvironmentNotFound(NotFound):
    """No such environment is or was the last."""


class EnvironmentClosed(WrongState):
    """There is no environment, and the request needs one."""

    def __init__(self, message: str, remedy: str = "") -> None:
        """``remedy`` is given where nothing is left to do."""
        super().__init__(message)
        #: What to do: the tutorials fix some of the sentences, which have no room for it.
        self.remedy = remedy or "Open the environment first."
        self.remedy_method = "" if remedy else "EnvironmentService.OpenEnvironment"


class EnvironmentExists(WrongState):
    """There is an environment already."""

    remedy = "Use the environment that is open, or close it first."

    def __init__(self) -> None:
        super().__init__("RE Worker environment already exists.")


class RunEngineMissing(WrongState):
    """The environment has no RunEngine."""

    remedy_method = "EnvironmentService.CloseEnvironment"

    def __init__(self) -> None:
        super().__init__(
            "The environment has no RunEngine, so plans can't run: "
            "define RE in the startup code, or leave it to the Worker to create one, and reopen the environment."
        )


class RunEngineBusy(WrongState):
    """The RunEngine runs something that no item of ours began."""

    def __init__(self) -> None:
        super().__init__(
            "The RunEngine runs something that was not started by the queue: "
            "wait until it has ended, or destroy the environment and open a new one."
        )


class RunEnginePanicked(WrongState):
    """The RunEngine lost control of a plan and can't be used any more."""

    remedy_method = "EnvironmentService.DestroyEnvironment"

    def __init__(self) -> None:
        super().__init__(
            "The RunEngine is panicked and can't run another plan: destroy the environment and open a new one."
        )
