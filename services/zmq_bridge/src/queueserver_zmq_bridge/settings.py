"""The options of the bridge. Those that begin with --zmq- are also options of bluesky-queueserver."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from queueserver_process.log import LogChoice, add_log_options, read_log_options
from queueserver_process.options import OptionParser, add_version

from queueserver_zmq_bridge.sockets.binding import BindError, reaches_beyond_this_machine

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
    #: The sockets may be where others than this machine's own programs can reach them, without a key.
    insecure: bool = False
    log: LogChoice = field(default_factory=LogChoice)

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses of the sockets, by option."""
        control = {"--zmq-control-addr": self.control_address}
        return control | ({"--zmq-info-addr": self.info_address} if self.publish else {})

    def refuse_unasked(self) -> None:
        """Raise BindError for an address that reaches beyond this machine, unless a key or an option allows that."""
        for option, address in self.addresses.items():
            if reaches_beyond_this_machine(address) and not (self.private_key or self.insecure):
                raise BindError(
                    f"{option} {address} can't be used: anyone who reaches it could run any code on this machine. Give "
                    f"an address of 127.0.0.1, or set {KEY_VARIABLES[0]} to a key (qserver-zmq-keys makes one), or add "
                    "--insecure-listen if only those whom you trust can reach it (docs/how-to/old-clients.md)."
                )

    @property
    def warnings(self) -> list[str]:
        """What to know about the addresses."""
        found = []
        if self.publish and reaches_beyond_this_machine(self.info_address):
            found.append(
                f"Anyone who reaches {self.info_address} can read console text and status: the information socket is "
                "never encrypted, because its clients can't do that."
            )
        if reaches_beyond_this_machine(self.control_address) and not self.private_key:
            found.append(
                f"Anyone who reaches {self.control_address} can run any code on this machine and move its devices, "
                "because no key is required (--insecure-listen): let a firewall guard it."
            )
        return found


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read command line and environment; ends the process on wrong usage."""
    parser = OptionParser(
        "queueserver-zmq-bridge",
        description="Serve clients of bluesky-queueserver, which speak JSON over 0MQ, from a Manager.",
        epilog=f"The private key of the control socket is read from {KEY_VARIABLES[0]}.",
    )
    parser.add_argument("--manager", metavar="ADDRESS", help="the Manager: HOST:PORT or unix:PATH, several with commas")
    parser.add_argument("--zmq-control-addr", metavar="ADDRESS", default=DEFAULT_CONTROL, help="(default: %(default)s)")
    parser.add_argument("--zmq-info-addr", metavar="ADDRESS", default=DEFAULT_INFO, help="(default: %(default)s)")
    parser.add_argument("--zmq-publish-console", choices=("ON", "OFF"), default="ON", help="(default: %(default)s)")
    parser.add_argument("--zmq-encoding", choices=ENCODINGS, default="json", help="(default: %(default)s)")
    parser.add_argument(
        "--insecure-listen",
        action="store_true",
        help="let the sockets be where others than this machine's own programs can reach them, without a key",
    )
    add_log_options(parser)
    add_version(parser, "queueserver-zmq-bridge")
    given = parser.parse_args(arguments)
    return Settings(
        manager=given.manager,
        control_address=given.zmq_control_addr,
        info_address=given.zmq_info_addr,
        publish=given.zmq_publish_console == "ON",
        encoding=given.zmq_encoding,
        private_key=private_key(),
        insecure=given.insecure_listen,
        log=read_log_options(given),
    )


def private_key() -> str:
    """The key from the environment; empty if there is none."""
    return next(filter(None, map(os.environ.get, KEY_VARIABLES)), "")
