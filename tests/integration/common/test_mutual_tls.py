"""A server with mutual TLS: whom it lets in, and how it takes new certificates while it runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver_rpc.server import Server
from queueserver_rpc.tls_files import Side, TlsError, TlsFiles

from tests.harness.certificates import Certificates, client_credentials, past, self_made


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certs")


@contextlib.asynccontextmanager
async def serving(made: Certificates) -> AsyncIterator[str]:
    server = Server(())
    address = server.listen("127.0.0.1:0", insecure=False, tls=TlsFiles(Side.SERVER, "", *made.worker))
    assert not server.insecure
    await server.start()
    try:
        yield address
    finally:
        await server.stop(0)


async def ask(channel: grpc.aio.Channel) -> None:
    await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)


async def asked(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.StatusCode:
    """What a new connection leads to."""
    channel = (
        grpc.aio.insecure_channel(address) if credentials is None else grpc.aio.secure_channel(address, credentials)
    )
    async with channel:
        try:
            await ask(channel)
        except grpc.aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def of_manager(made: Certificates, *, trusting: Certificates | None = None) -> grpc.ChannelCredentials:
    certificate, key, _ = made.manager
    return client_credentials((trusting or made).ca, certificate, key)


async def test_only_a_client_with_a_valid_certificate_of_the_ca_is_let_in(made: Certificates, tmp_path: Path) -> None:
    async with serving(made) as address:
        assert await asked(address, of_manager(made)) is grpc.StatusCode.OK
        assert await asked(address, None) is grpc.StatusCode.UNAVAILABLE
        assert await asked(address, client_credentials(made.ca)) is grpc.StatusCode.UNAVAILABLE
        other = client_credentials(made.ca, *self_made(tmp_path))
        assert await asked(address, other) is grpc.StatusCode.UNAVAILABLE
        certificate, key, _ = made.worker
        as_client = client_credentials(made.ca, certificate, key)
        assert await asked(address, as_client) is grpc.StatusCode.UNAVAILABLE
        made.make("manager", period=past())
        assert await asked(address, of_manager(made)) is grpc.StatusCode.UNAVAILABLE


async def test_new_connections_use_a_new_ca_and_certificate_and_old_ones_stay(
    made: Certificates, tmp_path: Path
) -> None:
    before = of_manager(made)
    other = Certificates(tmp_path / "other")
    async with serving(made) as address, grpc.aio.secure_channel(address, before) as channel:
        await ask(channel)
        assert await asked(address, of_manager(other)) is grpc.StatusCode.UNAVAILABLE
        made.replace_by(other)
        assert await asked(address, of_manager(other)) is grpc.StatusCode.OK
        assert await asked(address, before) is grpc.StatusCode.UNAVAILABLE
        await ask(channel)


async def test_while_only_some_files_are_replaced_the_previous_ones_stay_in_use(
    made: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key, _ = made.worker
    before = certificate.read_bytes(), key.read_bytes()
    async with serving(made) as address:
        made.make("worker")
        after = certificate.read_bytes()
        certificate.write_bytes(before[0])
        for _ in range(2):
            assert await asked(address, of_manager(made)) is grpc.StatusCode.OK
        (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert f"the key in {key} does not belong to the certificate in {certificate}" in record.getMessage()
        certificate.write_bytes(after)
        with caplog.at_level(logging.INFO, "queueserver_rpc"):
            assert await asked(address, of_manager(made)) is grpc.StatusCode.OK
        assert f"New connections use the new certificate in {certificate}" in caplog.messages


async def test_any_address_may_be_listened_on_with_tls(made: Certificates) -> None:
    server = Server(())
    address = server.listen("[::]:0", insecure=False, tls=TlsFiles(Side.SERVER, "", *made.worker))
    assert (address.rpartition(":")[0], server.insecure) == ("[::]", False)
    await server.stop(0)


async def test_files_that_can_not_be_used_keep_it_from_listening(made: Certificates) -> None:
    made.worker[1].unlink()
    with pytest.raises(TlsError, match="--tls-key: can't read"):
        Server(()).listen("127.0.0.1:0", insecure=False, tls=TlsFiles(Side.SERVER, "", *made.worker))
