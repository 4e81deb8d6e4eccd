"""The options that only some commands take; which command takes which is in its row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from queueserver_cli.command_line.option import Option, seconds

#: Only commands that name them in their row take these.
SPECIAL: Final = (
    Option("--wait", "Wait until it is done."),
    Option(
        "--lease",
        "Unlock after so many seconds, unless the lock is renewed before.",
        value="SECONDS",
        kind=seconds(5, 86400),
    ),
    Option("--item", "Only if this item runs, not any other.", value="UID"),
    Option("--validate-only", "Check everything, and change nothing."),
    Option("--long", "In full, as the dictionary that programs read."),
    Option("--resume", "Continue from the token with which an earlier watch ended.", value="TOKEN"),
)
#: How each of them is written, with what its value is called.
WRITTEN: Final[Mapping[str, str]] = {
    option.name: " ".join(filter(None, (option.name, option.value))) for option in SPECIAL
}
