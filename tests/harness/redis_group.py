"""A primary with replicas, and Sentinels that replace it; or a small cluster. Real redis-servers on loopback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis
from queueserver_standalone.embedded_redis.redis_server import choose_program

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess

NAME = "beamline"
_SLOTS = 16_384
#: A node of a cluster speaks with the others on the port so far above its own.
_BUS_DISTANCE = 10_000


class Server:
    """One redis-server on a port, which it keeps; its data survive a kill."""

    def __init__(self, directory: Path, *options: str, port: int = 0) -> None:
        self.port = port or reserved_port()
        self._directory = directory / str(self.port)
        self._directory.mkdir()
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
        words += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", *options]
        file = self._directory / "redis.conf"
        file.write_text(_configuration(words), encoding="utf-8")
        self._command = [str(choose_program(self._directory).path), str(file)]
        self.process = self._start()

    def restart(self) -> None:
        """Start it again on its data, as what a Sentinel last told it to be: primary, or replica of another server."""
        self.close()
        self.process = self._start()

    def close(self) -> None:
        """End it."""
        self.process.close()

    def connect(self) -> redis.Redis:
        """A client of it; use it in a ``with``."""
        return redis.Redis(port=self.port)

    def _start(self) -> TestProcess:
        process = TestProcess(f"redis-server {self.port}", self._command, announces=False)
        try:
            process.output.wait_for(lambda line: "ready to accept connections" in line.lower())
        except BaseException:
            process.close()
            raise
        return process


def _configuration(words: Sequence[str]) -> str:
    """Options as lines of a file, in which Redis keeps what a Sentinel tells it."""
    lines: list[list[str]] = []
    for word in words:
        if word.startswith("--"):
            lines.append([word[2:]])
        else:
            lines[-1].append(word or '""')
    return "".join(" ".join(line) + "\n" for line in lines)


class Sentinels:
    """A primary, two replicas that have its data, and three Sentinels that know all of them."""

    def __init__(
        self, directory: Path, *, failover_milliseconds: int = 5000, priorities: tuple[int, int] = (100, 100)
    ) -> None:
        """Sentinels begin the next failover at the earliest after twice ``failover_milliseconds``.

        The replica whose priority is lower is chosen first, one with 0 never.
        """
        self._failover_milliseconds = failover_milliseconds
        with contextlib.ExitStack() as started:
            self.first = started.enter_context(contextlib.closing(Server(directory)))
            to_first = ("--replicaof", "127.0.0.1", str(self.first.port), "--replica-priority")
            self.replicas = [
                started.enter_context(contextlib.closing(Server(directory, *to_first, str(priority))))
                for priority in priorities
            ]
            for replica in self.replicas:
                synced(replica)
            self._ports = [reserved_port() for _ in range(3)]
            self.sentinels = [
                started.enter_context(contextlib.closing(self._sentinel(directory, port))) for port in self._ports
            ]
            for sentinel in self.sentinels:
                for others in ("+sentinel sentinel", "+slave slave"):
                    wait_for_lines(sentinel, others, 2)
            self._started = started.pop_all()

    @property
    def url(self) -> str:
        """Where a Manager finds the primary."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"redis+sentinel://{hosts}/{NAME}/0"

    @property
    def servers(self) -> list[Server]:
        """All that hold data."""
        return [self.first, *self.replicas]

    def primary(self) -> Server:
        """The primary, as the first Sentinel knows it."""
        return self._primary_of(self._ports[0])

    def agreed(self) -> bool:
        """All Sentinels know the same primary."""
        return len({self._primary_of(port).port for port in self._ports}) == 1

    def _primary_of(self, sentinel_port: int) -> Server:
        with redis.Redis(port=sentinel_port) as sentinel:
            _, port = sentinel.sentinel_get_master_addr_by_name(NAME)
        return next(server for server in self.servers if server.port == int(port))

    def fail_over(self) -> None:
        """Ask for another primary although this one is well. Raises redis.ResponseError if none can be chosen."""
        with redis.Redis(port=self._ports[0]) as sentinel:
            sentinel.execute_command("SENTINEL", "FAILOVER", NAME)

    def allow_only(self, *questions: str) -> None:
        """Have all Sentinels refuse all others of the commands that begin with SENTINEL."""
        for port in self._ports:
            with redis.Redis(port=port) as sentinel:
                sentinel.execute_command(
                    "ACL", "SETUSER", "default", "-sentinel", *(f"+sentinel|{one.lower()}" for one in questions)
                )

    def wait_until_informed(self, server: Server) -> None:
        """Return when each Sentinel has asked a server how it is: what it knows of a new replica is out of date."""
        asked: set[str] = set()
        with server.connect() as client, client.monitor() as monitor:
            while len(asked) < len(self.sentinels):
                command = monitor.next_command()
                if command["command"] == "INFO":
                    asked.add(command["client_port"])

    def kill_primary(self) -> Server:
        """``kill -9``, and return when all Sentinels know the new primary, which is returned."""
        self.first.process.kill()
        for sentinel in self.sentinels:
            sentinel.output.wait_for("+switch-master")
        return self.primary()

    def close(self) -> None:
        """End all of them."""
        self._started.close()

    def _sentinel(self, directory: Path, port: int) -> TestProcess:
        file = directory / f"sentinel-{port}.conf"
        lines = [f"port {port}", "bind 127.0.0.1", f"dir {directory}"]
        lines += [f"sentinel monitor {NAME} 127.0.0.1 {self.first.port} 2"]
        lines += [f"sentinel down-after-milliseconds {NAME} 1000"]
        lines += [f"sentinel failover-timeout {NAME} {self._failover_milliseconds}"]
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        command = [str(choose_program(directory).path), str(file), "--sentinel"]
        return TestProcess(f"sentinel {port}", command, announces=False)


class Cluster:
    """Two primaries with half of the slots each, and a replica of the one that has a key."""

    def __init__(self, directory: Path, key: str) -> None:
        with contextlib.ExitStack() as started:
            self.nodes = [started.enter_context(contextlib.closing(self._node(directory))) for _ in range(3)]
            self._join(key)
            self._started = started.pop_all()

    @staticmethod
    def _node(directory: Path) -> Server:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        return Server(directory, *options, port=reserved_port(distance=_BUS_DISTANCE))

    def _join(self, key: str) -> None:
        *primaries, self.replica = self.nodes
        half = _SLOTS // 2
        for number, server in enumerate(self.nodes, 1):
            with server.connect() as node:
                # Two of the same epoch sort that out later, and one may take back by that what was taken over.
                _tell(node, "SET-CONFIG-EPOCH", number)
        for server, slots in zip(primaries, (range(half), range(half, _SLOTS)), strict=True):
            with server.connect() as node:
                _tell(node, "ADDSLOTS", *slots)
                _tell(node, "MEET", "127.0.0.1", self.replica.port)
        for server in self.nodes:
            server.process.output.wait_for("Cluster state changed: ok")
        with primaries[0].connect() as node:
            self.owner = primaries[int(_tell(node, "KEYSLOT", key)) // half]
        with self.owner.connect() as node:
            name = _tell(node, "MYID").decode()
        with self.replica.connect() as node:
            _tell(node, "REPLICATE", name)
        synced(self.replica)

    @property
    def url(self) -> str:
        """Where a Manager finds the node that has its keys."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.nodes)

    def promote_replica(self) -> None:
        """The replica takes the place of its primary, which becomes its replica."""
        with self.replica.connect() as node:
            _tell(node, "FAILOVER", "TAKEOVER")
        self.owner.process.output.wait_for("Reconfiguring myself as a replica of")

    def close(self) -> None:
        """End all of them."""
        self._started.close()


def _tell(node: redis.Redis, *words: str | int) -> Any:
    return node.execute_command("CLUSTER", *words)  # type: ignore[no-untyped-call] # it has no types


def synced(replica: Server, after: int = 0) -> None:
    """Return when a replica has the data of its primary."""
    replica.process.output.wait_for("REPLICA sync: Finished with success", after=after)


def wait_for_lines(process: TestProcess, text: str, count: int) -> None:
    """Return when so many lines have the text."""
    process.output.wait_for(lambda _: sum(text in line for line in process.output.lines()) >= count)


@contextlib.contextmanager
def running_sentinels(directory: Path) -> Iterator[Sentinels]:
    """Sentinels and their servers for as long as the context lasts."""
    group = Sentinels(directory)
    try:
        yield group
    finally:
        group.close()


@contextlib.contextmanager
def running_cluster(directory: Path, key: str) -> Iterator[Cluster]:
    """A cluster for as long as the context lasts."""
    group = Cluster(directory, key)
    try:
        yield group
    finally:
        group.close()
