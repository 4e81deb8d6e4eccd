"""``python -m queueserver_rpc.health_probe ADDRESS``: whether a service can do its work, as health checks ask.

A service with mutual TLS, a Worker, is asked with a certificate for clients, as a Manager's: ``--probe-tls-cert``.

It ends with 0 if the server says that it is SERVING as a whole, else with 1, and says in one line which of its services
can't do their work: each of them needs something that is not there.
"""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from queueserver_process.options import OptionParser

from queueserver_rpc.tls_credentials import channel_credentials
from queueserver_rpc.tls_files import Side, TlsError, TlsMaterial, add_tls_options, read_tls_options

#: Before the options for TLS, in whose variables a Worker finds its own certificate otherwise.
PREFIX = "probe-"
#: For one question.
SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Ask once, and print what the server says; returns the exit code."""
    parser = OptionParser(prog="python -m queueserver_rpc.health_probe", description=__doc__)
    parser.add_argument("address", metavar="ADDRESS", help="HOST:PORT or unix:PATH")
    add_tls_options(parser, Side.CLIENT, PREFIX)
    given = parser.parse_args(arguments)
    try:
        tls = read_tls_options(given, Side.CLIENT, PREFIX)
    except ValueError as error:
        parser.error(str(error))
    try:
        material = tls.read() if tls is not None else None
    except TlsError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    with channel_to(given.address, material) as channel:
        try:
            healthy, said = health(channel)
        except grpc.RpcError as error:
            healthy, said = False, f"{given.address} does not answer: {error.details()}"
    sys.stdout.write(f"{said}\n")
    return 0 if healthy else 1


def channel_to(address: str, material: TlsMaterial | None = None) -> grpc.Channel:
    """A connection to a program of the same machine."""
    # Proxy settings of the environment are not meant for it.
    options = (("grpc.enable_http_proxy", 0),)
    if material is None:
        return grpc.insecure_channel(address, options=options)
    return grpc.secure_channel(address, channel_credentials(material), options=options)


def health(channel: grpc.Channel) -> tuple[bool, str]:
    """Whether the server is serving as a whole, and what to print. Raises grpc.RpcError."""
    states = _states(channel)
    waiting = sorted(name.rpartition(".")[2] for name, serving in states.items() if name and not serving)
    whole = states.get("", False)
    detail = f"; these services wait for what they need: {', '.join(waiting)}" if waiting else ""
    return whole, f"{'serving' if whole else 'not serving'}{detail}"


def _states(channel: grpc.Channel) -> dict[str, bool]:
    """Whether each service is serving, and with an empty name the whole server. Raises grpc.RpcError."""
    answer = health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest(), timeout=SECONDS)
    serving = health_pb2.HealthCheckResponse.SERVING
    return {name: found.status == serving for name, found in answer.statuses.items()}


if __name__ == "__main__":
    sys.exit(main())
