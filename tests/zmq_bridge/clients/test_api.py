"""bluesky-queueserver-api, as it is on PyPI, through every method of its two kinds of REManagerAPI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.process import TestProcess
from tests.harness.services import BridgeProcess
from tests.zmq_bridge.clients.installed import PYTHON

WALK = Path(__file__).parent / "programs" / "api_walk.py"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_method_works(bridge: BridgeProcess, kind: str) -> None:
    process = TestProcess("walk", [PYTHON, WALK, kind, bridge.address, bridge.info_address])
    try:
        assert process.wait(150) == 0, str(process.output)
        assert "not called: []" in str(process.output)
    finally:
        process.close()
