"""The options that say where plans and devices of the environment are listed, and when the list is written."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "--existing-plans-devices"
UPDATE: Final = "--update-existing-plans-devices"
NEVER: Final = "NEVER"
ENVIRONMENT_OPEN: Final = "ENVIRONMENT_OPEN"
ALWAYS: Final = "ALWAYS"
POLICIES: Final = (NEVER, ENVIRONMENT_OPEN, ALWAYS)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Where plans and devices are listed, and when."""

    #: None if they are not.
    file: Path | None = None
    #: Also when they change, not only when the environment opens.
    also_changes: bool = False

    def shown(self) -> dict[str, str]:
        """The same by the names of the options; empty if there is no file."""
        if self.file is None:
            return {}
        return {FILE[2:]: str(self.file), UPDATE[2:]: ALWAYS if self.also_changes else ENVIRONMENT_OPEN}


def add_list_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `read_list_options` reads what was given."""
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


def read_list_options(given: argparse.Namespace) -> ListOptions:
    """What was given; no file if none is to be written."""
    if given.list_file is None or given.update_list == NEVER:
        return ListOptions()
    return ListOptions(given.list_file.expanduser().absolute(), also_changes=given.update_list == ALWAYS)
