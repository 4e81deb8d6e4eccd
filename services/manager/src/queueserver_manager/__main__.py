"""``python -m queueserver_manager``: start a Manager."""

from __future__ import annotations

import logging
import os
import sys

from queueserver_process import log
from queueserver_process.process import run

# How much gRPC itself logs, which it reads when it is imported. At its own level each handshake that fails is a line,
# and the Manager tries again and again; its own log says once what is wrong.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from queueserver_manager.app import Manager
from queueserver_manager.settings import parse
from queueserver_manager.store.connection import AddressError


async def _serve(arguments: list[str]) -> int:
    settings = parse(arguments)
    log.configure(settings.log)
    try:
        return await Manager(settings).run()
    except (AddressError, OSError) as error:
        logging.getLogger("queueserver_manager").critical("%s", error)
        return 1


def main() -> None:
    """Run a Manager until it is told to stop."""
    sys.exit(run(_serve(sys.argv[1:])))


if __name__ == "__main__":
    main()
