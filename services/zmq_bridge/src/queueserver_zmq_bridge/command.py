"""The bridge as a command: its options, its log, its exit code."""

from __future__ import annotations

import logging
import os

from queueserver_process import log
from queueserver_process.process import run

# As in the Manager: gRPC's own lines about each attempt to connect say nothing that our log does not say once.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from queueserver_zmq_bridge.app import Bridge
from queueserver_zmq_bridge.settings import parse
from queueserver_zmq_bridge.sockets.binding import BindError


def main() -> int:
    """Run the bridge until it is told to stop; returns its exit code."""
    return run(_serve())


async def _serve() -> int:
    settings = parse()
    log.configure(settings.log)
    try:
        settings.refuse_unasked()
        for warning in settings.warnings:
            logging.getLogger("queueserver_zmq_bridge").warning("%s", warning)
        return await Bridge(settings).run()
    except BindError as error:
        logging.getLogger("queueserver_zmq_bridge").critical("%s", error)
        return 1
