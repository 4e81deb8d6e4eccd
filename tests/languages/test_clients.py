"""The client of each language runs a scan while the Manager is killed, and has every reading of it in the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.process import TestProcess
from tests.languages.toolchains import LANGUAGES, Language, build, provide

#: The columns in the order in which the devices are read, which is not that of the alphabet.
HEADER = ["seq_num", "img", "det", "motor", "motor_setpoint"]


@pytest.fixture(params=LANGUAGES, ids=lambda language: language.folder)
def language(request: pytest.FixtureRequest) -> Language:
    """A language whose client is built. Without its toolchain the test is skipped, except in CI."""
    chosen: Language = request.param
    skipped = provide(chosen)
    if skipped is not None:
        pytest.skip(f"{chosen.name} is not installed: {skipped}")
    build(chosen)
    return chosen


@pytest.fixture
def client(language: Language, parts: Parts) -> Iterator[TestProcess]:
    """The client of the language, just started."""
    process = TestProcess(
        language.name, language.command(parts.address), working_directory=language.directory, announces=False
    )
    try:
        yield process
    finally:
        process.close()


def test_a_client_follows_its_scan_through_a_kill_of_the_manager(
    client: TestProcess, parts: Parts, gates: tuple[Gate, Gate]
) -> None:
    gate, all_measured = gates
    client.output.wait_for("Row 2")
    with parts.manager_killed():
        gate.open()
        all_measured.wait_until_told()
        client.output.wait_for("Reconnecting: ")
    client.output.wait_for("Readings of run")
    assert client.wait() == 0, client.output
    client.output.wait_until_ended()
    lines = client.output.lines()
    assert "Plans: count, scan" in lines
    assert_shows_refusal(lines)
    assert [line for line in lines if line.startswith("Row ")] == [f"Row {number}" for number in range(1, 6)]
    assert "Ended: COMPLETED" in lines
    assert_shows_readings(lines)


def assert_shows_refusal(lines: list[str]) -> None:
    refused = next(number for number, line in enumerate(lines) if line.startswith("Refused: "))
    assert lines[refused].startswith("Refused: INVALID_ARGUMENT ITEM_INVALID: ")
    assert lines[refused + 1].startswith("  item.kwargs.num: ")


def assert_shows_readings(lines: list[str]) -> None:
    title = next(number for number, line in enumerate(lines) if re.fullmatch(r"Readings of run [0-9a-f-]{36}", line))
    header, *rows = (re.split(r" {2,}", line.strip()) for line in lines[title + 1 :])
    assert header == HEADER
    readings = [dict(zip(header, row, strict=True)) for row in rows]
    assert [reading["seq_num"] for reading in readings] == ["1", "2", "3", "4", "5"]
    assert [float(reading["motor"]) for reading in readings] == [-1, -0.5, 0, 0.5, 1]
    assert [float(reading["det"]) for reading in readings] == pytest.approx(
        [0.606531, 0.882497, 1, 0.882497, 0.606531], rel=1e-4
    )
    assert {reading["img"] for reading in readings} == {"array 10x10 <f8"}
