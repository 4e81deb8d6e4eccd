"""Starts that can't work: one line says what to do, before anything is started."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.process import TestProcess
from tests.harness.redis import RedisProcess
from tests.harness.services import COMMANDS, REPOSITORY
from tests.harness.stack import Stack, short_directory


def refusal(*options: str | Path, **environment: str) -> str:
    """The one line that start-re-manager prints before it ends."""
    command = [COMMANDS / "start-re-manager", *options]
    process = TestProcess("start-re-manager", command, environment=environment, announces=False)
    try:
        assert process.wait() in (1, 2)
        process.output.wait_until_ended()
        (line,) = process.output.lines()
    finally:
        process.close()
    return line


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--startup-dir", "/does/not/exist"], "There is no directory /does/not/exist"),
        (["--startup-script", "/does/not/exist.py"], "There is no file /does/not/exist.py"),
        (["--listen", "60630"], "Give --listen as HOST:PORT"),
        (["--listen", "localhost:²"], "Give --listen as HOST:PORT"),
        (["--listen", "localhost:" + "9" * 5000], "Give --listen as HOST:PORT"),
        (["--listen", "no-such-host.invalid:0", "--insecure-listen"], "the host no-such-host.invalid is unknown"),
        (["--listen", "192.0.2.1:0", "--insecure-listen"], "192.0.2.1 is not an address of this machine"),
        (["--listen", "unix:/does/not/exist/socket"], "create the directory /does/not/exist first"),
        (["--advertise-address", "here"], "--advertise-address must be HOST:PORT as clients can reach it"),
        (
            ["--question-timeout", "soon"],
            "--question-timeout must be a number of seconds, or none, not 'soon'",
        ),
        (["--queue-size", "0"], "--queue-size must be a whole number of megabytes, 1 or more, not 0"),
        (["--question-timeout", "-1"], "--question-timeout must be a number of seconds, or none, not '-1'"),
        (["--advertise-address", "::1:60630"], "--advertise-address must be HOST:PORT as clients can reach it"),
        (["--redis-addr", "http://host"], "Give --redis-addr as"),
        (["--redis-addr", "127.0.0.1:1"], "at redis://127.0.0.1:1: connection refused. Start it, or correct"),
        (
            ["--redis-addr", "redis+sentinel://127.0.0.1:1/bl7"],
            "(127.0.0.1:1: Connection refused). Start it, or correct",
        ),
        (["--redis-addr", "redis+sentinel://127.0.0.1"], "redis+sentinel://host1,host2,host3/primary-name/db"),
        (["--redis-replicas", "few"], "--redis-replicas must be a whole number, 0 or more, not 'few'"),
        (["--redis-addr", "no-such-host.invalid"], "the host no-such-host.invalid is unknown. Correct --redis-addr"),
        (["--redis-addr", "unix:///does/not/exist"], "no such file or directory. Start it, or correct --redis-addr"),
        (["--data-dir", "/dev/null/data"], "not a directory. Choose another by --data-dir"),
        (["--data-dir", "/dev/null"], "it is not a directory. Choose another by --data-dir"),
        (["--user-group-permissions", "/does/not/exist.yaml"], "Give --user-group-permissions a file that is there"),
        (["--no-such-option"], "there is no option --no-such-option. All options: start-re-manager -h"),
        (["--redis-adr", "x"], "there is no option --redis-adr (did you mean --redis-addr?). All options"),
        (["beamline"], "'beamline' is neither an option nor the value of one"),
        (["--environment-python", "/does/not/exist/python"], "there is no interpreter /does/not/exist/python. Give"),
        (["--environment-python", "/bin/sh"], "--environment-python: /bin/sh does not behave like Python"),
        (["--keep-re", "--startup-profile", "no-such-profile"], "Correct the profile's name"),
    ],
)
def test_what_can_not_be_used_is_told_with_the_way_out(data: Path, options: list[str], sentence: str) -> None:
    assert sentence in refusal("--data-dir", data, "--listen", "127.0.0.1:0", *options)


def test_a_second_one_on_the_same_data_is_refused(stack: Stack) -> None:
    line = refusal("--listen", "127.0.0.1:0", "--data-dir", stack.data_directory)
    assert f"is in use by another start-re-manager (process {stack.supervisor.pid})" in line


@pytest.fixture
def taken() -> Iterator[str]:
    """An address at which something listens that never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_an_address_that_is_taken_is_told_before_anything_is_started(taken: str, data: Path) -> None:
    assert f"Can't listen on {taken}: another program listens there" in refusal("--listen", taken, "--data-dir", data)
    assert not (data / "redis.log").exists()


def test_a_redis_that_says_nothing_is_told(taken: str, data: Path) -> None:
    line = refusal("--redis-addr", taken, "--listen", "127.0.0.1:0", "--data-dir", data)
    assert f"Redis does not answer at redis://{taken}. Start it, or correct --redis-addr." in line


@pytest.mark.parametrize(
    ("credentials", "database", "sentence"),
    [
        ("", "", "asks for a password"),
        (":wrong@", "", "refuses the user or the password"),
        ("somebody:wrong@", "", "refuses the user or the password"),
        (":right@", "/9999", "has no database of that number"),
    ],
)
def test_a_redis_that_lets_nobody_in_is_told_without_the_password(
    data: Path, credentials: str, database: str, sentence: str
) -> None:
    with short_directory() as directory:
        redis = RedisProcess(directory, tcp=True, password="right")
        try:
            place = redis.url.rpartition("@")[2].removesuffix("/0")
            url = f"redis://{credentials}{place}{database}"
            line = refusal("--listen", "127.0.0.1:0", "--data-dir", data, QSERVER_REDIS_URL=url)
        finally:
            redis.close()
    assert sentence in line
    assert ":wrong@" not in line
    assert ":right@" not in line


def test_a_directory_for_sockets_with_too_long_a_path_is_told(data: Path, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    line = refusal("--listen", "127.0.0.1:0", "--data-dir", data, XDG_RUNTIME_DIR=str(long))
    assert "Set XDG_RUNTIME_DIR to a shorter one" in line


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("queueserver_standalone", "start-re-manager"),
        ("queueserver_manager", "The Manager"),
        ("queueserver_worker", "The Worker"),
        ("queueserver_cli", "qserver"),
    ],
)
def test_a_python_that_is_too_old_is_told_by_each_command(package: str, name: str) -> None:
    code = f"import sys; sys.version_info = (3, 9, 18); import {package}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"{name} needs Python 3.10 or newer, and this one is 3.9.\n")


def test_a_python_that_is_too_old_is_told_by_make_and_nothing_is_installed(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\ncase $1 in --version) echo Python 3.9.18 ;; *) exit 1 ;; esac\n", encoding="utf-8")
    old.chmod(0o700)
    command = ["make", "--always-make", ".venv/.ready", f"PYTHON={old}", "MEMBERS="]
    (tmp_path / "requirements.lock").touch()
    # The tests themselves may run below make, which hands its own options on.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "VENV"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    sentence = (
        f"{old} is Python 3.9.18, and 3.10 or newer is needed: say where one is: make setup PYTHON=/path/to/python"
    )
    assert ended.stdout.splitlines() == [sentence]
    assert not (tmp_path / ".venv").exists()
