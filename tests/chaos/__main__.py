"""``python -m tests.chaos [--faults N] [--seed SEED] [--per-round N]``: break everything, and look whether it held."""

from __future__ import annotations

import argparse
import secrets
import sys
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
    console.print(f"seed {first}")
    reports: list[Report] = []
    for number in range(-(-options.faults // options.per_round)):
        seed = f"{first}.{number}" if number or "." not in first else first
        console.print(f"round {number}, seed {seed}")
        report = play(seed, options.per_round, lambda fault: console.print(f"  [dim]{fault}[/]"))
        reports.append(report)
        console.print(
            f"  {report.submitted} items, {report.executions} executions; requests refused: {dict(report.refused)}, "
            f"of unknown fate: {dict(report.unknown)}"
        )
        _tell(console, report)
    broken = [report.seed for report in reports if report.problems]
    faults = sum(len(report.faults) for report in reports)
    console.print(
        f"[red]{len(broken)} rounds with problems: {broken}[/]"
        if broken
        else f"[green]{faults} faults, and all held[/]"
    )
    sys.exit(1 if broken else 0)


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
