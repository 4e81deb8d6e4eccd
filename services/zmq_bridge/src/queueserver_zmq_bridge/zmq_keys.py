"""``qserver-zmq-keys``: a key pair for the encrypted control socket."""

from __future__ import annotations

import sys

import zmq
from queueserver_process.options import OptionParser, add_version

_LINE = "=" * 78


def main(arguments: list[str] | None = None) -> int:
    """Print a key pair, new or for a given private key; returns the exit code."""
    parser = OptionParser(
        "qserver-zmq-keys",
        description="Make a key pair for the 0MQ bridge: a private key for the server, a public one for clients.",
    )
    parser.add_argument("--zmq-private-key", metavar="KEY", help="print the public key for this private key")
    add_version(parser, "queueserver-zmq-bridge")
    given = parser.parse_args(arguments).zmq_private_key
    try:
        public, private = zmq.curve_keypair() if given is None else _pair(given)
    except (zmq.ZMQError, ValueError):
        sys.stderr.write(
            "This is not a private key, which has 40 characters (z85). Without --zmq-private-key a new one is made.\n"
        )
        return 4
    what = "a new key pair" if given is None else "the public key of a private key"
    sys.stdout.write(
        f"{_LINE}\n     ZMQ SECURITY: {what}\n{_LINE}\n"
        f" Private key (RE Manager):              {private.decode()}\n"
        f" Public key (clients, HTTP server):     {public.decode()}\n{_LINE}\n"
    )
    return 0


def _pair(private: str) -> tuple[bytes, bytes]:
    """The public key, and the private one. Raises ValueError or ZMQError for what is no key."""
    key = private.encode("ascii")
    return zmq.curve_public(key), key
