"""Tasks and what came of them."""

from dataclasses import dataclass, field
from typing import Any, Final

from queueserver_environment.messages.items import SubmitterAccess
from queueserver_environment.messages.states import TaskFailureCause


class Nothing:
    """The type of NOTHING."""


NOTHING: Final = Nothing()
"""In place of a value of any kind: there is none. None is a value."""


@dataclass(slots=True)
class FunctionCall:
    """A call of a function."""

    name: str = ""
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Script:
    """Python source to execute."""

    text: str = ""
    update_lists: bool | None = None
    update_re: bool = False
    name: str = ""


@dataclass(slots=True)
class EnvironmentUpdate:
    """Reread plans and devices."""


@dataclass(slots=True)
class TaskCommand:
    """Start a task: one of function, script and update."""

    task_uid: str = ""
    function: FunctionCall | None = None
    script: Script | None = None
    update: EnvironmentUpdate | None = None
    run_in_background: bool = False
    access: SubmitterAccess | None = None


@dataclass(slots=True)
class TaskResult:
    """How a task ended."""

    success: bool = False
    message: str = ""
    traceback: str = ""
    #: NOTHING, or a value as `plain_value` makes it.
    return_value: Any = NOTHING
    start_time: int | None = None
    stop_time: int | None = None
    console_excerpt: str = ""
    failure_cause: TaskFailureCause = TaskFailureCause.UNSPECIFIED
