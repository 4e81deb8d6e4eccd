"""A server for the clients in other languages, whose scan waits for the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_client import Client

from tests.harness.gate import Gate, gate_in
from tests.harness.parts import Parts, running_parts

STARTUP = Path(__file__).parent / "startup"


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, Gate]]:
    """What the scan waits at after its second point, and where it tells that it has measured all."""
    directory = tmp_path_factory.mktemp("gates")
    with gate_in(directory, "gate") as gate, gate_in(directory, "told") as told:
        yield gate, told


@pytest.fixture(scope="module")
def parts(gates: tuple[Gate, Gate]) -> Iterator[Parts]:
    """Redis, Worker and Manager with an open environment. A Manager that was killed must be started again."""
    gate, told = gates
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LANGUAGES_GATE", gate.path)
        patched.setenv("LANGUAGES_TOLD", told.path)
        with running_parts(STARTUP) as running:
            with Client(running.address) as client:
                client.environment.open()
            yield running
