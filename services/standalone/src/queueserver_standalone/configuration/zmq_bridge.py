"""The 0MQ bridge: whether it is started, and with which options.

The bridge itself checks addresses and key. Here is decided what happens when it can't start: if an option asks for it,
the server does not start either; otherwise the server starts without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from queueserver_rpc.listening import ListenError, check_free

from queueserver_standalone.configuration.choices import Choices
from queueserver_standalone.configuration.option_table import DEFAULT_ZMQ_CONTROL, DEFAULT_ZMQ_INFO

#: For the bridge alone: all users of the machine can read command lines.
KEY_VARIABLE: Final = "QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER"
#: Options that ask for a bridge.
_ASKING: Final = ("zmq_bridge", "zmq_control_addr", "zmq_info_addr", "zmq_private_key")
_TCP: Final = "tcp://"


@dataclass(frozen=True, slots=True)
class ZmqBridge:
    """The bridge of one server."""

    #: It is started.
    is_on: bool = True
    #: An option asks for it: without it the server does not start.
    is_asked_for: bool = False
    control: str = DEFAULT_ZMQ_CONTROL
    info: str = DEFAULT_ZMQ_INFO
    publish: bool = True
    encoding: str = "json"
    private_key: str = field(default="", repr=False)
    insecure: bool = False

    @property
    def arguments(self) -> list[str]:
        """Arguments for the bridge."""
        return [
            *("--zmq-control-addr", self.control, "--zmq-info-addr", self.info),
            *("--zmq-publish-console", "ON" if self.publish else "OFF", "--zmq-encoding", self.encoding),
            *(("--insecure-listen",) if self.insecure else ()),
        ]

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the bridge."""
        return {KEY_VARIABLE: self.private_key} if self.private_key else {}

    def hindrance(self) -> str:
        """Why the bridge can't be started and no option asks for it, as one sentence; empty if it can be."""
        if not self.is_on or self.is_asked_for:
            return ""
        for address in (self.control, *((self.info,) if self.publish else ())):
            try:
                check_free(address.removeprefix(_TCP))
            except ListenError:
                return (
                    f"Clients of bluesky-queueserver are not served, because another program has {address}. Stop it if "
                    "it is an older server, or choose other addresses by --zmq-control-addr and --zmq-info-addr; "
                    "--zmq-bridge OFF takes this line away."
                )
        return ""


def read_bridge(choices: Choices, *, insecure: bool) -> ZmqBridge:
    """The bridge that the options describe."""
    is_on = choices.is_on("zmq_bridge", default=True)
    return ZmqBridge(
        is_on=is_on,
        is_asked_for=is_on and any(option in choices.said for option in _ASKING),
        control=choices.text("zmq_control_addr") or DEFAULT_ZMQ_CONTROL,
        info=choices.text("zmq_info_addr") or DEFAULT_ZMQ_INFO,
        publish=choices.is_on("zmq_publish_console", default=True),
        encoding=choices.text("zmq_encoding") or "json",
        private_key=choices.text("zmq_private_key") or "",
        insecure=insecure,
    )
