"""Names of people and of user groups: what may be one, and when two are the same.

A name is Unicode text in the composed form NFC, so that "é" is the same name on every keyboard. It has no character
that can't be seen: none that controls a terminal or changes the direction of the text around it.
"""

from __future__ import annotations

import unicodedata

#: Bounds, documented in the contract.
MAX_CHARACTERS = 100
MAX_BYTES = 300
#: One character is composed of at most four; a text of unbounded length would take long to compose.
_LONGEST_DECOMPOSED = 4 * MAX_CHARACTERS


def composed(name: str) -> str:
    """The form in which a name is kept and compared. A text too long to be a name in any form is returned unchanged."""
    return unicodedata.normalize("NFC", name) if len(name) <= _LONGEST_DECOMPOSED else name


def problem_of(name: str) -> str:
    """What is wrong with a composed name, and what would be right; empty if nothing is."""
    if not name:
        return "must not be empty"
    if len(name) > MAX_CHARACTERS or len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return f"must have at most {MAX_CHARACTERS} characters, and {MAX_BYTES} bytes in UTF-8"
    unseen = next((character for character in name if not character.isprintable()), "")
    if unseen:
        return f"must consist of visible characters and spaces: leave out {_described(unseen)}"
    if name != name.strip():
        return "must not begin or end with a space"
    if unicodedata.category(name[0]).startswith("M"):
        return f"must not begin with {_described(name[0])}, which belongs to the character before it"
    return ""


def _described(character: str) -> str:
    """A character by its code point and, if it has one, its name."""
    return " ".join(filter(None, (f"U+{ord(character):04X}", unicodedata.name(character, ""))))
