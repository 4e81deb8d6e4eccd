"""Docstrings of plans: the summary and what each parameter means, from numpy, Google or Sphinx style.

The environment sends them as they are. Parsing costs more than anything else in an inventory, so only a docstring that
documents parameters is parsed, by the parser of its style, and one that is known already is not parsed again. Text in
any other form gives a summary and nothing else. Guarantees: nothing in here raises, whatever the text, and none takes
long.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from queueserver.common.v1.inventory_pb2 import Inventory, PlanDescription
from queueserver_inventory.description_sizes import MAX_PLAN_BYTES

MAX_DOCSTRING: Final = 20_000
"""Characters of a docstring that are read."""
_NUMPY: Final = re.compile(r"^(?:Other )?Param\w*[ \t]*\n-{3,}", re.MULTILINE)
_GOOGLE: Final = re.compile(
    r"^(?:Args|Arguments|Params|Parameters|Keyword Args|Keyword Arguments):[ \t]*$", re.MULTILINE
)
_SPHINX: Final = re.compile(r"^[:@]param\b", re.MULTILINE)
#: In a line with very many blanks the parsers look for a colon after each of them.
_MANY_BLANKS: Final = re.compile(r"(?<=\S)[^\S\n]{16,}")


@dataclass(frozen=True, slots=True)
class PlanText:
    """What the docstring of a plan says."""

    #: First paragraph.
    summary: str = ""
    #: Text by parameter name, without leading asterisks.
    parameters: Mapping[str, str] = field(default_factory=dict)


class Docstrings:
    """Reads the docstrings of one environment; what it has read for the last inventory is read once."""

    def __init__(self) -> None:
        self._known: dict[str, PlanText] = {}

    def describe(self, inventory: Inventory, docstrings: Mapping[str, str]) -> None:
        """Fill in what the plans' decorators do not say; docstrings are by the names of plans."""
        known: dict[str, PlanText] = {}
        for plan in inventory.plans:
            docstring = docstrings.get(plan.name)
            if docstring:
                text = known[docstring] = self._known.get(docstring) or read_docstring(docstring)
                _describe(plan, text)
        self._known = known


def read_docstring(docstring: str) -> PlanText:
    """Parse a docstring."""
    text = _MANY_BLANKS.sub(" ", inspect.cleandoc(docstring[:MAX_DOCSTRING]))
    for style in (_NUMPY, _GOOGLE, _SPHINX):
        section = style.search(text)
        if section:
            return PlanText(_summary(text[: section.start()]), _parameters(text, style))
    return PlanText(_summary(text))


def _describe(plan: PlanDescription, text: PlanText) -> None:
    """Fill in a plan, unless that would make its description too long."""
    before = plan.SerializeToString()
    plan.description = plan.description or text.summary
    for parameter in plan.parameters:
        parameter.description = parameter.description or text.parameters.get(parameter.name, "")
    if plan.ByteSize() > MAX_PLAN_BYTES:
        plan.ParseFromString(before)


def _summary(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())


def _parameters(text: str, style: re.Pattern[str]) -> dict[str, str]:
    try:
        parsed = _parser(style)(text)
    except Exception:  # noqa: BLE001 - protects the inventory from text that the parser does not foresee
        return {}
    found: dict[str, str] = {}
    for parameter in parsed.params:
        for name in parameter.arg_name.split(","):
            found[name.strip().lstrip("*")] = parameter.description or ""
    return found


@cache
def _parser(style: re.Pattern[str]) -> Callable[[str], Any]:
    from docstring_parser import google, numpydoc, rest  # noqa: PLC0415 - paid only if a plan is documented

    parsers: dict[re.Pattern[str], Callable[[str], Any]] = {
        _NUMPY: numpydoc.NumpydocParser().parse,
        _GOOGLE: google.GoogleParser().parse,
        _SPHINX: rest.parse,
    }
    return parsers[style]
