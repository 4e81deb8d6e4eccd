"""A whole server on a Redis with encryption and users: it works, and its password is nowhere to be read."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information
import pytest
import redis as blocking
from queueserver_client import AsyncClient

from tests.harness.process import TestProcess
from tests.harness.redis import RedisProcess
from tests.harness.redis_user import PASSWORD, USER, create_user
from tests.harness.services import COMMANDS
from tests.harness.stack import running_stack
from tests.harness.tls_proxy import AUTHORITY, CLIENT_CERTIFICATE, CLIENT_KEY, OTHER_AUTHORITY, TlsProxy

CERTIFICATES = {"ssl_ca_certs": AUTHORITY, "ssl_certfile": CLIENT_CERTIFICATE, "ssl_keyfile": CLIENT_KEY}


@pytest.fixture
def proxy(redis_server: RedisProcess) -> Iterator[TlsProxy]:
    """A Redis that lets in one user with a certificate and a password."""
    with redis_server.connect() as client:
        assert isinstance(client, blocking.Redis)
        create_user(client)
        client.execute_command("ACL", "SETUSER", "default", "off")
    opened = TlsProxy(redis_server.socket, client_certificate=True)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def credentials(tmp_path: Path) -> list[str]:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return ["--redis-username", USER, "--redis-password-file", str(file)]


def refusal(data: Path, *options: str) -> str:
    """The one line that start-re-manager prints before it ends."""
    command = [COMMANDS / "start-re-manager", "--data-dir", data, "--listen", "127.0.0.1:0", *options]
    process = TestProcess("start-re-manager", command, announces=False)
    try:
        assert process.wait() == 1
        process.output.wait_until_ended()
        (line,) = process.output.lines()
    finally:
        process.close()
    assert PASSWORD not in line
    return line


def printed(command: str, *words: str) -> str:
    """What a command that succeeds prints."""
    done = subprocess.run([COMMANDS / command, *words], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


async def test_a_server_works_there_and_shows_its_password_nowhere(proxy: TlsProxy, credentials: list[str]) -> None:
    with running_stack("--redis-addr", proxy.url(**CERTIFICATES), *credentials) as stack:
        async with AsyncClient(stack.address) as client:
            await client.lock.acquire(environment=True, key="a lost key")
            status = await client.status()
            shown = [str(status), stack.log()]
        lines = [process.cmdline() for process in psutil.Process(stack.supervisor.pid).children(recursive=True)]
        assert len(lines) >= 2
        shown += [json.dumps(lines), str(psutil.Process(stack.supervisor.pid).cmdline())]
        cleared = printed("qserver-clear-lock", "--redis-addr", proxy.url(**CERTIFICATES), *credentials)
        assert "The lock was cleared." in cleared
        config = printed("qserver", "--address", stack.address, "config")
        assert f"localhost:{proxy.port}" in config
        shown += [cleared, config, stack.log()]
        for text in shown:
            assert PASSWORD not in text
            assert PASSWORD.replace(" ", "%20") not in text


@pytest.mark.parametrize(
    ("certificates", "sentence"),
    [
        (CERTIFICATES | {"ssl_ca_certs": OTHER_AUTHORITY}, "Correct the certificates in --redis-addr"),
        ({"ssl_ca_certs": AUTHORITY}, "certificate"),
    ],
)
def test_a_certificate_that_is_not_trusted_or_missing_is_told_at_once(
    tmp_path: Path, proxy: TlsProxy, credentials: list[str], certificates: dict[str, Path], sentence: str
) -> None:
    line = refusal(tmp_path / "data", "--redis-addr", proxy.url(**certificates), *credentials)
    assert sentence in line
    assert f"rediss://localhost:{proxy.port}" in line


def test_a_wrong_or_missing_password_is_told_at_once(tmp_path: Path, proxy: TlsProxy, credentials: list[str]) -> None:
    address = ["--redis-addr", proxy.url(**CERTIFICATES)]
    assert "asks for a password: give it by --redis-password-file" in refusal(tmp_path / "data", *address)
    Path(credentials[-1]).write_text("wrong", encoding="utf-8")
    line = refusal(tmp_path / "data", *address, *credentials)
    assert "refuses the user or the password: correct it where it is given" in line


def test_credentials_without_an_address_and_said_twice_are_refused(tmp_path: Path, credentials: list[str]) -> None:
    assert "but no --redis-addr: add it" in refusal(tmp_path / "data", *credentials)
    line = refusal(tmp_path / "data", *credentials, "--redis-addr", "redis://jane:x@localhost")
    assert "has a user or a password already" in line
    assert os.environ.get("QSERVER_REDIS_PASSWORD") is None
