"""Where the server is: the option, its variable, and their former names in the tools for 0MQ.

An address for 0MQ, such as tcp://localhost:60615, is understood, with a note about its right form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queueserver_cli.command_line.option import Option
from queueserver_cli.outcome import WrongCommand

_DEFAULT_PORT = 60630
#: Where the existing queue server listens for 0MQ, and where it publishes its output.
_PORTS_FOR_0MQ = (60615, 60625)
_FOR_0MQ = re.compile(r"tcp://(?P<host>[^/:\s*]+|\[[0-9a-fA-F:]+\])(?::(?P<port>[0-9]{1,5}))?/?", re.ASCII)
_VARIABLES = ("QSERVER_ADDRESS", "QUEUESERVER_ADDRESS")
ADDRESS = Option(
    "--address",
    "The server, or owner and standby with a comma between them; also QSERVER_ADDRESS; by default 127.0.0.1:60630.",
    value="HOST:PORT",
    other_name="-a",
)
#: Variables of the tools for 0MQ that have no meaning here, and why.
_FORGOTTEN = {
    "QSERVER_ZMQ_ENCODING": "gRPC has one encoding",
    "QSERVER_ZMQ_PUBLIC_KEY": "it belongs to 0MQ, and this connection is NOT encrypted by it",
}


@dataclass(frozen=True)
class Former:
    """How a tool for 0MQ was given the server's address."""

    options: Sequence[Option]
    variable: str


CONTROL = Former((Option("--zmq-control-addr", "", value="ADDRESS"),), "QSERVER_ZMQ_CONTROL_ADDRESS")
OUTPUT = Former(
    (Option("--zmq-info-addr", "", value="ADDRESS"), Option("--zmq-subscribe-addr", "", value="ADDRESS")),
    "QSERVER_ZMQ_INFO_ADDRESS",
)
ENCODING = Option("--zmq-encoding", "", value="ENCODING")


def server_address(
    options: Mapping[str, Any], former: Former, variables: Mapping[str, str], note: Callable[[str], None]
) -> str | None:
    """The address of the server as the client accepts it; None if none was given. Raises WrongCommand.

    Args:
        options: The options by their keys.
        former: Options and variables of former times.
        variables: The environment.
        note: Called with advice on a better form.
    """
    given = [(name, variables.get(name)) for name in (*_VARIABLES, former.variable)]
    for name, value in [*((each.name, options[each.key]) for each in (ADDRESS, *former.options)), *given]:
        if value:
            return _right(name, value, note)
    return None


def _right(source: str, address: str, note: Callable[[str], None]) -> str:
    """The address as the client accepts it."""
    found = _translated(source, address)
    name = _name_here(source)
    if name != source:
        note(f"Warning: {source} is called {name} here. Say: {_said(name, found)}")
    elif found != address:
        note(f"Warning: {address!r} is an address for 0MQ. Say: {_said(name, found)}")
    return found


def _translated(source: str, address: str) -> str:
    found = _FOR_0MQ.fullmatch(address)
    if found is not None:
        port = int(found["port"] or _DEFAULT_PORT)
        return f"{found['host']}:{_DEFAULT_PORT if port in _PORTS_FOR_0MQ else port}"
    if "://" in address and not address.startswith(("dns:", "unix:")):
        raise WrongCommand(
            f"{source} is {address!r}, but a server is named without a scheme: HOST:PORT, as in "
            + _said(_name_here(source), f"localhost:{_DEFAULT_PORT}")
        )
    return address


def _said(name: str, address: str) -> str:
    """How the address is given by an option or a variable."""
    return f"{name} {address}" if name.startswith("-") else f"{name}={address}"


def _name_here(source: str) -> str:
    """What an option or variable is called here."""
    if source.startswith("-"):
        return ADDRESS.name
    return source if source in _VARIABLES else _VARIABLES[0]


def tell_forgotten(options: Mapping[str, Any], variables: Mapping[str, str], note: Callable[[str], None]) -> None:
    """Name the options of the tools for 0MQ that have no meaning here."""
    if options[ENCODING.key]:
        note("Warning: --zmq-encoding has no meaning here: gRPC has one encoding. Leave it out.")
    for name, reason in _FORGOTTEN.items():
        if variables.get(name):
            note(f"Warning: {name} has no meaning here: {reason}. Unset it.")
