"""Devices that failed when the RunEngine stopped or unstaged them, which it only writes to its log.

Does not guarantee to find them where user code has silenced the log of bluesky.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from queueserver_environment.outcome.refusals import device_name
from queueserver_environment.plans.failures import error_text

_TOLD: Final = {
    "Failed to stop %r.": "could not be stopped, it may still move",
    "Failed to unstage %r.": "could not be unstaged",
}
"""What the RunEngine logs, and what that means."""


class TidyingLog(logging.Handler):
    """Reports which devices one RunEngine could not leave in the right state.

    Parameters
    ----------
    engine
        The bluesky.RunEngine.
    tell
        Takes one sentence for each failure, in the RunEngine's thread.

    """

    def __init__(self, engine: Any, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._engine = engine
        self._tell = tell
        logging.getLogger("bluesky").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Examine a log record."""
        meaning = _TOLD.get(record.msg) if isinstance(record.msg, str) else None
        if meaning is None or getattr(record, "RE", None) is not self._engine:
            return
        # A device that is a mapping stands there by itself.
        device = record.args[0] if isinstance(record.args, tuple) and record.args else record.args
        error = record.exc_info[1] if record.exc_info else None
        why = f": {error_text(error)}" if error is not None else "."
        self._tell(f"Device {device_name(device)!r} {meaning}{why}")

    def end(self) -> None:
        """Stop listening."""
        logging.getLogger("bluesky").removeHandler(self)
