"""The parts of the screen below its head: the running plan, queue, plot, readings, console."""

from __future__ import annotations

from datetime import datetime, timedelta

from queueserver_client import Item
from rich.cells import cell_len, chop_cells
from rich.text import Text

from queueserver_cli.dashboard.estimate import Estimate
from queueserver_cli.dashboard.look import Look, about, clock, elapsed
from queueserver_cli.dashboard.plot import drawn
from queueserver_cli.dashboard.state import State
from queueserver_cli.display.run_view import Run
from queueserver_cli.words.event_words import counted, item_words

_BAR, _SHORTEST_BAR = 24, 6
#: A narrower screen shows of an item what it is, and not its user.
_NARROW = 60
_WIDEST_PLOT = 120
#: With fewer lines for items, none of them shows how many more there are.
_ROWS_FOR_REST = 3
#: A line of the console takes this many lines of the screen.
_MOST_ROWS = 4


def plan_lines(state: State, look: Look, width: int, now: datetime) -> list[Text]:
    """The running plan and how far along it is; else the run that ended last."""
    running, run = state.view.running, state.shown_run()
    lines: list[Text] = []
    if running is not None:
        by = f" by {look.text(running.item.user)}" if running.item.user else ""
        plan = look.fit(Text(look.runs + look.text(item_words(running.item))), max(width - cell_len(by), 1))
        lines.append(Text.assemble((plan.plain, "bold green"), by))
    points = _points(run) if run is not None else ""
    took = elapsed(state.elapsed(now)) if running is not None else ""
    end = _end(state.estimate(now), state.link.shown_time(now))
    words = look.text(look.dot.join(filter(None, [points, took, end])))
    title = look.text(f"{run.title}: ") if run is not None else ""
    bar = _bar(look, run, width - cell_len(title + words)) if run is not None else ""
    return [*lines, Text(title + bar + words)] if words else lines


def _points(run: Run) -> str:
    ended = f" {run.exit_status}" if run.exit_status else ""
    if run.expected is None and not run.done and run.done_beside:
        stream, done = max(run.done_beside.items(), key=lambda each: each[1])
        return f"{counted(done, 'point')} in {stream}{ended}"
    if run.expected is None:
        return f"{counted(run.done, 'point')}{ended}"
    return f"{run.done}/{run.expected} points{ended}"


def _bar(look: Look, run: Run, room: int) -> str:
    """How much of the run is done, if there is room for it."""
    width = min(room - 1, _BAR)
    return f"{look.bar(run.done, run.expected, width)} " if run.expected is not None and width >= _SHORTEST_BAR else ""


def _end(estimate: Estimate | None, now: datetime) -> str:
    if estimate is None:
        return ""
    if not estimate.remaining:
        return f"longer than usual (about {about(estimate.total)})"
    end = clock(now + timedelta(seconds=estimate.remaining))
    return f"about {about(estimate.remaining)} left, until about {end}"


def queue_lines(state: State, look: Look, width: int, height: int) -> list[Text]:
    """The items that come next."""
    if height < 1:
        return []
    items = state.view.items
    lines = [Text(f"Queue: {counted(len(items), 'item')}", style="bold")]
    rows = height - 1
    shown = rows if len(items) <= rows or rows < _ROWS_FOR_REST else rows - 1
    lines += [_item_line(look, width, index, item) for index, item in enumerate(items[:shown])]
    hidden = len(items) - shown
    if shown < rows:
        lines.append(Text(f"     {look.more} and {hidden} more", style="dim"))
    return lines


def _item_line(look: Look, width: int, index: int, item: Item) -> Text:
    style = "red" if item.problems else "yellow" if item.held else ""
    call = item_words(item)
    if width < _NARROW:
        return Text(f"{index:4} {look.text(call)}", style=style)
    columns = f"{index:4} {look.column(call, width - 28)} {look.column(item.user, 12)} {look.column(item.uid[:8], 8)}"
    return Text(columns, style=style)


def plot_lines(state: State, look: Look, width: int, height: int) -> list[Text]:
    """The column that is read against the axis that is scanned."""
    run = state.shown_run()
    if run is None or height < 1:
        return []
    columns = drawn(run.curve, min(width, _WIDEST_PLOT), height - 1, braille=look.unicode)
    if not columns:
        return []
    title = Text(look.text(f"{run.drawn} against {run.axis}"), style="bold")
    return [title, *(Text(line, style="cyan") for line in columns)]


def readings_lines(state: State, look: Look, width: int, height: int) -> list[Text]:
    """The newest rows as a table with as many columns as there is room for."""
    run = state.shown_run()
    if run is None or height < 2:  # noqa: PLR2004 - the headings alone tell nothing
        return []
    rows = list(run.readings)[-(height - 1) :]
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    table = [["#", *(str(row.number) for row in rows)]]
    left = width
    for name in names:
        column = [look.text(name), *(look.text(row.values.get(name, "")) for row in rows)]
        table.append(column)
        left -= max(map(cell_len, column)) + 2
        if left < 0:
            break
    return [_row(table, at, "bold" if at == 0 else "") for at in range(len(rows) + 1)]


def _row(table: list[list[str]], at: int, style: str) -> Text:
    widths = [max(map(cell_len, column)) for column in table]
    cells = [" " * (width - cell_len(column[at])) + column[at] for width, column in zip(widths, table, strict=True)]
    return Text("  ".join(cells), style=style)


def console_lines(state: State, look: Look, width: int, height: int) -> list[Text]:
    """The newest lines that the environment wrote."""
    if height < 2:  # noqa: PLR2004 - the title alone tells nothing
        return []
    rows: list[str] = []
    for line in reversed(state.console()):
        if len(rows) >= height - 1:
            break
        pieces = chop_cells(look.text(line.text), max(width, 1)) or [""]
        rows = [*pieces[:_MOST_ROWS], *rows]
    return [Text("Console", style="bold"), *(Text(row) for row in rows[-(height - 1) :])]
