"""A Manager that is told to stop while it looks up the Worker's name, at a name server that never answers."""

from __future__ import annotations

import socket
import sys

from tests.harness.name_server import own_loopback
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess
from tests.harness.stack import short_directory

#: gRPC asks for IPv4 and IPv6, and so does our own look-up: one more than gRPC alone.
_QUESTIONS = 3
#: Seconds: less than a look-up takes.
_END_SECONDS = 15.0


def main() -> None:
    """Print how the Manager ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names, short_directory() as directory:
        names.bind(("127.0.0.1", 53))
        names.settimeout(20)
        redis = RedisProcess(directory)
        manager = ManagerProcess(redis.url, "worker.example:60640")
        try:
            for _ in range(_QUESTIONS):
                names.recv(512)
            sys.stdout.write(f"ended with {manager.process.stop(_END_SECONDS)}\n")
        finally:
            manager.close()
            redis.close()


if __name__ == "__main__":
    own_loopback()
    main()
