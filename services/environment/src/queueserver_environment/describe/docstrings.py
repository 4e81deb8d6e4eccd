"""Docstrings of plans: the summary and what each parameter means, from numpy, Google or Sphinx style.

Parsing costs more than anything else in an inventory, so only a docstring that documents parameters is parsed, by the
parser of its style. Text in any other form gives a summary and nothing else; nothing in here raises, whatever the
text.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

_NUMPY: Final = re.compile(r"^(?:Other )?Param\w*[ \t]*\n-{3,}", re.MULTILINE)
_GOOGLE: Final = re.compile(
    r"^(?:Args|Arguments|Params|Parameters|Keyword Args|Keyword Arguments):[ \t]*$", re.MULTILINE
)
_SPHINX: Final = re.compile(r"^[:@]param\b", re.MULTILINE)


@dataclass(frozen=True)
class PlanText:
    """What the docstring of a plan says."""

    #: First paragraph.
    summary: str = ""
    #: Text by parameter name, without leading asterisks.
    parameters: dict[str, str] = field(default_factory=dict)


def read_docstring(docstring: object) -> PlanText:
    """Parse a docstring; anything that is not text counts as an empty one."""
    text = inspect.cleandoc(docstring) if isinstance(docstring, str) else ""
    for style in (_NUMPY, _GOOGLE, _SPHINX):
        section = style.search(text)
        if section:
            return PlanText(_summary(text[: section.start()]), _parameters(text, style))
    return PlanText(_summary(text))


def _summary(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())


def _parameters(text: str, style: re.Pattern[str]) -> dict[str, str]:
    try:
        parsed = _parser(style)(text)
    except BaseException:  # noqa: BLE001 - protects the inventory from text that the parser does not foresee
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
