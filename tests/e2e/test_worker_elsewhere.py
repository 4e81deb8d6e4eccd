"""A Worker on another machine: what runs on it survives everything that happens to the Manager and the certificates."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from queueserver.worker.v1 import worker_service_pb2
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    ConnectionState,
    ExitStatus,
    ManagerState,
    Plan,
)

from tests.e2e.conftest import STARTUP
from tests.harness.certificates import Certificates, client_credentials, past, self_made
from tests.harness.gate import Gate
from tests.harness.ports import reserved_port
from tests.harness.progress import begun, until
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess, WorkerProcess
from tests.harness.wait import bounded


class Lab:
    """Redis and a Worker with mutual TLS at an address of its own; Managers come and go."""

    def __init__(self, directory: Path, opened: contextlib.ExitStack) -> None:
        self._opened = opened
        self.certificates = Certificates(directory / "certs")
        self.address = f"127.0.0.2:{reserved_port()}"
        self.redis = RedisProcess(directory)
        opened.callback(self.redis.close)
        self.worker = WorkerProcess(directory, STARTUP, *self.certificates.worker_options, listen=self.address)
        opened.callback(self.worker.close)

    def manager(self, *options: str, instance_id: str = "") -> ManagerProcess:
        """Start one, by default with the certificate that the Worker expects."""
        words = options or tuple(self.certificates.manager_options)
        manager = ManagerProcess(self.redis.url, self.address, *words, instance_id=instance_id)
        self._opened.callback(manager.close)
        return manager


@pytest.fixture
def lab(short_path: Path) -> Iterator[Lab]:
    with contextlib.ExitStack() as opened:
        yield Lab(short_path, opened)


@contextlib.asynccontextmanager
async def client_of(manager: ManagerProcess, *, is_up: bool = True) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(manager.address) as client:
        if is_up:
            await until(client, lambda status: status.worker is ConnectionState.UP)
        yield client


async def assert_completed(client: AsyncClient, count: int) -> None:
    entries = [entry async for entry in client.history.list()]
    assert [entry.result.exit_status for entry in entries] == [ExitStatus.COMPLETED] * count


async def test_a_plan_runs_on_while_the_manager_is_killed_and_started_again(lab: Lab, gate: Gate) -> None:
    manager = lab.manager()
    async with client_of(manager) as client:
        status = await client.status()
        assert (status.worker_insecure_listen, status.insecure_listen) == (False, False)
        await client.environment.open()
        handles = await begun(client, Plan("gated_run", gate.path), Plan("one_run"))
        manager.process.kill()
        manager.restart()
        await until(client, lambda status: status.worker is ConnectionState.UP)
        assert (await client.status()).running_item_uid == handles[0].uid
        gate.open()
        for handle in handles:
            await bounded(handle.result())
        await assert_completed(client, 2)


async def test_a_manager_on_another_machine_takes_over_with_a_certificate_of_its_own(lab: Lab, gate: Gate) -> None:
    first_manager = lab.manager(instance_id="here")
    async with client_of(first_manager) as client:
        await client.environment.open()
        handles = await begun(client, Plan("gated_run", gate.path), Plan("one_run"))
        epoch = (await client.status()).epoch
    lab.certificates.make("manager")
    second_manager = lab.manager(instance_id="there")
    first_manager.process.kill()
    async with client_of(second_manager) as client:
        status = await client.status()
        assert (status.epoch, status.running_item_uid) == (epoch + 1, handles[0].uid)
        gate.open()
        await until(client, lambda status: status.manager_state is ManagerState.IDLE and not status.items_in_queue)
        await assert_completed(client, 2)


async def test_the_worker_lets_in_no_client_but_one_with_a_valid_certificate_of_its_ca(
    lab: Lab, short_path: Path
) -> None:
    made = lab.certificates
    assert await reached(lab.address, client_credentials(made.ca, *made.manager[:2]))
    assert not await reached(lab.address, None)
    assert not await reached(lab.address, client_credentials(made.ca))
    assert not await reached(lab.address, client_credentials(made.ca, *self_made(short_path)))
    made.make("manager", period=past())
    assert not await reached(lab.address, client_credentials(made.ca, *made.manager[:2]))


async def reached(address: str, credentials: grpc.ChannelCredentials | None) -> bool:
    """Whether the Worker answers a request."""
    channel = grpc.aio.secure_channel(address, credentials) if credentials else grpc.aio.insecure_channel(address)
    async with channel:
        try:
            await WorkerServiceStub(channel).GetWorkerInfo(worker_service_pb2.GetWorkerInfoRequest(), timeout=10)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017 - what is asserted is the refusal
            return False
    return True


async def test_new_certificates_and_a_new_ca_are_used_without_a_restart_and_no_plan_is_disturbed(
    lab: Lab, gate: Gate, short_path: Path
) -> None:
    manager = lab.manager()
    async with client_of(manager) as client:
        await client.environment.open()
        handles = await begun(client, Plan("gated_run", gate.path), Plan("one_run"))
        lab.certificates.replace_by(Certificates(short_path / "new"))
        # It connects again, with what is in the files now; the Worker keeps running.
        pid = lab.worker.process.pid
        manager.process.kill()
        manager.restart()
        await until(client, lambda status: status.worker is ConnectionState.UP)
        lab.worker.process.output.wait_for("New connections use the new certificate")
        assert (lab.worker.process.pid, lab.worker.process.running) == (pid, True)
        gate.open()
        for handle in handles:
            await bounded(handle.result())
        await assert_completed(client, 2)


async def test_a_manager_whose_certificate_is_replaced_connects_without_a_restart(lab: Lab, short_path: Path) -> None:
    other = Certificates(short_path / "other")
    manager = lab.manager(*other.manager_options)
    async with client_of(manager, is_up=False) as client:
        sentence = await reason(manager, client, "its certificate is refused")
        assert sentence == (
            f"The Worker at {lab.address} can't be reached because of TLS: its certificate is refused (unable to get "
            "local issuer certificate). Make sure that the CA in --worker-tls-ca has signed it, and that it is valid "
            "now (qserver-certs show)."
        )
        other.replace_by(lab.certificates)
        await until(client, lambda status: status.worker is ConnectionState.UP)
        # gRPC would log each attempt.
        assert "Handshake failed" not in str(manager.process.output)
        assert BlockerKind.WORKER_UNREACHABLE not in [each.kind for each in await client.explain_idle()]


async def test_a_manager_that_the_worker_refuses_says_so(lab: Lab, short_path: Path) -> None:
    other = Certificates(short_path / "other")
    certificate, key, _ = other.manager
    options = [f"--worker-tls-cert={certificate}", f"--worker-tls-key={key}", f"--worker-tls-ca={lab.certificates.ca}"]
    manager = lab.manager(*options)
    async with client_of(manager, is_up=False) as client:
        sentence = await reason(manager, client, "refuses")
        assert (
            "it refuses this Manager's certificate. Make sure that the CA in the Worker's --tls-ca has signed"
            in sentence
        )


async def test_a_manager_without_certificates_says_that_the_worker_wants_them(lab: Lab) -> None:
    manager = lab.manager("--scripts", "ON")
    async with client_of(manager, is_up=False) as client:
        sentence = await reason(manager, client, "require certificates")
        assert "Give --worker-tls-cert, --worker-tls-key and --worker-tls-ca." in sentence


async def reason(manager: ManagerProcess, client: AsyncClient, wanted: str) -> str:
    """Why the Worker can't be reached, as clients are told; the Manager logs it once."""
    manager.process.output.wait_for(wanted)
    (blocker,) = [each for each in await client.explain_idle() if each.kind is BlockerKind.WORKER_UNREACHABLE]
    return blocker.message
