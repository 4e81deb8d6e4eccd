"""The command that lists plans and devices of startup code, qserver-list-plans-devices, as this process can run it.

It belongs to the Worker, which may be installed for another Python than that of this process; so the supervisor says
what it is. Code that runs outside of an environment has the Worker beside it.
"""

import sys
from collections.abc import Sequence
from typing import Final

# Modules in the current directory must not be taken for those of libraries.
_OF_THIS_PYTHON: Final = (
    sys.executable,
    "-c",
    "import sys; sys.path[:] = filter(None, sys.path); from queueserver_worker.list_tool import main; sys.exit(main())",
)


class _Command:
    """The command of this process."""

    words: Sequence[str] = _OF_THIS_PYTHON


def use_list_command(words: Sequence[str]) -> None:
    """Use this command from now on; an empty one means that of the Worker that is installed beside this module."""
    _Command.words = words or _OF_THIS_PYTHON


def list_command() -> list[str]:
    """Return the command, to which options can be added."""
    return list(_Command.words)
