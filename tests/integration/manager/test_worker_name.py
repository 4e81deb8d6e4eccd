"""The name of the Worker: it leads elsewhere after a while, as that of a container does, or a look-up hangs."""

from __future__ import annotations

from pathlib import Path

from tests.harness.name_server import printed

#: Seconds: gRPC alone asks again after five at least.
_SOON = 3.0


def test_a_worker_is_found_soon_after_its_name_is_known_again(tmp_path: Path) -> None:
    found, seconds = printed("tests.integration.manager.moving_name", tmp_path, "timeout:1 attempts:2").split()
    assert found == "one"
    assert float(seconds) < _SOON


def test_a_manager_ends_while_a_name_server_does_not_answer(tmp_path: Path) -> None:
    assert printed("tests.integration.manager.silent_names", tmp_path, "timeout:30 attempts:2") == "ended with 0\n"
