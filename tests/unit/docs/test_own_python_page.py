"""The page about the beamline's own Python lists the environments that are tried."""

from __future__ import annotations

from tests.environments.cells import CELLS
from tests.harness.services import REPOSITORY


def test_the_page_lists_the_environments() -> None:
    page = (REPOSITORY / "docs/how-to/own-python.md").read_text("utf-8")
    _, _, table = page.partition("|---|---|---|---|\n")
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert rows == [
        f"| {cell.name} | {cell.python} | {', '.join(cell.packages)} | {'yes' if cell.in_ci else ''} |"
        for cell in CELLS
    ]
