"""Regular expressions that people write into patterns.

They are matched in processes that serve all clients. So an expression is refused if it could take time that grows
exponentially with the length of a name; that is detected in its text, and in doubt it is refused: a group
that repeats may contain neither another repetition nor alternatives. How much time an accepted expression takes is
not bounded otherwise: names are short, and the authors of permissions are trusted not to look for the worst case.
Permissions can have thousands of expressions, and Python takes a tenth of a millisecond and more to compile one: so
the plainest ones, which most are, are not compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import methodcaller

_MOST_REPETITIONS = 8
_DEEPEST_GROUPS = 16
_QUANTIFIER = re.compile(r"[*+?]|\{(?P<least>[0-9]*)(?P<range>,[0-9]*)?\}")
_CLASS = re.compile(r"\[(?:\^?\]|\^(?!\])|(?![\^\]]))(?:\\.|[^\]\\])*\]")
#: What later versions of Python may read differently inside of brackets.
_SET_OPERATION = re.compile(r"\[|--|&&|~~|\|\|")
_INLINE_FLAGS = re.compile(r"\(\?[a-zA-Z-]+\)")
#: Letters, digits and "_", which may have to be the beginning or the end of the text, or both.
_PLAIN = re.compile(r"(?P<start>\^|(?:\.\*)?)(?P<text>\w*)(?P<end>\$|(?:\.\*)?)\Z")

#: Tells whether an expression is found anywhere in a text: returns something true or something false.
Expression = Callable[[str], object]


class ExpressionError(ValueError):
    """Not a regular expression that is accepted; the message is a phrase that says why."""


def compile_expression(text: str) -> Expression:
    """A regular expression, ready to search with. Raises ExpressionError."""
    if not text:
        raise ExpressionError("it is empty")
    plain = _PLAIN.match(text)
    if plain is not None:
        return _plain_search(plain["text"], at_start=plain["start"] == "^", at_end=plain["end"] == "$")
    _Scan(text).check()
    try:
        return re.compile(text).search
    except (re.error, OverflowError) as error:
        raise ExpressionError(str(error)) from error


def _plain_search(text: str, *, at_start: bool, at_end: bool) -> Expression:
    """As a compiled expression would search, for which the end is also before a last line feed."""
    ends = (text, f"{text}\n")
    if at_start and at_end:
        return frozenset(ends).__contains__
    if at_start:
        return methodcaller("startswith", text)
    return methodcaller("endswith", ends) if at_end else methodcaller("__contains__", text)


class _Scan:
    """One pass over an expression, which keeps track of groups that repeat what itself varies."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._repetitions = 0
        #: For each open group, and the whole at the bottom: whether what it matches can vary in length or kind.
        self._varies = [False]

    def check(self) -> None:
        """Raises ExpressionError for what could take very long."""
        at = 0
        while at < len(self._text):
            at = self._element(at)

    def _element(self, at: int) -> int:
        """Examine the element at an offset; returns where the next one begins."""
        char = self._text[at]
        if char == "\\":
            return self._quantifier(at + 2, repeats_varying=False)
        if char == "[":
            return self._quantifier(self._end_of_class(at), repeats_varying=False)
        if char == "(":
            return self._open_group(at)
        if char == ")" and len(self._varies) > 1:
            inside = self._varies.pop()
            self._varies[-1] |= inside
            return self._quantifier(at + 1, repeats_varying=inside)
        if char == "|":
            self._varies[-1] = True
            return at + 1
        return self._quantifier(at + 1, repeats_varying=False)

    def _open_group(self, at: int) -> int:
        if at and _INLINE_FLAGS.match(self._text, at):
            raise ExpressionError("flags such as (?i) are possible at its beginning only")
        if self._text.startswith("(?>", at):
            raise ExpressionError("groups that begin with (?> are not known to every version of Python")
        self._varies.append(False)
        if len(self._varies) > _DEEPEST_GROUPS + 1:
            raise ExpressionError(f"more than {_DEEPEST_GROUPS} groups are inside of each other")
        return at + (2 if self._text.startswith("(?", at) else 1)

    def _end_of_class(self, at: int) -> int:
        match = _CLASS.match(self._text, at)
        if match is None:
            raise ExpressionError("a [ has no ] that ends it")
        if _SET_OPERATION.search(match[0], 1):
            raise ExpressionError("between [ and ] there can be no other [, and none of -- && ~~ ||")
        return match.end()

    def _quantifier(self, at: int, *, repeats_varying: bool) -> int:
        """Examine what may follow an element and return how often it occurs."""
        match = _QUANTIFIER.match(self._text, at)
        if match is None:
            return at
        once_at_most = match[0] in ("?", "{1}", "{0}", "{0,1}", "{,1}")
        if repeats_varying and not once_at_most:
            raise ExpressionError(
                "a group that repeats contains another repetition or alternatives, which can take very long: "
                "repeat a character class such as [a-z_] instead"
            )
        if match[0] in ("*", "+", "?") or match["range"]:
            self._varies[-1] = True
            self._repetitions += 1
        if self._repetitions > _MOST_REPETITIONS:
            raise ExpressionError(f"it has more than {_MOST_REPETITIONS} repetitions, which can take very long")
        if self._text.startswith("+", match.end()):
            raise ExpressionError("a '+' follows another repetition")
        return match.end() + (1 if self._text.startswith("?", match.end()) else 0)
