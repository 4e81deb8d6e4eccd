"""``python -m queueserver_rpc.health_probe ADDRESS``: whether a service can do its work, as health checks ask.

It ends with 0 if the server says that it is SERVING as a whole, else with 1, and says in one line which of its services
can't do their work: each of them needs something that is not there.
"""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver_process.options import OptionParser

_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Ask once, and print what the server says; returns the exit code."""
    parser = OptionParser(prog="python -m queueserver_rpc.health_probe", description=__doc__)
    parser.add_argument("address", metavar="ADDRESS", help="HOST:PORT or unix:PATH")
    given = parser.parse_args(arguments)
    try:
        states = _states(given.address)
    except grpc.RpcError as error:
        sys.stdout.write(f"{given.address} does not answer: {error.details()}\n")
        return 1
    waiting = sorted(name.rpartition(".")[2] for name, serving in states.items() if name and not serving)
    whole = states.get("", False)
    detail = f"; these services wait for what they need: {', '.join(waiting)}" if waiting else ""
    sys.stdout.write(f"{'serving' if whole else 'not serving'}{detail}\n")
    return 0 if whole else 1


def _states(address: str) -> dict[str, bool]:
    """Whether each service is serving, and with an empty name the whole server. Raises grpc.RpcError."""
    # Proxy settings of the environment are not meant for a program of the same machine.
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        answer = health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest(), timeout=_SECONDS)
    serving = health_pb2.HealthCheckResponse.SERVING
    return {name: found.status == serving for name, found in answer.statuses.items()}


if __name__ == "__main__":
    sys.exit(main())
