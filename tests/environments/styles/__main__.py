"""``python -m tests.environments.styles [--python PATH | --here] [--only NAME]…``: open startup code in each style."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from queueserver_client import AsyncClient
from rich.console import Console
from rich.table import Table

from tests.environments.styles.making import NotMadeError, interpreter_of
from tests.environments.styles.steps import STEPS
from tests.environments.styles.styles import STYLES, Style
from tests.harness.redis import RedisProcess
from tests.harness.stack import running_stack

_DIRECTORY = Path(".venv-styles")
console = Console(highlight=False)


def main() -> None:
    """Try the styles; exit code 1 if one of them failed."""
    options = _parser().parse_args()
    table = Table("style", "result")
    failed = False
    for style in STYLES:
        if not options.only or style.name in options.only:
            result = _try(style, options)
            failed |= result.startswith("[red]")
            table.add_row(style.name, result)
    console.print(table)
    sys.exit(1 if failed or not table.row_count else 0)


def _try(style: Style, options: argparse.Namespace) -> str:
    console.print(f"[bold]{style.name}[/] ({', '.join(style.packages)})")
    arguments: tuple[str, ...] = ()
    if not options.here:
        try:
            python = options.python or interpreter_of(options.version, style.packages, options.directory)
        except NotMadeError as error:
            console.print(f"  not made: {error}", markup=False)
            return "not tried: no such environment here"
        arguments = ("--environment-python", str(python))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="qs-", dir="/tmp") as directory:
        redis = RedisProcess(Path(directory), tcp=True)
        os.environ.update(style.variables, STYLES_REDIS_URL=redis.url)
        try:
            return _run(style, arguments, begun)
        finally:
            redis.close()
            for name in style.variables:
                del os.environ[name]


def _run(style: Style, arguments: tuple[str, ...], begun: float) -> str:
    with running_stack(*arguments, startup=style.startup) as stack:
        try:
            asyncio.run(_work(stack.address, style))
        except Exception:  # noqa: BLE001 - whatever fails in one style is told, and the next one is tried
            console.print(traceback.format_exc(), stack.log(), markup=False)
            return "[red]failed[/]"
    return f"[green]{len(STEPS)} steps, {time.monotonic() - begun:.0f} s[/]"


async def _work(address: str, style: Style) -> None:
    async with AsyncClient(address) as client:
        for step in STEPS:
            begun = time.monotonic()
            await step(client, style)
            console.print(f"  [dim]{step.__name__.replace('_', ' ')}, {time.monotonic() - begun:.1f} s[/]")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.environments.styles", description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--python", type=Path, metavar="PATH", help="try them on this interpreter, which has all packages"
    )
    where.add_argument("--here", action="store_true", help="try them on the interpreter of this command")
    parser.add_argument("--only", action="append", metavar="NAME", help="this one; may be given again")
    parser.add_argument(
        "--version", default="3.12", help="Python of the environments that are made (default: %(default)s)"
    )
    parser.add_argument(
        "--directory", type=Path, default=_DIRECTORY, metavar="DIR", help="where they are kept (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    main()
