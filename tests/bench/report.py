"""Figures for people (a table) and for machines (JSON)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure

Results = Mapping[str, Sequence[Figure]]


def show(console: Console, results: Results) -> None:
    """Print a table: one block for each benchmark."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("benchmark")
    table.add_column("figure")
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("aim", justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("0.0.25", justify="right")
    table.add_column("how", style="dim")
    for name, figures in results.items():
        for number, figure in enumerate(figures):
            measured = f"{_short(figure.value)} {figure.unit}"
            first = name if number == 0 else ""
            table.add_row(
                first, figure.label, measured, _aim(figure), _verdict(figure.reached), figure.existing, figure.note
            )
        table.add_section()
    console.print(table)


def save(folder: Path, results: Results, others: Mapping[str, float]) -> Path:
    """Write all figures, and under what conditions they were measured, to a new file; answers its path."""
    now = datetime.now(timezone.utc)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    about = {
        "time": now.isoformat(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "cpus_busy_with_other_work": others,
    }
    figures = {name: [{**asdict(each), "reached": each.reached} for each in many] for name, many in results.items()}
    path.write_text(json.dumps({"about": about, "figures": figures}, indent=2) + "\n", encoding="utf-8")
    return path


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    return f"{'≥' if figure.at_least else '≤'} {_short(figure.aim)}"


def _verdict(reached: bool | None) -> str:
    return {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[reached]
