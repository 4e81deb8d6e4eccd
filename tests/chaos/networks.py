"""Networks between the parts: Managers and Worker each in a namespace, clients and Redis in that of the test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.harness.namespaces import Link, Node, Switch

_CLIENTS, _REDIS, _WORKER = "10.77.1", "10.77.2", "10.77.3"
#: Numbers of the hosts: this one, which has the clients and Redis; the Managers; the Worker.
HERE, MANAGERS, WORKER = 1, (11, 12), 21


class Networks:
    """One network for clients and Managers, one for Managers and Redis, one for Managers and the Worker."""

    def __init__(self, opened: contextlib.ExitStack) -> None:
        switches = [
            opened.enter_context(contextlib.closing(Switch(name, prefix)))
            for name, prefix in (("clients", _CLIENTS), ("redis", _REDIS), ("worker", _WORKER))
        ]
        clients, redis, worker = switches
        self.managers = [opened.enter_context(contextlib.closing(Node(f"manager {host}"))) for host in MANAGERS]
        self.worker = opened.enter_context(contextlib.closing(Node("worker")))
        self.to_clients, self.to_redis, self.to_worker = (
            [switch.link(node, host) for node, host in zip(self.managers, MANAGERS, strict=True)] for switch in switches
        )
        self.of_worker = worker.link(self.worker, WORKER)
        self.redis_host = redis.host(HERE)
        self.worker_host = worker.host(WORKER)
        self.manager_hosts = [clients.host(host) for host in MANAGERS]

    def links_of(self, manager: int) -> list[Link]:
        """All links of a Manager."""
        return [self.to_clients[manager], self.to_redis[manager], self.to_worker[manager]]


@contextlib.contextmanager
def networks() -> Iterator[Networks]:
    """The networks for as long as the context lasts."""
    with contextlib.ExitStack() as opened:
        yield Networks(opened)
