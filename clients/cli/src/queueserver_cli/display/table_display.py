"""Lists as tables for people in a terminal, and as lines with tabs where another program reads them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence

from queueserver_cli.display.terminal_text import visible, visible_lines
from queueserver_cli.session import Session

#: A terminal this wide has room for long texts, such as whole uids.
_WIDE = 140


def is_wide() -> bool:
    """Whether standard output is a terminal with room for long texts, or no terminal at all."""
    return not sys.stdout.isatty() or shutil.get_terminal_size().columns >= _WIDE


def show_table(
    session: Session,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    wrapped: Collection[str] = (),
    right: str = "",
) -> None:
    """Print a table. Only for a terminal, rich is imported.

    Args:
        session: The run of the command.
        headings: Names of the columns.
        rows: Texts of the cells.
        wrapped: The columns whose texts take several lines if they have to, or have several; others are cut.
        right: The column of numbers.
    """
    if not sys.stdout.isatty():
        for row in rows:
            session.printer.coloured("\t".join(" ".join(visible(cell.replace("\n", " ")).split()) for cell in row))
        return
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        is_wrapped = heading in wrapped
        table.add_column(
            heading,
            no_wrap=not is_wrapped,
            overflow="fold" if is_wrapped else "ellipsis",
            justify="right" if heading == right else "left",
        )
    for row in rows:
        cells = zip(headings, row, strict=True)
        table.add_row(*(Text((visible_lines if heading in wrapped else visible)(cell)) for heading, cell in cells))
    Console().print(table)
