"""The shape of an output: what is the same each time stands for itself, what is not stands for anything of its kind.

=====================  ==================================================================================
in the page            in the output
=====================  ==================================================================================
a uid                  any uid; the same one wherever the page has the same, another where it has another
``09:43:05``           any time of day, also with a part of a second
``2026-11-30``         any day (also ``11/30/2026``)
``1796031785.249059``  any time in seconds since 1970
``127.0.0.1:60630``    any port of this machine
``…``                  any text within a line
a line of only ``…``   any lines, or none
spaces                 as many or more; spaces at the ends do not count
=====================  ==================================================================================

In a command a uid of the page is replaced by the one for which it stood.
"""

from __future__ import annotations

import re

_UID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KINDS = {
    "uid": _UID,
    "day": r"\d{4}-\d\d-\d\d",
    "american_day": r"\d\d/\d\d/\d{4}",
    "time": r"\d\d:\d\d:\d\d(?:[.,]\d+)?",
    "epoch": r"\d{10}\.\d+",
    "address": r"127\.0\.0\.1:\d+",
    "anything": "…",
    "spaces": r" +",
}
_KIND = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))
_AS_ITSELF = {kind: _KINDS[kind] for kind in ("day", "american_day", "time", "epoch", "address")}
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


class Shapes:
    """Compares outputs with what a page says; remembers for which uids those of the page stand."""

    def __init__(self) -> None:
        """Nothing is known of any uid yet."""
        self._uids: dict[str, str] = {}

    def command(self, text: str) -> str:
        """A command of the page as it is to be typed. KeyError for a uid that the page has not shown before."""
        return re.sub(_UID, lambda uid: self._uids[uid[0]], text)

    def fits(self, said: str, output: str) -> bool:
        """Whether the whole output is what is said."""
        pattern, groups = self._pattern([line.strip() for line in said.strip().splitlines()])
        return self._note(re.fullmatch(pattern, "".join(f"{line}\n" for line in plain_lines(output))), groups)

    def line_fits(self, said: str, line: str) -> bool:
        """Whether one line is what is said."""
        pattern, groups = self._pattern([said.strip()])
        return self._note(re.fullmatch(pattern, f"{line.strip()}\n"), groups)

    def _pattern(self, lines: list[str]) -> tuple[str, dict[str, str]]:
        groups: dict[str, str] = {}
        return "".join(r"(?:.*\n)*?" if line == "…" else self._line(line, groups) + r"\n" for line in lines), groups

    def _line(self, line: str, groups: dict[str, str]) -> str:
        parts = []
        end = 0
        for found in _KIND.finditer(line):
            parts += [re.escape(line[end : found.start()]), self._piece(found, groups)]
            end = found.end()
        return "".join([*parts, re.escape(line[end:])])

    def _piece(self, found: re.Match[str], groups: dict[str, str]) -> str:
        kind, text = str(found.lastgroup), found[0]
        if kind == "anything":
            return ".*?"
        if kind == "spaces":
            return " +"
        if kind != "uid":
            return _AS_ITSELF[kind]
        if text in self._uids:
            return self._uids[text]
        if text in groups:
            return f"(?P={groups[text]})"
        groups[text] = f"uid{len(groups)}"
        return f"(?P<{groups[text]}>{_UID})"

    def _note(self, match: re.Match[str] | None, groups: dict[str, str]) -> bool:
        if match is None:
            return False
        new = {uid: match[group] for uid, group in groups.items()}
        stood_for = [*self._uids.values(), *new.values()]
        if len(set(stood_for)) != len(stood_for):
            return False
        self._uids |= new
        return True


def plain_lines(output: str) -> list[str]:
    """Lines as a reader sees them: without what only acts on the terminal, and without empty lines at the ends."""
    text = _ESCAPE.sub("", output).replace("\r\n", "\n")
    return [line.rpartition("\r")[2].strip() for line in text.strip().splitlines()]
