"""``python -m queueserver_zmq_bridge.health_probe ADDRESS``: whether clients of a bridge are served.

They are when the bridge answers with a status, which it has from the Manager. It is asked as clients ask it, with the
key and the encoding that the bridge was started with.
"""

from __future__ import annotations

import sys
from typing import Any

import zmq
from queueserver_process.options import OptionParser

from queueserver_zmq_bridge.settings import ENCODINGS, private_key
from queueserver_zmq_bridge.sockets.encoding import DecodeError, encoding_of

_MILLISECONDS = 5000


def main(arguments: list[str] | None = None) -> int:
    """Ask once, and print what the bridge says; returns the exit code."""
    parser = OptionParser(prog="python -m queueserver_zmq_bridge.health_probe", description=__doc__)
    parser.add_argument("address", metavar="ADDRESS", help="the control socket, for example tcp://127.0.0.1:60615")
    parser.add_argument("--zmq-encoding", choices=ENCODINGS, default="json", help="(default: %(default)s)")
    given = parser.parse_args(arguments)
    answer = _asked(given.address, given.zmq_encoding)
    is_status = isinstance(answer, dict) and "manager_state" in answer
    said = f"serving, the Manager is {answer['manager_state']}" if is_status else str(answer)
    sys.stdout.write(f"{said}\n")
    return 0 if is_status else 1


def _asked(address: str, encoding_name: str) -> Any:
    """What a request for the status is answered; a sentence if it is not."""
    encoding, key = encoding_of(encoding_name), private_key()
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        try:
            if key:
                public, secret = zmq.curve_keypair()
                socket.setsockopt(zmq.CURVE_SERVERKEY, zmq.curve_public(key.encode()))
                socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
                socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
            socket.connect(address)
            socket.send(encoding.encode({"method": "status"}))
            if not socket.poll(_MILLISECONDS):
                return f"{address} does not answer"
            answer = encoding.decode(socket.recv())
        except (zmq.ZMQError, DecodeError) as error:
            return f"{address} can't be asked: {error}"
    return answer.get("msg", answer) if isinstance(answer, dict) and "manager_state" not in answer else answer


if __name__ == "__main__":
    sys.exit(main())
