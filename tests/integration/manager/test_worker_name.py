"""A Worker that comes back at another address, after its name was unknown for a while, as a container does."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

#: Seconds: gRPC alone asks again after five at least.
_SOON = 3.0
_WAYS = (["unshare", "--net", "--mount"], ["unshare", "--user", "--map-root-user", "--net", "--mount"])


def _own_name_server(file: Path) -> list[str]:
    """Words before a command that is to have a network and an /etc/resolv.conf of its own."""
    file.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n", encoding="ascii")
    bind = f'mount --bind {shlex.quote(str(file))} /etc/resolv.conf && exec "$@"'
    for way in _WAYS:
        words = [*way, "sh", "-c", bind, "sh"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("it needs root, or a kernel that lets other users make network and mount namespaces")


def test_a_worker_is_found_soon_after_its_name_is_known_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.manager.moving_name"]
    done = subprocess.run(
        [*_own_name_server(tmp_path / "resolv.conf"), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found, seconds = done.stdout.split()
    assert found == "one"
    assert float(seconds) < _SOON
