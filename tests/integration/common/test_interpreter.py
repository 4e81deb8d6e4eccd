"""Another interpreter is examined before an environment runs on it: what is refused, and why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from queueserver_process.interpreter import Interpreter, InterpreterError, find_interpreter

GOOD = {
    "version": [3, 12, 1],
    "missing": [],
    "bluesky": "1.13.1",
    "msgpack": "1.1.0",
    "executable": "",
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
        ({"msgpack": "0.6.2"}, "has msgpack 0.6.2, and the environment needs 1.0 or newer. Install a newer one there"),
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


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to("moved/bin/python")
    assert "it is a link to moved/bin/python, which is not there. Give" in refusal(tmp_path / "python")
    (tmp_path / "circle").symlink_to("circle")
    assert "can't be run (Too many levels of symbolic links). Name another interpreter" in refusal(tmp_path / "circle")
    moved = program(tmp_path / "moved", "#!/no/such/place/sh\n")
    assert "can't be run, because the program that its first line names is not there" in refusal(moved)


def test_a_link_into_a_virtual_environment_is_not_in_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bl7"], check=True, timeout=60)
    (tmp_path / "python").symlink_to("bl7/bin/python")
    assert f"It is a link to {tmp_path / 'bl7/bin/python'}, which is in its virtual" in refusal(tmp_path / "python")


def test_what_stands_in_a_directory_of_programs_is_named(tmp_path: Path) -> None:
    interpreter_that_says(tmp_path / "python3")
    assert f"is a directory. Give {tmp_path / 'python3'}." in refusal(tmp_path)


def test_a_script_that_starts_an_interpreter_stands_for_it(tmp_path: Path) -> None:
    script = program(tmp_path / "python", f'#!/bin/sh\necho welcome\nexec {sys.executable} "$@"\n')
    found = find_interpreter(script)
    assert (found.path, found.prefix) == (script, Path(sys.prefix))
    assert found.variables({"PATH": "/ours"})["PATH"] == f"{Path(sys.executable).parent}:/ours"


def test_a_script_that_decides_by_the_directory_decides_as_it_will_for_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "version").write_text(sys.executable)
    script = program(tmp_path / "python", '#!/bin/sh\nexec "$(cat version)" "$@"\n')
    assert find_interpreter(script).version == tuple(sys.version_info[:3])


def test_files_in_the_current_directory_are_not_its_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("json", "importlib", "linecache", "bluesky", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('this is the file of a user')\n")
    assert find_interpreter(sys.executable).path == Path(sys.executable)


def test_code_that_runs_when_it_starts_may_turn_standard_output_elsewhere(tmp_path: Path) -> None:
    script = program(tmp_path / "python", f'#!/bin/sh\nexec {sys.executable} "$@" >&2\n')
    assert find_interpreter(script).path == script


def test_a_program_of_another_kind_is_refused(tmp_path: Path) -> None:
    silent = program(tmp_path / "silent", "#!/bin/sh\nexit 3\n")
    assert "does not behave like Python (exit code 3)" in refusal(silent)
    failing = program(tmp_path / "failing", "#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
    assert "does not behave like Python (error while loading shared libraries)" in refusal(failing)
    foreign = program(tmp_path / "foreign", "\x7fELF of another machine")
    assert "is not a program for this machine. Name an interpreter of this machine's architecture" in refusal(foreign)


def test_its_programs_are_found_before_ours(tmp_path: Path) -> None:
    ours = {
        "PATH": "/ours/bin",
        "VIRTUAL_ENV": "/ours",
        "PYTHONHOME": "/ours",
        "PYTHONINSPECT": "1",
        "EPICS_CA_ADDR_LIST": "10.0.0.255",
    }
    variables = Interpreter(Path("/bl7/bin/python"), (3, 12, 1), Path("/bl7")).variables(ours)
    assert variables == {"PATH": "/bl7/bin:/ours/bin", "EPICS_CA_ADDR_LIST": "10.0.0.255"}
    virtual = Interpreter(Path("/bl7/bin/python"), (3, 12, 1), Path("/bl7"), is_virtual=True)
    assert virtual.variables(ours)["VIRTUAL_ENV"] == "/bl7"
    (tmp_path / "conda-meta").mkdir()
    of_conda = Interpreter(tmp_path / "bin" / "python", (3, 12, 1), tmp_path)
    assert of_conda.variables({})["CONDA_PREFIX"] == str(tmp_path)
