"""A name server of our own, for programs that have a network and an /etc/resolv.conf of their own."""

from __future__ import annotations

import asyncio
import shlex
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyroute2 import IPRoute  # type: ignore[import-untyped]  # it has no type information

_WAYS = (["unshare", "--net", "--mount"], ["unshare", "--user", "--map-root-user", "--net", "--mount"])
_A, _NO_SUCH_NAME = 1, 3


class NameServer(asyncio.DatagramProtocol):
    """Knows one name, or does not."""

    def __init__(self) -> None:
        self.address = "127.0.0.2"
        self.unknown = 0
        self.known_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question (RFC 1035)."""
        end = data.index(b"\0", 12) + 5
        question, kind = data[12:end], struct.unpack("!H", data[end - 4 : end - 2])[0]
        answer, code = b"", 0
        if self.unknown:
            code = _NO_SUCH_NAME
            self.unknown -= kind == _A
            self.known_since = time.monotonic()
        elif kind == _A:
            parts = bytes(map(int, self.address.split(".")))
            answer = b"\xc0\x0c" + struct.pack("!HHIH", _A, 1, 0, 4) + parts
        header = data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, bool(answer), 0, 0)
        self._transport.sendto(header + question + answer, addr)  # type: ignore[attr-defined]


def own_loopback() -> None:
    """Make the loopback interface of this program's own network usable."""
    with IPRoute() as here:
        here.link("set", index=here.link_lookup(ifname="lo")[0], state="up")


def _own_name_server(file: Path, options: str) -> list[str]:
    """Words before a command that is to have a network and an /etc/resolv.conf of its own."""
    file.write_text(f"nameserver 127.0.0.1\noptions {options}\n", encoding="ascii")
    bind = f'mount --bind {shlex.quote(str(file))} /etc/resolv.conf && exec "$@"'
    for way in _WAYS:
        words = [*way, "sh", "-c", bind, "sh"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("it needs root, or a kernel that lets other users make network and mount namespaces")


def printed(program: str, directory: Path, options: str) -> str:
    """What one of our programs prints that has a name server of its own; ``options`` are the resolver's."""
    done = subprocess.run(
        [*_own_name_server(directory / "resolv.conf", options), sys.executable, "-m", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
