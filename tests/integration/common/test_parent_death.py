"""A command that is tied to its parent: it takes the place of what started it, and does not start without a parent."""

from __future__ import annotations

import os
import subprocess
import sys

from queueserver_process import parent_death


def run_tied_to(parent: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python under another name, as a command tied to the process of that id."""
    script = [sys.executable, "-I", "-S", parent_death.__file__, str(parent)]
    command = [*script, sys.executable, "another-name", "-c", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_takes_its_arguments_and_its_exit_code_along() -> None:
    ended = run_tied_to(os.getpid(), "import sys; print(sys.orig_argv, sys.argv[1:]); sys.exit(7)", "one", "two words")
    assert ended.stdout.startswith("['another-name', '-c',")
    assert ended.stdout.endswith("['one', 'two words']\n")
    assert ended.returncode == 7


def test_the_command_does_not_start_when_its_parent_is_gone() -> None:
    ended = run_tied_to(os.getppid(), "print('started')")
    assert (ended.stdout, ended.returncode) == ("", 1)
