"""How a socket is bound, and the sentence when that fails."""

from __future__ import annotations

import errno
import ipaddress

import zmq
import zmq.asyncio


class BindError(Exception):
    """A socket can't be bound, or must not be; the text says why and what to do."""


def reaches_beyond_this_machine(address: str) -> bool:
    """Whether a socket at an address of 0MQ could be reached from elsewhere, as any name but localhost may mean."""
    transport, _, place = address.partition("://")
    if transport != "tcp":
        return False
    host = place.rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host.lower() == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def bind(socket: zmq.asyncio.Socket, address: str, option: str) -> str:
    """Bind, and return the address with the port that was chosen. ``option`` is what the person can change."""
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        why = _REASONS.get(error.errno or 0, str(error).lower())
        raise BindError(f"{option} {address} can't be used: {why}. Give another address.") from None
    bound: bytes = socket.getsockopt(zmq.LAST_ENDPOINT)  # type: ignore[assignment] # a text option
    return bound.rstrip(b"\0").decode()


_REASONS = {
    errno.EADDRINUSE: "another process has it",
    errno.EINVAL: "it is not an address such as tcp://127.0.0.1:60615 or ipc:///run/queueserver",
    errno.EPROTONOSUPPORT: "0MQ knows no such transport; use tcp:// or ipc://",
    errno.ENODEV: "this machine has no such interface",
    errno.EACCES: "this user may not open it",
}
