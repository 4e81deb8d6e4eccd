"""The last of what was printed: enough to see how something ended, short enough to be kept with its result."""

from __future__ import annotations

MAX_EXCERPT = 2_000
"""Characters that are kept."""
# One more, to know whether the text that is kept begins with a line.
_KEPT = MAX_EXCERPT + 1


class Excerpt:
    """The last of a text that arrives in pieces."""

    def __init__(self) -> None:
        self._text = ""

    def add(self, piece: str) -> None:
        """Append a piece. Costs the same however much came before."""
        self._text = (self._text + piece[-_KEPT:])[-_KEPT:]

    @property
    def text(self) -> str:
        """At most MAX_EXCERPT characters, from the beginning of a line if there is one among them."""
        if len(self._text) <= MAX_EXCERPT:
            return self._text
        line_end = self._text.find("\n")
        if 0 <= line_end < MAX_EXCERPT:
            return self._text[line_end + 1 :]
        return self._text[1:]
