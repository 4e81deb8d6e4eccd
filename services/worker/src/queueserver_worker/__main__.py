"""The command `python -m queueserver_worker`."""

from __future__ import annotations

import sys

from queueserver_rpc.process import configure_logging, run

from queueserver_worker.app import serve
from queueserver_worker.settings import parse


def main() -> int:
    """Run the Worker; answers its exit code."""
    settings = parse()
    configure_logging(settings.log_level)
    return run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
