"""The options that say where the environment keeps the list of its plans and devices, and when it is written."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

FILE: Final = "--existing-plans-devices"
UPDATE: Final = "--update-existing-plans-devices"
NEVER: Final = "NEVER"
ENVIRONMENT_OPEN: Final = "ENVIRONMENT_OPEN"
ALWAYS: Final = "ALWAYS"
POLICIES: Final = (NEVER, ENVIRONMENT_OPEN, ALWAYS)


def add_list_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `list_arguments` reads what was given."""
    parser.add_argument(
        FILE,
        dest="list_file",
        type=Path,
        metavar="FILE",
        help="YAML in which plans and devices are listed, for Managers that start without an environment "
        "(default: no file)",
    )
    parser.add_argument(
        UPDATE,
        dest="update_list",
        choices=POLICIES,
        default=ENVIRONMENT_OPEN,
        help="when that file is written: never, when an environment opens, or also when its plans or devices change "
        "(default: %(default)s)",
    )


def list_arguments(given: argparse.Namespace) -> tuple[str, ...]:
    """What was given, as arguments of the environment process; nothing if no file is to be written."""
    if given.list_file is None or given.update_list == NEVER:
        return ()
    return (FILE, str(given.list_file.expanduser().absolute()), UPDATE, given.update_list)
