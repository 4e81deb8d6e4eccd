"""``python -m tests.environments [--all] [--only NAME]…``: run plans in environments in which nothing of ours is."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import traceback
from pathlib import Path

from queueserver_client import AsyncClient
from rich.console import Console
from rich.table import Table

from tests.environments.cells import CELLS, Cell
from tests.environments.making import NotMadeError, contents, interpreter_of
from tests.environments.steps import STEPS
from tests.harness.services import DEMO_STARTUP
from tests.harness.stack import running_stack

_PLAIN = Path(__file__).parent / "startup" / "plain.py"
_DIRECTORY = Path(".venv-environments")
console = Console(highlight=False)


def main() -> None:
    """Try the cells; exit code 1 if one of them failed."""
    options = _parser().parse_args()
    cells = [cell for cell in CELLS if cell.in_ci or options.all or options.only]
    if options.only:
        cells = [cell for cell in cells if cell.name in options.only]
    table = Table("environment", "Python", "installed", "result")
    failed = False
    for cell in cells:
        result = _try(cell, options.directory)
        failed |= result.startswith("[red]")
        table.add_row(cell.name, cell.python, ", ".join(cell.packages), result)
    console.print(table)
    sys.exit(1 if failed or not cells else 0)


def _try(cell: Cell, directory: Path) -> str:
    console.print(f"[bold]{cell.name}[/] (Python {cell.python}: {', '.join(cell.packages)})")
    try:
        python = interpreter_of(cell, directory)
    except NotMadeError as error:
        console.print(f"  not made: {error}")
        return "not tried: no such environment here"
    begun, before = time.monotonic(), contents(python)
    startup = DEMO_STARTUP if cell.has_ophyd else _PLAIN
    with running_stack("--environment-python", str(python), startup=startup) as stack:
        try:
            asyncio.run(_work(stack.address, cell))
        except Exception:  # noqa: BLE001 - whatever fails in one environment is told, and the next one is tried
            console.print(stack.log(), traceback.format_exc(), markup=False)
            return "[red]failed[/]"
    if added := contents(python) - before:
        return f"[red]written there: {sorted(map(str, added))[:5]}[/]"
    return f"[green]{len(STEPS)} steps, {time.monotonic() - begun:.0f} s[/]"


async def _work(address: str, cell: Cell) -> None:
    async with AsyncClient(address) as client:
        for step in STEPS:
            console.print(f"  [dim]{step.__name__.replace('_', ' ')}[/]")
            await step(client, cell)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.environments", description=__doc__)
    parser.add_argument("--all", action="store_true", help="all of them (default: those that CI tries)")
    parser.add_argument("--only", action="append", metavar="NAME", help="this one; may be given again")
    parser.add_argument(
        "--directory", type=Path, default=_DIRECTORY, metavar="DIR", help="where they are kept (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    main()
