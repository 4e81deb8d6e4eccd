"""A standby notices the death of an owner whose address for clients it can't reach, as in containers."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from queueserver_client import AsyncClient

from tests.harness.health import wait_until_serving
from tests.harness.ports import reserved_port
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess

#: Seconds of a lease that does not run out during the test.
_LONG = 3600
#: With a backlog of 0 the kernel takes one connection and answers no others.
_MORE_THAN_TAKEN = 4


class EndingMachine:
    """An address that takes one connection, to a port of this machine; then it answers no more."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._opened = [self._listening]
        self._ends: tuple[socket.socket, ...] = ()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        near, _ = self._listening.accept()
        far = socket.create_connection(("127.0.0.1", self._port))
        self._ends = (near, far)
        back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
        back.start()
        _pass_on(near, far)

    def end(self) -> None:
        """End the connection; an attempt to make another one gets no answer."""
        for _ in range(_MORE_THAN_TAKEN):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(self._listening.getsockname())
            self._opened.append(waiting)
        for end in self._ends:
            end.shutdown(socket.SHUT_RDWR)
            self._opened.append(end)
        self._thread.join()

    def close(self) -> None:
        """End everything."""
        for opened in self._opened:
            opened.close()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := near.recv(65536):
            far.sendall(data)


@contextlib.contextmanager
def owner_and_standby(
    redis: RedisProcess, directory: Path, port: int, internal_address: str
) -> Iterator[tuple[ManagerProcess, ManagerProcess]]:
    """Two Managers that never meet a Worker; nothing listens at the owner's address for clients."""
    listen = ("--listen", f"127.0.0.1:{port}")
    addresses = ("--advertise-address", f"127.0.0.1:{reserved_port()}", "--internal-address", internal_address)
    worker = f"unix:{directory / 'no-worker'}"
    with contextlib.ExitStack() as opened:
        owner = ManagerProcess(redis.url, worker, *listen, *addresses, instance_id="owner")
        opened.callback(owner.close)
        standby = ManagerProcess(redis.url, worker, instance_id="standby")
        opened.callback(standby.close)
        standby.process.output.wait_for(f"Standby: connected to the owner at {internal_address}")
        owner.process.send(signal.SIGSTOP)
        with redis.connect() as connected:
            assert connected.expire("{qs}:lease", _LONG)
        yield owner, standby


async def takes_over(standby: ManagerProcess) -> bool:
    await wait_until_serving(standby.address)
    async with AsyncClient(standby.address) as client:
        return (await client.status()).epoch == 2


async def test_a_standby_connects_to_the_internal_address_and_need_not_wait_for_the_lease(
    redis_server: RedisProcess, short_path: Path
) -> None:
    port = reserved_port()
    with owner_and_standby(redis_server, short_path, port, f"127.0.0.1:{port}") as (owner, standby):
        owner.process.kill()
        assert await takes_over(standby)


async def test_a_standby_need_not_wait_for_the_lease_of_an_owner_whose_address_has_ended_with_it(
    redis_server: RedisProcess, short_path: Path
) -> None:
    port = reserved_port()
    machine = EndingMachine(port)
    with (
        contextlib.closing(machine),
        owner_and_standby(redis_server, short_path, port, machine.address) as (owner, standby),
    ):
        machine.end()
        owner.process.kill()
        assert await takes_over(standby)
