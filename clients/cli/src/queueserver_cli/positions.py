"""Places and addresses in the queue, as words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from queueserver_client import Address, After, Before, Position

from queueserver_cli.outcome import WrongCommand

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
#: The beginning of a uid, as tables show it, may consist of digits only; no index is so large.
_SHOWN_UID = re.compile(r"[0-9]{8}", re.ASCII)
_DIGITS = re.compile(r"[+-]?[0-9]+", re.ASCII)
_BESIDE: dict[str, type[Before | After]] = {
    "before": Before,
    "before_uid": Before,
    "after": After,
    "after_uid": After,
}
_ENDS: dict[str, Literal["front", "back"]] = {"front": "front", "back": "back"}


def number(word: str) -> int | None:
    """The whole number that a word is, or None. Raises WrongCommand for one that no index can be."""
    if _NUMBER.fullmatch(word):
        return int(word)
    if _DIGITS.fullmatch(word):
        raise WrongCommand(f"{word[:30]!r} is too large a number.")
    return None


def uid(word: str) -> str:
    """A word that is taken as the uid of an item."""
    if _SHOWN_UID.fullmatch(word):
        return word
    if not word or word in _ENDS or word in _BESIDE or word.startswith("-") or number(word) is not None:
        raise WrongCommand(f"{word!r} is not the uid of an item, which is expected here.")
    return word


def address(word: str) -> Address:
    """SRC: front, back, an index or a uid."""
    index = number(word)
    if index is not None and not _SHOWN_UID.fullmatch(word):
        return index
    return _ENDS.get(word) or uid(word)


def position(words: Sequence[str]) -> Position:
    """ADDR or DEST: front, back, an index, before UID or after UID."""
    if len(words) == 1:
        index = number(words[0])
        if index is not None:
            return index
        if words[0] in _ENDS:
            return _ENDS[words[0]]
    if len(words) == 2 and words[0] in _BESIDE:  # noqa: PLR2004 - two words
        return _BESIDE[words[0]](uid(words[1]))
    raise WrongCommand(f"{' '.join(words)!r} is not a place: front, back, an index, before UID or after UID.")
