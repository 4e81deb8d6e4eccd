"""Where the server is: the option, its variable, and what the tools for 0MQ called them.

An address for 0MQ, such as tcp://localhost:60615, is understood and told in its right form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from queueserver_cli.outcome import WrongCommand

_DEFAULT_PORT = 60630
#: Where the existing queue server listens for 0MQ.
_PORT_FOR_0MQ = 60615
_FOR_0MQ = re.compile(r"tcp://(?P<host>[^/:\s*]+|\[[0-9a-fA-F:]+\])(?::(?P<port>[0-9]{1,5}))?/?", re.ASCII)
_OLD_VARIABLE = "QSERVER_ZMQ_CONTROL_ADDRESS"
_NEW_NAMES = {"--zmq-control-addr": "--address", _OLD_VARIABLE: "QSERVER_ADDRESS"}
#: Variables of the tools for 0MQ that have no meaning here, and why.
_FORGOTTEN = {
    "QSERVER_ZMQ_ENCODING": "gRPC has one encoding",
    "QSERVER_ZMQ_PUBLIC_KEY": "it belongs to 0MQ, and this connection is NOT encrypted by it",
}


def server_address(options: Mapping[str, Any], variables: Mapping[str, str], note: Callable[[str], None]) -> str | None:
    """The address of the server as the client takes it; None if none was said. Raises WrongCommand.

    Args:
        options: The options by their keys.
        variables: The environment.
        note: Told what is better said in another way.
    """
    for name, value in (
        ("--address", options["address"]),
        ("--zmq-control-addr", options["zmq_control_addr"]),
        *((name, variables.get(name)) for name in ("QSERVER_ADDRESS", "QUEUESERVER_ADDRESS", _OLD_VARIABLE)),
    ):
        if value:
            return _right(name, value, note)
    return None


def _right(source: str, address: str, note: Callable[[str], None]) -> str:
    """The address as the client takes it."""
    found = _translated(source, address)
    name = _NEW_NAMES.get(source, source)
    if name != source:
        note(f"Warning: {source} is called {name} here. Say: {name} {found}")
    elif found != address:
        note(f"Warning: {address!r} is an address for 0MQ. Say: {name} {found}")
    return found


def _translated(source: str, address: str) -> str:
    found = _FOR_0MQ.fullmatch(address)
    if found is not None:
        port = int(found["port"] or _PORT_FOR_0MQ)
        return f"{found['host']}:{_DEFAULT_PORT if port == _PORT_FOR_0MQ else port}"
    if "://" in address and not address.startswith(("dns:", "unix:")):
        raise WrongCommand(
            f"{source} is {address!r}, but a server is named without a scheme: HOST:PORT, as in "
            f"{_NEW_NAMES.get(source, source)} localhost:{_DEFAULT_PORT}"
        )
    return address


def tell_forgotten(options: Mapping[str, Any], variables: Mapping[str, str], note: Callable[[str], None]) -> None:
    """Name what the tools for 0MQ took and what has no meaning here."""
    if options["zmq_encoding"]:
        note("Warning: --zmq-encoding has no meaning here: gRPC has one encoding. Leave it out.")
    for name, reason in _FORGOTTEN.items():
        if variables.get(name):
            note(f"Warning: {name} has no meaning here: {reason}. Unset it.")
