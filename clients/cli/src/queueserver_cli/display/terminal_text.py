r"""Texts of other people, made harmless for a terminal.

Names, messages and console text may hold characters on which a terminal acts: they clear it, write elsewhere, turn the
direction of writing, answer in the place of the person who uses it. Whatever `qserver` shows to people goes through
here and shows such characters as Python writes them, `\x1b` for the one with which most of that begins.
"""

from __future__ import annotations

import re
import unicodedata

#: Categories of characters that a terminal acts on or can't show: controls, formats, halves of pairs, line separators.
_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: Joiners, without which some scripts can't be written.
_HARMLESS = {"\u200c", "\u200d"}
#: Colours, movements of the cursor, titles of windows: what a program writes for a terminal of its own.
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])|\x9b[0-?]*[ -/]*[@-~]"
)


class _Table(dict[int, str]):
    """The replacement of each character, computed when a character comes for the first time."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        acts = unicodedata.category(character) in _ACTING and character not in _HARMLESS
        self[code] = repr(character)[1:-1] if acts else character
        return self[code]


_LINE = _Table()
_LINES = _Table({ord("\n"): "\n", ord("\t"): "\t"})


def visible(text: str) -> str:
    """A text in one line in which a terminal finds nothing to act on."""
    return text if text.isprintable() else text.translate(_LINE)


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which may have tabs."""
    return text if text.isprintable() else text.translate(_LINES)


def console_line(line: str) -> str:
    """A line of console text as a terminal would finally show it, without colours.

    Of a line that a program overwrote repeatedly, as progress bars do, the last state is left.
    """
    if line.isprintable():
        return line
    line = _SEQUENCE.sub("", line).rstrip("\r")
    return visible(line.rpartition("\r")[2].expandtabs())
