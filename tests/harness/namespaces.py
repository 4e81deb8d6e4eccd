"""Networks between network namespaces, whose links can be taken down: what is sent then is lost without a word.

Needs a network namespace of its own, so that no other program of the machine has anything to do with it: see
:func:`own_network`. Everything is gone when the processes in it are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pyroute2 import IPRoute, NetNS  # type: ignore[import-untyped]  # it has no type information

from tests.harness.process import TestProcess

#: Set for a process that has a network namespace of its own.
OWN_NETWORK = "QUEUESERVER_TEST_OWN_NETWORK"
#: Ways to get one: for root, and for others where the kernel lets them.
_WAYS = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])


def own_network(command: list[str]) -> str:
    """Replace this process by ``command`` in a network namespace of its own, unless it has one.

    Returns why there can't be one; nothing if this process has one.
    """
    if os.environ.get(OWN_NETWORK):
        with IPRoute() as here:
            _up(here, "lo")
        return ""
    if not shutil.which("unshare") or not shutil.which("nsenter"):
        return "they need the programs unshare and nsenter"
    for way in _WAYS:
        # An attempt at all that is needed, since a container may allow a part of it.
        attempt = [*way, command[0], "-c", "from tests.harness.namespaces import Switch; Switch('attempt', '10.77.0')"]
        if (
            subprocess.run(attempt, env={**os.environ, OWN_NETWORK: "1"}, capture_output=True, check=False).returncode
            == 0
        ):
            os.execvpe(way[0], [*way, *command], {**os.environ, OWN_NETWORK: "1"})  # noqa: S606 - the same command
    return "they need root, or a kernel that lets other users make network namespaces, virtual links and bridges"


class Node:
    """A network namespace without any link yet."""

    def __init__(self, name: str) -> None:
        self._holder = TestProcess(
            f"network of {name}", ["unshare", "--net", "sh", "-c", "echo made; exec sleep infinity"], announces=False
        )
        self._holder.output.wait_for("made")
        with NetNS(self.path) as inner:
            _up(inner, "lo")

    @property
    def path(self) -> str:
        """File that stands for the namespace."""
        return f"/proc/{self._holder.pid}/ns/net"

    @property
    def inside(self) -> list[str]:
        """Words before a command that is to run in it."""
        return ["nsenter", f"--net={self.path}"]

    def close(self) -> None:
        """End it, with the links that it has."""
        self._holder.close()


class Switch:
    """A network to which this process and nodes are linked; addresses ``PREFIX.1`` to ``PREFIX.254``."""

    def __init__(self, name: str, prefix: str) -> None:
        """``name`` is at most 8 characters long."""
        self._name, self._prefix = name, prefix
        with IPRoute() as here:
            here.link("add", ifname=name, kind="bridge")
            self._index = here.link_lookup(ifname=name)[0]
            here.addr("add", index=self._index, address=self.host(1), prefixlen=24)
            here.link("set", index=self._index, state="up")

    def host(self, number: int) -> str:
        """Address of a host in this network; 1 is this process."""
        return f"{self._prefix}.{number}"

    def link(self, node: Node, number: int) -> Link:
        """Connect a node, which gets the address ``host(number)``."""
        with IPRoute() as here, Path(node.path).open(encoding="ascii") as namespace:
            near, far = f"{self._name}-{number}", f"to-{self._name}"
            here.link("add", ifname=near, kind="veth", peer={"ifname": far, "net_ns_fd": namespace.fileno()})
            index = here.link_lookup(ifname=near)[0]
            here.link("set", index=index, master=self._index, state="up")
        with NetNS(node.path) as inner:
            inner.addr("add", index=_up(inner, far), address=self.host(number), prefixlen=24)
        return Link(index)

    def close(self) -> None:
        """Take the network away."""
        with IPRoute() as here:
            here.link("del", index=self._index)


class Link:
    """Between a switch and a node."""

    def __init__(self, index: int) -> None:
        self._index = index

    def take(self, state: str) -> None:
        """``down``: lose everything that is sent on it, in both directions; ``up``: carry it again."""
        # This end, not the node's: there, sending would fail at once.
        with IPRoute() as here:
            here.link("set", index=self._index, state=state)


def _up(network: IPRoute, name: str) -> int:
    index: int = network.link_lookup(ifname=name)[0]
    network.link("set", index=index, state="up")
    return index
