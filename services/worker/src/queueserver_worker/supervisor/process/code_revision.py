"""Which state of a git repository some code has, found out by the git program.

Guarantees: it ends within the time that it is given, however large the repository and however slow its disk; it changes
nothing in the repository and runs nothing that another user could have put there: git reads the repository of another
user only if that user owns the code, because its owner can run any code as us anyway.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from queueserver.common.v1.process_pb2 import CodeRevision
from queueserver_process.process_facts import shown_value

SECONDS: Final = 5.0
_MAX_ANSWER: Final = 4096
#: Hooks and helpers of the repository are not needed to look at it.
_QUIET: Final = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


class _Refused(Exception):  # noqa: N818 - what git did
    """The git program did not answer; the text is what it said first."""


def find_revision(path: Path, seconds: float = SECONDS) -> CodeRevision | None:
    """What git says about a file or directory; None if it lies in no repository."""
    try:
        repository = _repository_of(path)
    except OSError as error:
        return CodeRevision(problem=shown_value(f"{path} can't be looked at: {error.strerror or error}."))
    if repository is None:
        return None
    found = CodeRevision(repository=shown_value(repository))
    program = shutil.which("git")
    if program is None:
        found.problem = "There is no git program on the Worker's machine to tell the revision: install git."
        return found
    try:
        git = _Git(program, repository, path, time.monotonic() + seconds)
        found.branch = git.ask("symbolic-ref", "--quiet", "--short", "HEAD", may_fail=True)
        found.commit = git.ask("rev-parse", "--verify", "--quiet", "HEAD", may_fail=True)
        changes = git.ask("status", "--porcelain", "--untracked-files=normal", "--", str(path), enough=1)
    except TimeoutError:
        found.problem = shown_value(f"git took longer than {seconds:g} s: ask it in {repository}.")
    except (OSError, _Refused) as error:
        found.problem = shown_value(_advice(str(error), repository))
    else:
        found.changed = bool(changes)
        if not found.commit:
            found.problem = shown_value(f"Nothing was committed yet in {repository}.")
    return found


class _Git:
    """Asks git about one repository until a time on the monotonic clock."""

    def __init__(self, program: str, repository: Path, path: Path, deadline: float) -> None:
        owner = path.stat().st_uid
        ours = (repository / ".git").stat().st_uid == owner == repository.stat().st_uid
        trust = ("-c", f"safe.directory={repository}") if ours else ()
        self._command = (program, *_QUIET, *trust, "-C", str(repository))
        # Variables such as GIT_DIR would have it look elsewhere.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = {**environment, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
        self._deadline = deadline

    def ask(self, *words: str, may_fail: bool = False, enough: int = _MAX_ANSWER) -> str:
        """Return the first bytes that git says. Raises TimeoutError, _Refused, OSError."""
        process = subprocess.Popen(  # noqa: S603 - git, with words of ours
            [*self._command, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process, _killed_at(self._deadline, process):
            said, complaint = _read(process, enough)
            code = process.wait()
        if time.monotonic() >= self._deadline:
            raise TimeoutError
        if code > 0 and not may_fail:
            raise _Refused(complaint.decode(errors="replace"))
        return said.decode(errors="replace").rstrip("\n")


def _read(process: subprocess.Popen[bytes], enough: int) -> tuple[bytes, bytes]:
    """The first bytes of what it says, and, if it has said it all, of what it complains about."""
    if process.stdout is None or process.stderr is None:
        raise AssertionError("it was started with pipes")
    said = process.stdout.read(enough)
    if len(said) < enough:
        return said, process.stderr.read(_MAX_ANSWER)
    process.kill()
    return said, b""


@contextlib.contextmanager
def _killed_at(deadline: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _advice(complaint: str, repository: Path) -> str:
    if "dubious ownership" in complaint or "unsafe repository" in complaint:
        return (
            f"git does not look at {repository}, which belongs to another user than the startup code or the Worker: "
            f"allow it by 'git config --global --add safe.directory {repository}' as the user of the Worker."
        )
    first = (complaint.strip().splitlines() or ["it gave no reason"])[0]
    return f"git could not tell the revision: {first[:200].rstrip('.')}."


def _repository_of(path: Path) -> Path | None:
    """The nearest directory at or above a path that is a working tree of git."""
    path = path.resolve()
    folders: Sequence[Path] = (path, *path.parents) if path.is_dir() else tuple(path.parents)
    return next((folder for folder in folders if (folder / ".git").exists()), None)
