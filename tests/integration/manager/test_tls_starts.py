"""How Manager and Worker start with TLS, and what keeps them from it: one line, which says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.harness.certificates import Certificates, past
from tests.harness.process import TestProcess
from tests.harness.services import DEMO_STARTUP, WorkerProcess

TCP = "127.0.0.1:0"


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certs")


def refusal(service: str, directory: Path, *options: str, **environment: str) -> str:
    """The line that a service prints before it ends."""
    words = {
        "worker": ["queueserver_worker", "--state-dir", str(directory), "--startup-dir", str(DEMO_STARTUP)],
        "manager": ["queueserver_manager", "--redis", f"unix://{directory}/none", "--listen", TCP],
    }
    command = [sys.executable, "-m", *words[service], *options]
    process = TestProcess(service, command, environment=environment, announces=False)
    try:
        assert process.wait() in (1, 2)
        process.output.wait_until_ended()
        (line,) = process.output.lines()
    finally:
        process.close()
    return line


def test_a_worker_does_not_start_with_an_expired_certificate(made: Certificates, tmp_path: Path) -> None:
    made.make("worker", period=past())
    line = refusal("worker", tmp_path, "--listen", TCP, *made.worker_options)
    assert f"--tls-cert: the certificate in {made.worker[0]} has expired: make a new one with qserver-certs" in line


def test_a_manager_does_not_start_with_a_key_that_others_may_read(made: Certificates, tmp_path: Path) -> None:
    key = made.manager[1]
    key.chmod(0o640)
    line = refusal("manager", tmp_path, "--worker", TCP, *made.manager_options)
    assert line.endswith(f"--worker-tls-key: other users of this machine may access {key}. Type: chmod 600 {key}")


def test_each_names_the_option_that_is_missing(made: Certificates, tmp_path: Path) -> None:
    line = refusal("worker", tmp_path, "--listen", TCP, *made.worker_options[:4])
    assert "for TLS --tls-ca is missing" in line
    line = refusal("manager", tmp_path, "--worker", TCP, QSERVER_WORKER_TLS_CA=str(made.ca))
    assert "for TLS --worker-tls-cert and --worker-tls-key are missing" in line


def test_a_unix_socket_has_no_tls(made: Certificates, tmp_path: Path) -> None:
    line = refusal("worker", tmp_path, "--listen", f"unix:{tmp_path}/socket", *made.worker_options)
    assert "a unix socket has no TLS, because only its owner can use it: leave out --tls-cert" in line
    line = refusal("manager", tmp_path, "--worker", f"unix:{tmp_path}/socket", *made.manager_options)
    assert "a unix socket has no TLS, because only its owner can use it: leave out --worker-tls-cert" in line


def test_a_worker_without_tls_on_an_open_port_is_told_of_tls(tmp_path: Path) -> None:
    line = refusal("worker", tmp_path, "--listen", "0.0.0.0:0")
    assert "or require certificates with --tls-cert, --tls-key, --tls-ca, or add --insecure-listen" in line


def test_the_unix_socket_of_a_worker_is_its_owners_alone(short_path: Path) -> None:
    worker = WorkerProcess(short_path)
    try:
        assert Path(worker.address.removeprefix("unix:")).stat().st_mode & 0o7777 == 0o600
    finally:
        worker.close()


def test_a_worker_with_tls_listens_on_every_interface_without_a_warning(made: Certificates, short_path: Path) -> None:
    worker = WorkerProcess(short_path, DEMO_STARTUP, *made.worker_options, listen="0.0.0.0:0")
    try:
        assert worker.address.startswith("0.0.0.0:")
        assert "no credentials are required" not in str(worker.process.output)
    finally:
        worker.close()
