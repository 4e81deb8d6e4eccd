"""The Worker as a command: its options, its log, its exit code."""

from __future__ import annotations

from queueserver_process import log
from queueserver_process.process import run

from queueserver_worker.app import serve
from queueserver_worker.settings import parse


def main() -> int:
    """Run the Worker; returns its exit code."""
    settings = parse()
    log.configure(settings.log)
    return run(serve(settings))
