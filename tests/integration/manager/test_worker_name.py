"""The name of the Worker: it leads elsewhere after a while, as that of a container does, or a look-up hangs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

#: Seconds: gRPC alone asks again after five at least.
_SOON = 3.0
_WAYS = (["unshare", "--net", "--mount"], ["unshare", "--user", "--map-root-user", "--net", "--mount"])


def _own_name_server(file: Path, options: str) -> list[str]:
    """Words before a command that is to have a network and an /etc/resolv.conf of its own."""
    file.write_text(f"nameserver 127.0.0.1\noptions {options}\n", encoding="ascii")
    bind = f'mount --bind {shlex.quote(str(file))} /etc/resolv.conf && exec "$@"'
    for way in _WAYS:
        words = [*way, "sh", "-c", bind, "sh"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("it needs root, or a kernel that lets other users make network and mount namespaces")


def _printed(program: str, directory: Path, options: str) -> str:
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


def test_a_worker_is_found_soon_after_its_name_is_known_again(tmp_path: Path) -> None:
    found, seconds = _printed("tests.integration.manager.moving_name", tmp_path, "timeout:1 attempts:2").split()
    assert found == "one"
    assert float(seconds) < _SOON


def test_a_manager_ends_while_a_name_server_does_not_answer(tmp_path: Path) -> None:
    assert _printed("tests.integration.manager.silent_names", tmp_path, "timeout:30 attempts:2") == "ended with 0\n"
