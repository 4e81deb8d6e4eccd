"""`qserver-console` and `qserver-qtconsole`: they need an environment that runs an IPython kernel, which is to come."""

from __future__ import annotations

import sys
from pathlib import Path

from queueserver_cli.command_line.options import installed_version

_FAILED = 5


def main() -> None:
    """Say so, and exit."""
    name = Path(sys.argv[0]).name
    sentence = (
        f"{name} opens a console on the environment's IPython kernel, and there is none yet: the environment runs "
        "plain Python. What it prints: qserver-console-monitor. To execute code in it: qserver script upload FILE"
    )
    if "--version" in sys.argv[1:]:
        print(installed_version())  # noqa: T201 - what was asked for
        sys.exit(0)
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(sentence)  # noqa: T201 - this is the help
        sys.exit(0)
    print(sentence, file=sys.stderr)  # noqa: T201 - what it is for
    sys.exit(_FAILED)
