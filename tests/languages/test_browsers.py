"""What a browser speaks arrives through Envoy: calls, refusals with their details, and a watch to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.process import TestProcess
from tests.languages.envoy import running_envoy
from tests.languages.test_clients import assert_shows_readings, assert_shows_refusal
from tests.languages.toolchains import LANGUAGES, build, provide

(TYPESCRIPT,) = (language for language in LANGUAGES if language.folder == "typescript")


@pytest.mark.parametrize("protocol", ["grpc-web", "connect"])
def test_a_scan_is_followed_through_envoy(
    parts: Parts, gates: tuple[Gate, Gate], tmp_path: Path, protocol: str
) -> None:
    skipped = provide(TYPESCRIPT)
    if skipped is not None:
        pytest.skip(f"{TYPESCRIPT.name} is not installed: {skipped}")
    build(TYPESCRIPT)
    gate, _ = gates
    with running_envoy(parts.address, tmp_path) as address:
        command = ["node", "dist/src/web.js", address, protocol]
        client = TestProcess("browser", command, working_directory=TYPESCRIPT.directory, announces=False)
        try:
            client.output.wait_for("Row 2")
            gate.open()
            assert client.wait() == 0, client.output
            client.output.wait_until_ended()
            lines = client.output.lines()
        finally:
            client.close()
    assert "Ended: COMPLETED" in lines
    assert_shows_readings(lines)
    if protocol == "grpc-web":
        assert_shows_refusal(lines)
