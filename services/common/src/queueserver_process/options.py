"""Command lines of services: an error is reported in one line, not below a page of usage."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn


class OptionParser(argparse.ArgumentParser):
    """A parser that ends the process with one line, and exit code 2, on an error."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to see all options."""
        self.exit(2, f"{self.prog}: {message.rstrip('.')}. All options: {self.prog} -h\n")


class ShowVersion(argparse.Action):
    """Writes the version of the package that is its ``const``, and ends the process.

    It is looked up only on request: what that takes would stay in memory for good.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Write it."""
        from importlib.metadata import version  # noqa: PLC0415 - see above

        sys.stdout.write(f"{version(str(self.const))}\n")
        parser.exit()


def add_version(parser: argparse.ArgumentParser, package: str) -> None:
    """Add ``--version``, which shows that of a package."""
    text = "show the version and exit"
    parser.add_argument("--version", action=ShowVersion, nargs=0, const=package, default=argparse.SUPPRESS, help=text)
