"""Another interpreter is examined before an environment runs on it: what is refused, and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from queueserver_process.interpreter import Interpreter, InterpreterError, find_interpreter

GOOD = {
    "version": [3, 12, 1],
    "missing": [],
    "bluesky": "1.13.1",
    "prefix": "/opt/conda/envs/bl7",
    "base_prefix": "/opt/conda/envs/bl7",
}


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def interpreter_that_says(path: Path, **facts: object) -> Path:
    """A program that answers as an interpreter of these facts would."""
    return program(
        path,
        f"#!/bin/sh\necho 'welcome to this beamline'\necho 'queueserver-interpreter {json.dumps({**GOOD, **facts})}'\n",
    )


def refusal(path: Path | str) -> str:
    with pytest.raises(InterpreterError) as caught:
        find_interpreter(path)
    return str(caught.value)


def test_our_own_interpreter_is_one() -> None:
    found = find_interpreter(sys.executable)
    assert (found.path, found.version) == (Path(sys.executable), tuple(sys.version_info[:3]))
    assert found.prefix == Path(sys.prefix)
    assert found.is_virtual is (sys.prefix != sys.base_prefix)


def test_what_is_printed_when_it_starts_does_no_harm(tmp_path: Path) -> None:
    found = find_interpreter(interpreter_that_says(tmp_path / "python"))
    assert found == Interpreter(tmp_path / "python", (3, 12, 1), Path("/opt/conda/envs/bl7"))


@pytest.mark.parametrize(("version", "knows"), [([3, 10, 13], False), ([3, 11, 0], True), ([3, 14, 0], True)])
def test_whether_it_knows_the_safe_path_is_its_own_matter(tmp_path: Path, version: list[int], *, knows: bool) -> None:
    assert find_interpreter(interpreter_that_says(tmp_path / "python", version=version)).has_safe_path is knows


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"version": [3, 9, 18]}, "is Python 3.9.18, and the environment needs 3.10 or newer. Name a newer"),
        ({"version": [2, 7, 18]}, "is Python 2.7.18, and the environment needs 3.10 or newer"),
        ({"missing": ["bluesky", "msgpack"]}, "(Python 3.12.1) has no bluesky. Install bluesky 1.10 or newer there"),
        ({"bluesky": "1.9.0"}, "has bluesky 1.9.0, and the environment needs 1.10 or newer"),
        ({"missing": ["msgpack"]}, "has bluesky, but not msgpack, which bluesky needs. Install bluesky there again"),
    ],
)
def test_one_that_can_not_work_is_refused(tmp_path: Path, facts: dict[str, object], sentence: str) -> None:
    path = interpreter_that_says(tmp_path / "python", **facts)
    assert f"--environment-python: {path} {sentence}" in refusal(path)


@pytest.mark.parametrize("version", ["", "1.10.0", "1.14.2.dev5+g123", "2.0", "0+unknown"])
def test_a_version_that_is_not_known_to_be_too_old_is_taken(tmp_path: Path, version: str) -> None:
    assert find_interpreter(interpreter_that_says(tmp_path / "python", bluesky=version))


def test_a_path_without_an_interpreter_is_refused(tmp_path: Path) -> None:
    assert "there is no interpreter" in refusal(tmp_path / "python")
    (tmp_path / "bin").mkdir()
    assert "is a directory. Give the interpreter in it, for example" in refusal(tmp_path)
    interpreter_that_says(tmp_path / "bin" / "python")
    assert f"is a directory. Give {tmp_path / 'bin' / 'python'}." in refusal(tmp_path)
    (tmp_path / "file").write_text("")
    assert "can't be executed. Correct its permissions" in refusal(tmp_path / "file")
    assert "does not know the user of '~no-such-user-here/python'" in refusal("~no-such-user-here/python")


def test_a_program_of_another_kind_is_refused(tmp_path: Path) -> None:
    silent = program(tmp_path / "silent", "#!/bin/sh\nexit 3\n")
    assert "does not behave like Python (exit code 3)" in refusal(silent)
    failing = program(tmp_path / "failing", "#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
    assert "does not behave like Python (error while loading shared libraries)" in refusal(failing)
    foreign = program(tmp_path / "foreign", "\x7fELF of another machine")
    assert "is not a program for this machine. Name an interpreter of this machine's architecture" in refusal(foreign)


def test_its_programs_are_found_before_ours(tmp_path: Path) -> None:
    ours = {"PATH": "/ours/bin", "VIRTUAL_ENV": "/ours", "PYTHONHOME": "/ours", "EPICS_CA_ADDR_LIST": "10.0.0.255"}
    variables = Interpreter(Path("/bl7/bin/python"), (3, 12, 1), Path("/bl7")).variables(ours)
    assert variables == {"PATH": "/bl7/bin:/ours/bin", "EPICS_CA_ADDR_LIST": "10.0.0.255"}
    virtual = Interpreter(Path("/bl7/bin/python"), (3, 12, 1), Path("/bl7"), is_virtual=True)
    assert virtual.variables(ours)["VIRTUAL_ENV"] == "/bl7"
    (tmp_path / "conda-meta").mkdir()
    of_conda = Interpreter(tmp_path / "bin" / "python", (3, 12, 1), tmp_path)
    assert of_conda.variables({})["CONDA_PREFIX"] == str(tmp_path)
