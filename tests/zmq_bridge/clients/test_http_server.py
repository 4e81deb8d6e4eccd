"""bluesky-httpserver, as it is on PyPI, in front of the bridge: its REST API, and what it streams to web pages.

It has no page of its own but the description of its API, so there is none to try in a browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.ports import reserved_port
from tests.harness.process import TestProcess
from tests.harness.services import BridgeProcess
from tests.zmq_bridge.clients.installed import PYTHON, program

PROGRAMS = Path(__file__).parent / "programs"
KEY = "keyoftests"


@pytest.fixture
def web_server(bridge: BridgeProcess) -> Iterator[str]:
    """URL of an HTTP server that uses the bridge."""
    port = reserved_port()
    process = TestProcess(
        "bluesky-httpserver",
        [program("uvicorn"), "--host", "127.0.0.1", "--port", str(port), "bluesky_httpserver.server:app"],
        environment={
            "QSERVER_ZMQ_CONTROL_ADDRESS": bridge.address,
            "QSERVER_ZMQ_INFO_ADDRESS": bridge.info_address,
            "QSERVER_HTTP_SERVER_SINGLE_USER_API_KEY": KEY,
        },
    )
    try:
        process.output.wait_for("Application startup complete", 90)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.close()


@pytest.mark.parametrize("kind", ["http", "http-async"])
def test_every_method_works_through_the_rest_api(web_server: str, kind: str) -> None:
    _run(PROGRAMS / "api_walk.py", kind, web_server, KEY)


def test_console_and_status_come_through_websockets(web_server: str, bridge: BridgeProcess) -> None:
    _run(PROGRAMS / "websocket_walk.py", web_server, KEY, bridge.address)


def _run(walk: Path, *words: str) -> None:
    process = TestProcess("walk", [PYTHON, walk, *words])
    try:
        assert process.wait(150) == 0, str(process.output)
    finally:
        process.close()
