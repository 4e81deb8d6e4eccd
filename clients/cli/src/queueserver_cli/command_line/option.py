"""One option of a tool."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A kind of option: a number of seconds within bounds."""

    def convert(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise click.BadParameter(f"must be a number of seconds from {least:g} to {most:g}, not {value!r}.")
        return number

    return convert


@dataclass(frozen=True)
class Option:
    """One option."""

    #: As it is typed.
    name: str
    meaning: str
    #: What its value is called in the help; empty for a switch, which has none.
    value: str = ""
    #: A shorter name, or one of an earlier time.
    other_name: str = ""
    kind: click.ParamType[Any] | Callable[[str], Any] | None = None
    default: Any = None
    #: Environment variable without its prefix, QSERVER_ or QUEUESERVER_.
    variable: str = ""

    @property
    def key(self) -> str:
        """Under which its value is found in Session.options."""
        return self.name.lstrip("-").replace("-", "_")

    def click(self, *, hidden: bool = False) -> click.Option:
        """The option for click; a hidden one is not in the help that click makes."""
        names = [name for name in (self.name, self.other_name) if name]
        variables = [f"{prefix}_{self.variable}" for prefix in ("QSERVER", "QUEUESERVER")] if self.variable else None
        if not self.value:
            return click.Option([*names, self.key], is_flag=True, help=self.meaning, hidden=hidden)
        return click.Option(
            [*names, self.key],
            metavar=self.value,
            type=self.kind,
            default=self.default,
            show_default=self.default is not None,
            envvar=variables,
            help=self.meaning,
            hidden=hidden,
        )
