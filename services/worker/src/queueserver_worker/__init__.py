"""The Worker: owns the environment process and executes plans in it."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - said here, because what follows is not even read by an older one
    sys.exit(f"The Worker needs Python 3.10 or newer, and this one is {'.'.join(map(str, sys.version_info[:2]))}.")
