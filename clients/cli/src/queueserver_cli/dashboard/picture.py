"""The lines of a screen, from what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from queueserver_client import EventKind
from rich.text import Text

from queueserver_cli.dashboard.head import attention_lines, link_lines, status_line
from queueserver_cli.dashboard.link import Standing
from queueserver_cli.dashboard.look import Look
from queueserver_cli.dashboard.parts import console_lines, plan_lines, plot_lines, queue_lines, readings_lines
from queueserver_cli.dashboard.shares import Wish, shared
from queueserver_cli.dashboard.state import State

#: From this width on, queue and console are beside plot and readings.
WIDE = 130
#: Lines of a plot: with fewer it shows nothing, and more are not needed.
_PLOT = (6, 16)
#: A screen with fewer lines has no plot.
_PLOT_NEEDS = 18
_MOST_READINGS = 6


def picture(state: State, look: Look, width: int, height: int, now: datetime) -> list[Text]:
    """As many lines as the screen is high, none of them wider than it."""
    head = [*link_lines(state, look, now), *status_line(state, look)]
    attention = attention_lines(state, look, width, max(height // 3, 1), now)
    body = plan_lines(state, look, width, now)
    left = height - len(head) - len(attention) - len(body)
    body += _columns(state, look, width, left) if width >= WIDE else _below_each_other(state, look, width, left)
    if state.link.standing(now) is not Standing.CONNECTED:
        for line in [*head[1:], *attention, *body]:
            line.stylize("dim")
    lines = [look.fit(line, width) for line in [*head, *attention, *body]][:height]
    return lines + [Text()] * (height - len(lines))


def _below_each_other(state: State, look: Look, width: int, height: int) -> list[Text]:
    queue, plot, readings, console = shared(height, _wishes(state, height))
    return [
        *queue_lines(state, look, width, queue),
        *plot_lines(state, look, width, plot),
        *readings_lines(state, look, width, readings),
        *console_lines(state, look, width, console),
    ]


def _columns(state: State, look: Look, width: int, height: int) -> list[Text]:
    """Queue and console at the left, plot and readings at the right, if there are any."""
    queue, plot, readings, console = _wishes(state, height)
    if not plot.most and not readings.most:
        return _below_each_other(state, look, width, height)
    right_width = min(width // 2, 100)
    left_width = width - right_width - 2
    lines, rows = shared(height, [queue, console])
    left = [*queue_lines(state, look, left_width, lines), *console_lines(state, look, left_width, rows)]
    lines, rows = shared(height, [plot, readings])
    right = [*plot_lines(state, look, right_width, lines), *readings_lines(state, look, right_width, rows)]
    return [_beside(look, at, left, right, left_width) for at in range(max(len(left), len(right)))]


def _beside(look: Look, at: int, left: Sequence[Text], right: Sequence[Text], width: int) -> Text:
    line = look.fit(left[at], width).copy() if at < len(left) else Text()
    line.append(" " * (width + 2 - line.cell_len))
    return line.append_text(right[at]) if at < len(right) else line


def _wishes(state: State, height: int) -> list[Wish]:
    """The desired sizes of queue, plot, readings and console."""
    run = state.shown_run()
    items = len(state.view.items)
    queue = Wish(1, min(items, max(height // 4, 2)) + (items > max(height // 4, 2)) + 1)
    has_plot = run is not None and bool(run.curve.xs) and height >= _PLOT_NEEDS - _PLOT[0]
    plot = Wish(_PLOT[0], min(_PLOT[1], height // 3)) if has_plot else Wish(0, 0)
    readings = Wish(2, min(len(run.readings), _MOST_READINGS) + 1) if run is not None and run.readings else Wish(0, 0)
    return [
        queue if EventKind.QUEUE in state.kinds else Wish(0, 0),
        plot,
        readings,
        Wish(2, height) if EventKind.CONSOLE in state.kinds else Wish(0, 0),
    ]
