"""``python -m tests.chaos [--faults N] [--at-once N] [--seed SEED] …``: break everything, and look whether it held."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from tests.chaos.kinds import KINDS
from tests.chaos.round import Report, play
from tests.harness.jumping_clock import can_be_preloaded
from tests.harness.namespaces import OWN_NETWORK, own_network

#: Where the log of a round with problems is written.
_LOGS = Path("chaos-results")


def main() -> None:
    """Play rounds until there were enough faults; exit code 1 if one of them found a problem."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    kinds = _kinds(options.kind, own_network([sys.executable, "-m", "tests.chaos", *sys.argv[1:]]), console)
    rounds = list(_rounds(options, kinds))
    if options.at_once > 1 and len(rounds) > 1:
        broken = list(_play_at_once(console, rounds, options.at_once))
    else:
        broken = [seed for kind, seed, faults in rounds if _play(console, kind, seed, faults).problems]
    faults = sum(faults for _, _, faults in rounds)
    console.print(
        f"[red]{len(broken)} rounds with problems: {broken}[/]"
        if broken
        else f"[green]{faults} faults, and all held[/]"
    )
    sys.exit(1 if broken else 0)


def _kinds(wanted: str, no_networks: str, console: Console) -> list[str]:
    """The kinds that can be played here; says which can't, and why."""
    kinds = [wanted] if wanted else list(KINDS)
    if no_networks and "networks" in kinds:
        console.print(f"[yellow]Not tried: links that are down between network namespaces; {no_networks}[/]")
        kinds.remove("networks")
    if not can_be_preloaded() and "one-machine" in kinds:
        console.print("[yellow]Not tried: a wrong clock of Redis; it needs a C compiler[/]")
    return kinds


def _rounds(options: argparse.Namespace, kinds: list[str]) -> Iterator[tuple[str, str, int]]:
    """Kind, seed and number of faults of each round: as many of each kind, unless one is played again."""
    first = options.seed or secrets.token_hex(4)
    if "." in first:
        yield _kind_of(first, kinds), first, options.faults
        return
    cycles = -(-options.faults // options.per_cycle)
    shares = sum(KINDS[kind][1] for kind in kinds)
    for number in range(cycles * len(kinds)):
        seed = f"{first}.{number}"
        kind = _kind_of(seed, kinds)
        yield kind, seed, -(-options.faults * KINDS[kind][1] // (cycles * shares))


def _kind_of(seed: str, kinds: list[str]) -> str:
    return kinds[int(seed.rpartition(".")[2]) % len(kinds)]


def _play_at_once(console: Console, rounds: list[tuple[str, str, int]], most: int) -> Iterator[str]:
    """Play several rounds at a time, each in a process with a network of its own; gives seeds that found a problem."""
    begin = time.monotonic()
    with ThreadPoolExecutor(most) as pool:
        playing = {pool.submit(_in_process, *one): one[1] for one in rounds}
        for number, played in enumerate(as_completed(playing), 1):
            exit_code, text = played.result()
            console.print(f"{time.monotonic() - begin:.0f} s: {number} of {len(rounds)} rounds")
            console.print(text, end="", markup=False)
            if exit_code:
                yield playing[played]


def _in_process(kind: str, seed: str, faults: int) -> tuple[int, str]:
    """Play one round in another process; gives its exit code and what it printed."""
    command = [sys.executable, "-m", "tests.chaos", "--kind", kind, "--seed", seed, "--faults", str(faults)]
    environment = {name: value for name, value in os.environ.items() if name != OWN_NETWORK}
    played = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return played.returncode, played.stdout.decode(errors="replace")


def _play(console: Console, kind: str, seed: str, faults: int) -> Report:
    begin = time.monotonic()
    console.print(f"seed {seed}, {kind}")
    report = play(
        kind, seed, faults, lambda fault: console.print(f"  [dim]{time.monotonic() - begin:6.1f} s  {fault}[/]")
    )
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
        again = f"--kind {report.kind} --seed {report.seed} --faults {len(report.faults)}"
        console.print(f"  play it again with {again}; log: {file}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="how many faults (default: %(default)s)")
    parser.add_argument(
        "--per-cycle", type=int, default=80, metavar="N", help="faults of one round of each kind (default: %(default)s)"
    )
    parser.add_argument("--kind", choices=list(KINDS), default="", help="of all rounds (default: all kinds in turn)")
    parser.add_argument(
        "--at-once",
        type=int,
        default=1,
        metavar="N",
        help="rounds that are played at the same time (default: %(default)s)",
    )
    parser.add_argument("--seed", default="", metavar="SEED", help="of a round to be played again; default: a new one")
    return parser


if __name__ == "__main__":
    main()
