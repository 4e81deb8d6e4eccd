"""qserver: the Queue Server from the command line."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - said here, because what follows is not even read by an older one
    sys.exit(f"qserver needs Python 3.10 or newer, and this one is {'.'.join(map(str, sys.version_info[:2]))}.")
