"""The Manager: owns the queue, the history and every rule; decides, stores, and tells the Worker what to do."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - said here, because what follows is not even read by an older one
    sys.exit(f"The Manager needs Python 3.10 or newer, and this one is {'.'.join(map(str, sys.version_info[:2]))}.")
