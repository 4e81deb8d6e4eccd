"""`autoawait_in_bluesky_event_loop()`, which tutorials of ophyd-async call before anything else.

It tells IPython's shell in which event loop to run an `await` typed there. Nothing is typed here, so without a
shell there is nothing to tell, and it must not fail for that.
"""

from functools import wraps
from types import ModuleType
from typing import Any, Final

from queueserver_environment.startup.ipython_standin import tell_ignored
from queueserver_environment.startup.startup_imports import after_import

_NAME: Final = "autoawait_in_bluesky_event_loop"


def do_without_shell() -> None:
    """Have the function do nothing unless it is given a shell."""
    after_import("bluesky.run_engine", _adapt)


def _adapt(module: ModuleType) -> None:
    original = vars(module).get(_NAME)
    if original is None:
        return

    @wraps(original)
    def autoawait(ip: Any = None) -> None:
        if ip is None:
            tell_ignored(f"{_NAME}()")
        else:
            original(ip)

    setattr(module, _NAME, autoawait)
