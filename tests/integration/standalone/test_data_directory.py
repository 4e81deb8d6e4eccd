from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from queueserver_standalone.data_directory import exclusive, prepare, runtime_directory
from queueserver_standalone.errors import StandaloneError

_HOLD = """
import sys
from pathlib import Path
from queueserver_standalone.data_directory import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StandaloneError, match=f"process {holder.pid}.*--data-dir"), exclusive(tmp_path):
            pass
        holder.kill()
    with exclusive(tmp_path):
        assert (tmp_path / "standalone.lock").read_text(encoding="utf-8") == f"{os.getpid()}\n"


def test_data_and_sockets_are_private_to_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    prepare(tmp_path / "data")
    for directory in (tmp_path / "data", runtime_directory(tmp_path / "data")):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_directory_that_others_may_write_is_not_used_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    planted = runtime_directory(tmp_path / "data")
    planted.chmod(0o777)
    chosen = runtime_directory(tmp_path / "data")
    assert chosen != planted
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700


def test_a_data_directory_that_can_not_be_made_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StandaloneError, match="Choose another by --data-dir"):
        prepare(tmp_path / "file" / "data")
