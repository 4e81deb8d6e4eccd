"""How the supervisor starts an environment and how long it waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_worker.supervisor.process.process import ENVIRONMENT_COMMAND


@dataclass(frozen=True, slots=True)
class Launch:
    """How an environment is started, and how long the supervisor waits for it. Times in seconds."""

    #: Arguments that say what startup code is loaded, and how.
    startup: Sequence[str]
    command: Sequence[str] = ENVIRONMENT_COMMAND
    #: From the request to close until it is killed.
    close_timeout: float = 10.0
    #: From its report that it failed, or the end of its channel, until it is killed.
    exit_timeout: float = 1.0
    #: Silence after which it counts as not responsive.
    patience: float = 3.0
