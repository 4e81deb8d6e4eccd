"""The Worker with the scripted child in place of the environment; the command line is the Worker's own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from queueserver_process import log
from queueserver_process.process import run
from queueserver_worker.app import serve
from queueserver_worker.environment_command import EnvironmentCommand
from queueserver_worker.settings import parse
from queueserver_worker.supervisor.process.process import Launch

CHILD = Path(__file__).with_name("scripted_child.py")

if __name__ == "__main__":
    settings = parse()
    log.configure(settings.log)
    words: tuple[str, ...] = (sys.executable, "-u", str(CHILD))
    if Path(settings.startup[1]).read_text() == "no_program":
        words = (str(CHILD / "does not exist"),)
    launch = Launch(settings.startup, EnvironmentCommand(words), close_timeout=1.0)
    sys.exit(run(serve(replace(settings, plan_stop_timeout=1.0, close_stop_timeout=1.0), launch)))
