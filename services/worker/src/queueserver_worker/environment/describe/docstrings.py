"""Docstrings of plans: the summary and what each parameter means, from numpy-style text.

Parsing costs more than anything else in an inventory, so a docstring that has no parameter section is not parsed.
Text that is no numpy style gives a summary and nothing else; nothing in here raises because of what people write.
"""

import inspect
from dataclasses import dataclass, field
from typing import Final

_UNDERLINE: Final = "----"


@dataclass(frozen=True)
class PlanText:
    """What the docstring of a plan says."""

    #: First paragraph.
    summary: str = ""
    #: Text by parameter name, without leading asterisks.
    parameters: dict[str, str] = field(default_factory=dict)


def read_docstring(docstring: str | None) -> PlanText:
    """Take a docstring apart."""
    text = inspect.cleandoc(docstring or "")
    summary = " ".join(text.split("\n\n", 1)[0].split())
    return PlanText(summary=summary, parameters=_parameters(text) if _UNDERLINE in text else {})


def _parameters(text: str) -> dict[str, str]:
    from docstring_parser.numpydoc import NumpydocParser  # noqa: PLC0415 - paid only if a plan is documented

    try:
        parsed = NumpydocParser().parse(text)
    except Exception:  # noqa: BLE001 - protects the inventory from text the parser does not foresee
        return {}
    found: dict[str, str] = {}
    for parameter in parsed.params:
        for name in parameter.arg_name.split(","):
            found[name.strip().lstrip("*")] = parameter.description or ""
    return found
