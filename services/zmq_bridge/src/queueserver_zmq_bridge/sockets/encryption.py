"""CurveZMQ on the control socket: the server has a key pair, and any client that knows its public key may connect."""

from __future__ import annotations

import zmq
import zmq.asyncio

from queueserver_zmq_bridge.sockets.binding import BindError

_KEY_CHARACTERS = 40


def protect(socket: zmq.asyncio.Socket, private_key: str) -> None:
    """Encrypt what a server's socket carries. Raises BindError for what is no key."""
    try:
        public = zmq.curve_public(private_key.encode("ascii"))
    except (zmq.ZMQError, ValueError):
        raise BindError(
            f"The private key of the 0MQ control socket is not a key of {_KEY_CHARACTERS} characters: "
            "qserver-zmq-keys makes one."
        ) from None
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, private_key.encode("ascii"))
