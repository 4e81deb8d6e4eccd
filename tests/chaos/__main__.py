"""``python -m tests.chaos [--faults N] [--seed SEED] [--per-round N]``: break everything, and look whether it held."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from rich.console import Console

from tests.chaos.round import Report, play

#: Where the log of a round with problems is written.
_LOGS = Path("chaos-results")


def main() -> None:
    """Play rounds until there were enough faults; exit code 1 if one of them found a problem."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    first = options.seed or secrets.token_hex(4)
    rounds = range(-(-options.faults // options.per_round))
    seeds = [first if number == 0 and "." in first else f"{first}.{number}" for number in rounds]
    reports = [_play(console, seed, options.per_round) for seed in seeds]
    broken = [report.seed for report in reports if report.problems]
    faults = sum(len(report.faults) for report in reports)
    console.print(
        f"[red]{len(broken)} rounds with problems: {broken}[/]"
        if broken
        else f"[green]{faults} faults, and all held[/]"
    )
    sys.exit(1 if broken else 0)


def _play(console: Console, seed: str, faults: int) -> Report:
    begin = time.monotonic()
    console.print(f"seed {seed}")
    report = play(seed, faults, lambda fault: console.print(f"  [dim]{time.monotonic() - begin:6.1f} s  {fault}[/]"))
    console.print(
        f"  {report.submitted} items, {report.executions} executions; requests refused: {dict(report.refused)}, "
        f"of unknown fate: {dict(report.unknown)}"
    )
    _tell(console, report)
    return report


def _tell(console: Console, report: Report) -> None:
    for problem in report.problems:
        console.print(f"  [red]{problem}[/]", markup=True)
    if report.problems:
        _LOGS.mkdir(exist_ok=True)
        file = _LOGS / f"{report.seed}.log"
        file.write_text("\n".join([*report.problems, "", *report.faults, "", report.log]), encoding="utf-8")
        console.print(f"  play it again with --seed {report.seed} --faults {len(report.faults)}; log: {file}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="how many faults (default: %(default)s)")
    parser.add_argument(
        "--per-round", type=int, default=40, metavar="N", help="faults per round (default: %(default)s)"
    )
    parser.add_argument("--seed", default="", metavar="SEED", help="of a round to be played again; default: a new one")
    return parser


if __name__ == "__main__":
    main()
