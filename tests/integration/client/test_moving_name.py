"""A Manager that comes back at another address of the same name."""

from __future__ import annotations

from pathlib import Path

from tests.harness.name_server import printed

#: Seconds. By default gRPC looks a name up again after half a minute.
_SOON = 10.0


def test_a_client_finds_a_manager_that_has_moved_without_waiting_for_half_a_minute(tmp_path: Path) -> None:
    calls, seconds = printed("tests.integration.client.moving_name", tmp_path, "timeout:1 attempts:2").split()
    assert calls == "1"
    assert float(seconds) < _SOON
