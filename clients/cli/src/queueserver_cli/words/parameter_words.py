"""The parameters of a plan, as a signature and as the cells of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from queueserver_client import ParameterDescription, ParameterKind, PlanDescription

from queueserver_cli.words.description_words import bounds_words

_MODULES = re.compile(r"\b(?:collections\.abc|typing)\.")
#: A kind of devices or plans, as the server names it.
_PROTOCOL = re.compile(r"__([A-Z]+)__")
HEADINGS = ("parameter", "takes", "default", "limits", "meaning")
_STARS = {ParameterKind.VAR_POSITIONAL: "*", ParameterKind.VAR_KEYWORD: "**"}
_KEYWORDS_ONLY = {ParameterKind.KEYWORD_ONLY, ParameterKind.VAR_POSITIONAL}


def signature(plan: PlanDescription) -> str:
    """How the plan is called, as Python writes it, without types."""
    return f"{plan.name}({parameters(plan)})"


def parameters(plan: PlanDescription) -> str:
    """The same without the name."""
    parts: list[str] = []
    by_keyword = False
    for index, parameter in enumerate(plan.parameters):
        if parameter.kind is ParameterKind.KEYWORD_ONLY and not by_keyword:
            parts.append("*")
        by_keyword = by_keyword or parameter.kind in _KEYWORDS_ONLY
        default = f"={parameter.default_text}" if parameter.default_text is not None else ""
        parts.append(f"{_STARS.get(parameter.kind, '')}{parameter.name}{default}")
        following = plan.parameters[index + 1 : index + 2]
        if parameter.kind is ParameterKind.POSITIONAL_ONLY and all(
            each.kind is not ParameterKind.POSITIONAL_ONLY for each in following
        ):
            parts.append("/")
    return ", ".join(parts)


def parameter_rows(parameters: Sequence[ParameterDescription]) -> list[list[str]]:
    """The cells of each line."""
    return [_row(parameter) for parameter in parameters]


def _row(parameter: ParameterDescription) -> list[str]:
    star = _STARS.get(parameter.kind, "")
    default = parameter.default_text if parameter.default_text is not None else "" if star else "(required)"
    meaning = parameter.description
    if parameter.unchecked:
        meaning = f"{meaning} (not checked before it runs: {parameter.unchecked})".lstrip()
    return [f"{star}{parameter.name}", _annotation(parameter), default, bounds_words(parameter), meaning]


def _annotation(parameter: ParameterDescription) -> str:
    """The annotation as people write it, without the modules of Python's own words: Sequence[Readable]."""
    text = _MODULES.sub("", parameter.annotation)
    return _PROTOCOL.sub(lambda found: found[1].capitalize(), text) or "anything"
