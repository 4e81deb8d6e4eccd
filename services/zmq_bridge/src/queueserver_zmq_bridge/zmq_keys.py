"""``qserver-zmq-keys``: a key pair for the encrypted control channel."""

from __future__ import annotations

import argparse
import sys

import zmq


def main() -> int:
    """Print a key pair, new or for a given private key; returns the exit code."""
    parser = argparse.ArgumentParser("qserver-zmq-keys", description=__doc__)
    parser.add_argument("--zmq-private-key", metavar="KEY", help="print the public key for this private key")
    given = parser.parse_args()
    if given.zmq_private_key is None:
        public, private = zmq.curve_keypair()
    else:
        private = given.zmq_private_key.encode(errors="replace")
        try:
            public = zmq.curve_public(private)
        except (zmq.ZMQError, ValueError):
            sys.stderr.write(
                "This is not a private key: it has 40 characters. Without the option a new pair is made.\n"
            )
            return 4
    line = "=" * 78
    sys.stdout.write(
        f"{line}\n     ZMQ SECURITY: Public-key cryptography\n{line}\n"
        f" Private key (RE Manager):      {private.decode()}\n"
        f" Public key (CLI client/API):   {public.decode()}\n{line}\n"
    )
    return 0
