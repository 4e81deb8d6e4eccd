"""What is wrong with the fields of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One wrong field of a request."""

    #: Path of the field, for example "item.kwargs.num".
    field: str
    #: What is wrong and what would be right.
    description: str


def told_once(message: str, violations: Sequence[Violation]) -> str:
    """A sentence, with a line for each wrong field that it does not mention."""
    rest = [found for found in violations if found.description.rstrip("?.…") not in message]
    return "\n".join([message, *(f"  {found.field}: {found.description}" for found in rest)])
