"""The Worker as a command: its options, its log, its exit code."""

from __future__ import annotations

from queueserver_rpc.process import configure_logging, run

from queueserver_worker.app import serve
from queueserver_worker.settings import parse


def main() -> int:
    """Run the Worker; answers its exit code."""
    settings = parse()
    configure_logging(settings.log_level)
    return run(serve(settings))
