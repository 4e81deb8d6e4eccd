"""The command qserver-list-plans-devices: list the plans and devices of startup code in a file.

It needs no server. It is also the quickest way to see whether an environment would open with that code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from queueserver_inventory.list_file import FILE_NAME
from queueserver_process.interpreter import InterpreterError
from queueserver_process.options import OptionParser, add_version

from queueserver_worker.list_generation import ListGenerationError, generate_list
from queueserver_worker.python_option import add_python_option, read_python_option
from queueserver_worker.startup_options import (
    StartupOptionError,
    absolute_path,
    add_startup_options,
    read_startup_options,
)

_EXAMPLES = """\
examples:
  qserver-list-plans-devices --startup-dir ~/beamline/startup --file-dir ~/beamline/startup
  qserver-list-plans-devices --startup-profile collection --file-dir /etc/queueserver
  qserver-list-plans-devices --startup-script startup.py --ignore-invalid-plans ON

A list that is there is replaced, unless something is wrong. What the startup code prints goes to standard output.
exit codes: 0 the list was written; 1 it was not, and standard error says why; 2 wrong usage
"""
_NOT_CREATED = "The list of existing plans and devices was not created."


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the list; returns the exit code: 0, 1 if there is no new list, 2 for wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        _refuse_kernel(given.use_ipython_kernel)
        startup = read_startup_options(given)
        file = given.file_dir.absolute() / given.file_name
        python = read_python_option(given)
        generate_list(startup, file, python=python, ignore_invalid_plans=given.ignore_invalid_plans == "ON")
    except (StartupOptionError, InterpreterError, ListGenerationError) as error:
        sentence = str(error).removesuffix(".")
        sys.stderr.write(f"{_NOT_CREATED} {sentence[:1].upper()}{sentence[1:]}.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"{_NOT_CREATED} It was interrupted.\n")
        return 1
    sys.stdout.write("The list of existing plans and devices was created successfully.\n")
    return 0


def _refuse_kernel(wanted: str) -> None:
    if wanted == "ON":
        raise StartupOptionError(
            "--use-ipython-kernel can't be ON, because startup code is loaded in plain Python here: leave it out; "
            "get_ipython() and .ipy files are understood without a kernel (docs/how-to/startup-code.md)"
        )


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="qserver-list-plans-devices",
        usage="%(prog)s SOURCE [OPTION]...",
        description="Load startup code, without a server, and list its plans and devices in a file.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_startup_options(parser)
    add_python_option(parser)
    parser.add_argument(
        "--file-dir",
        type=absolute_path,
        default=Path(),
        metavar="DIR",
        help="where the file is written (default: here)",
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
        choices=("ON", "OFF"),
        default="OFF",
        help="only OFF, for the sake of existing scripts: startup code is always loaded in plain Python",
    )
    add_version(parser, "queueserver-worker")
    return parser


if __name__ == "__main__":
    sys.exit(main())
