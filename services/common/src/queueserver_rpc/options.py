"""Command lines of services: what is wrong with one is told in a line, not below a page of usage."""

from __future__ import annotations

import argparse
from typing import NoReturn


class OptionParser(argparse.ArgumentParser):
    """A parser that ends the process with one line, and exit code 2, when it is used wrongly."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to see all options."""
        self.exit(2, f"{self.prog}: {message.rstrip('.')}. All options: {self.prog} -h\n")
