"""The command qserver-list-plans-devices: list the plans and devices of startup code in a file.

It needs no server. It is also the quickest way to see whether an environment would open with that code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from queueserver_inventory.list_file import FILE_NAME

from queueserver_worker.list_generation import ListGenerationError, generate_list
from queueserver_worker.startup_options import StartupOptionError, add_startup_options, read_startup_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the list; answers the exit code: 0, 1 if there is no new list, 2 for wrong usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        startup = read_startup_options(given)
    except StartupOptionError as error:
        parser.error(str(error))
    file = given.file_dir.expanduser().absolute() / given.file_name
    try:
        generate_list(startup, file, ignore_invalid_plans=given.ignore_invalid_plans == "ON")
    except ListGenerationError as error:
        sys.stderr.write(f"The list of existing plans and devices was not created. {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("The list of existing plans and devices was not created: interrupted.\n")
        return 1
    sys.stdout.write("The list of existing plans and devices was created successfully.\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qserver-list-plans-devices",
        description="Load startup code, without a server, and list its plans and devices in a file.",
    )
    add_startup_options(parser)
    parser.add_argument(
        "--file-dir", type=Path, default=Path(), metavar="DIR", help="where the file is written (default: here)"
    )
    parser.add_argument("--file-name", default=FILE_NAME, metavar="NAME", help="its name (default: %(default)s)")
    parser.add_argument(
        "--ignore-invalid-plans",
        choices=("ON", "OFF"),
        default="OFF",
        help="leave out plans that can't be described, instead of writing no list (default: %(default)s)",
    )
    parser.add_argument(
        "--use-ipython-kernel",
        choices=("OFF",),
        default="OFF",
        help="understood for the sake of existing scripts; startup code is always loaded in plain Python",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
