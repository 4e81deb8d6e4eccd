"""How startup code is treated that loads, but not all of whose plans and devices can be used.

By default the environment opens without them, and they are listed. With the strict option it does not open.
"""

from collections.abc import Sequence
from typing import Any, Final

from queueserver_environment.plans.failures import StartupError

_TOLD: Final = 5
"""Issues that are listed in the message; the console has all."""


def refuse_issues(issues: Sequence[Any]) -> None:
    """Raise StartupError if there are any issues."""
    if not issues:
        return
    number = "1 thing" if len(issues) == 1 else f"{len(issues)} things"
    more = f" (The console shows {len(issues) - _TOLD} more.)" if len(issues) > _TOLD else ""
    told = " ".join(issue.message for issue in issues[:_TOLD])
    place = next((issue for issue in issues if issue.file), issues[0])
    raise StartupError(
        f"The startup code has {number} that can't be used, and the environment opens only without any "
        f"(--strict-startup): {told}{more}",
        place.file,
        place.line,
    )
