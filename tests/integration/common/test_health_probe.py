"""What a health check says of a service: whether it can do its work, and what can't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from queueserver_rpc.health_probe import main
from queueserver_rpc.server import Server
from queueserver_rpc.tls_files import Side, TlsFiles

from tests.harness.certificates import Certificates
from tests.harness.ports import reserved_port


@pytest.fixture
async def served() -> AsyncIterator[tuple[Server, str]]:
    server = Server(("a.v1.OneService", "a.v1.OtherService"))
    address = server.listen("127.0.0.1:0", insecure=False)
    await server.start()
    yield server, address
    await server.stop(0)


async def test_a_service_that_serves_as_a_whole_is_healthy_and_names_what_waits(
    served: tuple[Server, str], capsys: pytest.CaptureFixture[str]
) -> None:
    server, address = served
    await server.set_serving("", serving=True)
    await server.set_serving("a.v1.OneService", serving=True)
    assert await asyncio.to_thread(main, [address]) == 0
    assert capsys.readouterr().out == "serving; these services wait for what they need: OtherService\n"
    await server.set_serving("a.v1.OtherService", serving=True)
    assert await asyncio.to_thread(main, [address]) == 0
    assert capsys.readouterr().out == "serving\n"


async def test_a_service_that_waits_for_what_it_needs_is_not_healthy(
    served: tuple[Server, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, [served[1]]) == 1
    assert capsys.readouterr().out == "not serving; these services wait for what they need: OneService, OtherService\n"


async def test_a_service_with_mutual_tls_is_asked_with_a_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Certificates(tmp_path / "certs")
    server = Server(())
    address = server.listen("127.0.0.1:0", insecure=False, tls=TlsFiles(Side.SERVER, "", *made.worker))
    await server.start()
    try:
        await server.set_serving("", serving=True)
        assert await asyncio.to_thread(main, [address]) == 1
        assert "does not answer" in capsys.readouterr().out
        for name, path in zip(("CERT", "KEY", "CA"), made.manager, strict=True):
            monkeypatch.setenv(f"QSERVER_PROBE_TLS_{name}", str(path))
        assert await asyncio.to_thread(main, [address]) == 0
        assert capsys.readouterr().out == "serving\n"
        made.manager[0].unlink()
        assert await asyncio.to_thread(main, [address]) == 1
        assert capsys.readouterr().out.startswith("--probe-tls-cert: can't read ")
    finally:
        await server.stop(0)


def test_a_service_that_is_not_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{reserved_port()}"
    assert main([address]) == 1
    assert capsys.readouterr().out.startswith(f"{address} does not answer: ")
