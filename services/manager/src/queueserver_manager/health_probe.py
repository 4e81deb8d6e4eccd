"""``python -m queueserver_manager.health_probe ADDRESS``: whether a Manager does what it is there for.

As ``queueserver_rpc.health_probe``, but a standby is healthy too: it waits while another Manager owns the queue, and
says which one.
"""

from __future__ import annotations

import sys

import grpc
from queueserver.manager.v1 import status_pb2, status_service_pb2, status_service_pb2_grpc
from queueserver_process.options import OptionParser
from queueserver_rpc.health_probe import SECONDS, channel_to, health


def main(arguments: list[str] | None = None) -> int:
    """Ask once, and print what the Manager says; returns the exit code."""
    parser = OptionParser(prog="python -m queueserver_manager.health_probe", description=__doc__)
    parser.add_argument("address", metavar="ADDRESS", help="HOST:PORT or unix:PATH")
    given = parser.parse_args(arguments)
    with channel_to(given.address) as channel:
        try:
            healthy, said = health(channel)
            owner = "" if healthy else _owner(channel)
        except grpc.RpcError as error:
            healthy, owner, said = False, "", f"{given.address} does not answer: {error.details()}"
    if owner:
        said = f"standby: the Manager at {owner} owns the queue"
    sys.stdout.write(f"{said}\n")
    return 0 if healthy or owner else 1


def _owner(channel: grpc.Channel) -> str:
    """Address of the Manager whose standby this one is; empty if it is none. Raises grpc.RpcError."""
    stub = status_service_pb2_grpc.StatusServiceStub(channel)
    found = stub.GetStatus(status_service_pb2.GetStatusRequest(), timeout=SECONDS).status
    is_standby = found.role == status_pb2.MANAGER_ROLE_STANDBY
    return str(found.owner_address) if is_standby else ""


if __name__ == "__main__":
    sys.exit(main())
