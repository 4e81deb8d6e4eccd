"""What git says about startup code, and what is said when git says nothing."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest
from queueserver_worker.supervisor.process.code_revision import find_revision

GIT = shutil.which("git") or ""
QUIET = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


def git(folder: Path, *words: str) -> str:
    command = [GIT, "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder), *words]
    done = subprocess.run(command, env={**os.environ, **QUIET}, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repo" / "startup").mkdir(parents=True)
    (tmp_path / "repo" / "startup" / "00.py").write_text("x = 1\n")
    (tmp_path / "repo" / ".gitignore").write_text("*.log\n")
    git(tmp_path / "repo", "init", "-q", "-b", "main")
    git(tmp_path / "repo", "add", ".")
    git(tmp_path / "repo", "commit", "-q", "-m", "first")
    return tmp_path / "repo"


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Put a program called git in front of the real one."""
    folder.mkdir()
    path = folder / "git"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_committed_code_has_a_revision_and_is_not_changed(repository: Path) -> None:
    for path in (repository / "startup", repository / "startup" / "00.py", repository):
        found = find_revision(path)
        assert found is not None
        assert (found.repository, found.branch, found.problem) == (str(repository), "main", "")
        assert found.commit == git(repository, "rev-parse", "HEAD")
        assert (found.HasField("changed"), found.changed) == (True, False)


@pytest.mark.parametrize(
    ("file", "changed"),
    [("startup/00.py", True), ("startup/99.py", True), ("startup/a.log", False), ("other.py", False)],
)
def test_changes_of_the_code_count_and_those_beside_it_or_ignored_do_not(
    repository: Path, file: str, changed: bool
) -> None:
    (repository / file).write_text("y = 2\n")
    found = find_revision(repository / "startup")
    assert found is not None
    assert found.changed is changed


def test_a_detached_commit_has_no_branch_and_a_repository_without_one_says_so(repository: Path, tmp_path: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    found = find_revision(repository / "startup")
    assert found is not None
    assert (found.branch, bool(found.commit)) == ("", True)
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    found = find_revision(tmp_path / "empty")
    assert found is not None
    assert found.commit == ""
    assert found.problem.startswith("Nothing was committed yet")


def test_code_outside_of_repositories_and_code_that_is_not_there_have_none(tmp_path: Path) -> None:
    assert find_revision(tmp_path) is None
    assert find_revision(tmp_path / "missing" / "startup.py") is None


def test_without_git_it_says_that_git_is_missing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    found = find_revision(repository)
    assert found is not None
    assert (found.repository, found.commit, found.HasField("changed")) == (str(repository), "", False)
    assert "install git" in found.problem


def test_a_git_that_hangs_is_given_up(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", monkeypatch, "exec sleep 60")
    begun = time.monotonic()
    found = find_revision(repository, seconds=0.3)
    assert found is not None
    assert "git took longer than 0.3 s" in found.problem
    assert time.monotonic() - begun < 30


def test_a_repository_of_another_user_is_told_with_the_way_out(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = f"fatal: detected dubious ownership in repository at '{repository}'"
    program(tmp_path / "bin", monkeypatch, f'echo "{complaint}" >&2; exit 128')
    found = find_revision(repository)
    assert found is not None
    assert f"git config --global --add safe.directory {repository}" in found.problem


def test_a_complaint_of_git_is_told_in_its_first_line(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", monkeypatch, "echo 'fatal: index file corrupt' >&2; echo more >&2; exit 128")
    found = find_revision(repository)
    assert found is not None
    assert found.problem == "git could not tell the revision: fatal: index file corrupt."
    assert not found.HasField("changed")


def test_hooks_and_variables_of_the_shell_have_no_effect(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = repository.parent / "ran"
    git(repository, "config", "core.fsmonitor", f"touch {mark}; false")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    found = find_revision(repository / "startup")
    assert found is not None
    assert (found.problem, found.changed) == ("", False)
    assert not mark.exists()


def test_a_path_that_is_no_text_is_told_as_far_as_it_is_one(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    folder.mkdir()
    git(folder, "init", "-q")
    found = find_revision(folder)
    assert found is not None
    assert found.repository.startswith(str(tmp_path))
