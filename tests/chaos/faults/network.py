"""Faults of the networks between clients, Managers, Worker and Redis: links that are down, without a word."""

from __future__ import annotations

from tests.chaos.faults.chance import Chance, Fault
from tests.chaos.networks import Networks
from tests.harness.namespaces import Link

#: Seconds for which a link is down: at most longer than a lease, and than all need to find a connection dead.
_SHORT, _LONG = 0.1, 12.0


class NetworkFaults:
    """What is done to the links."""

    def __init__(self, networks: Networks, chance: Chance) -> None:
        self._networks = networks
        self._chance = chance
        self.kinds: dict[Fault, int] = {
            self._isolate_manager: 6,
            self._part_from_redis: 5,
            self._part_from_worker: 4,
            self._part_from_clients: 2,
            self._isolate_worker: 3,
            self._isolate_redis: 2,
        }

    def _manager(self) -> int:
        return self._chance.one_of([0, 1])

    def _isolate_manager(self) -> str:
        number = self._manager()
        return self._cut(f"manager {number} and everything", self._networks.links_of(number))

    def _part_from_redis(self) -> str:
        number = self._manager()
        return self._cut(f"manager {number} and Redis", [self._networks.to_redis[number]])

    def _part_from_worker(self) -> str:
        number = self._manager()
        return self._cut(f"manager {number} and the Worker", [self._networks.to_worker[number]])

    def _part_from_clients(self) -> str:
        number = self._manager()
        return self._cut(f"manager {number} and its clients", [self._networks.to_clients[number]])

    def _isolate_worker(self) -> str:
        return self._cut("the Worker and everything", [self._networks.of_worker])

    def _isolate_redis(self) -> str:
        return self._cut("Redis and everything", self._networks.to_redis)

    def _cut(self, between: str, links: list[Link]) -> str:
        for link in links:
            link.take("down")
        seconds = self._chance.for_a_while(_SHORT, _LONG)
        for link in links:
            link.take("up")
        return f"link down between {between} for {seconds:.2f} s"
