"""The options of the bridge. Each but the Manager's address is also an option of bluesky-queueserver."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from queueserver_process.log import LogChoice, add_log_options, read_log_options

DEFAULT_CONTROL: Final = "tcp://127.0.0.1:60615"
DEFAULT_INFO: Final = "tcp://127.0.0.1:60625"
#: The private key of the control socket, never on a command line. The second name is an older one.
KEY_VARIABLES: Final = ("QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER", "QSERVER_ZMQ_PRIVATE_KEY")
ENCODINGS: Final = ("json", "msgpack")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is decided before the sockets open."""

    #: Address of the Manager, or several with commas; None for what the client takes by default.
    manager: str | None
    control_address: str = DEFAULT_CONTROL
    info_address: str = DEFAULT_INFO
    #: Publish console text and status on the information socket.
    publish: bool = True
    #: Of requests, answers and published messages: json or msgpack.
    encoding: str = "json"
    #: Private key of the control socket, 40 characters; empty for no encryption.
    private_key: str = field(default="", repr=False)
    log: LogChoice = field(default_factory=LogChoice)


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read command line and environment; ends the process on wrong usage."""
    parser = argparse.ArgumentParser("queueserver-zmq-bridge", description=__doc__)
    parser.add_argument("--manager", metavar="ADDRESS", help="the Manager: HOST:PORT or unix:PATH, several with commas")
    parser.add_argument("--zmq-control-addr", metavar="ADDRESS", default=DEFAULT_CONTROL, help="(default: %(default)s)")
    parser.add_argument("--zmq-info-addr", metavar="ADDRESS", default=DEFAULT_INFO, help="(default: %(default)s)")
    parser.add_argument("--zmq-publish-console", choices=("ON", "OFF"), default="ON", help="(default: %(default)s)")
    parser.add_argument("--zmq-encoding", choices=ENCODINGS, default="json", help="(default: %(default)s)")
    add_log_options(parser)
    given = parser.parse_args(arguments)
    return Settings(
        manager=given.manager,
        control_address=given.zmq_control_addr,
        info_address=given.zmq_info_addr,
        publish=given.zmq_publish_console == "ON",
        encoding=given.zmq_encoding,
        private_key=next(filter(None, map(os.environ.get, KEY_VARIABLES)), ""),
        log=read_log_options(given),
    )
