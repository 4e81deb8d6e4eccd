"""What is wrong with a YAML file, in words for the person who has to correct it."""

from __future__ import annotations

import yaml

_LONGEST = 200


def yaml_problem(error: Exception) -> str:
    """Where reading ended and why, in one line. ``error`` is what the YAML library raised."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "context", None)
    if isinstance(error, yaml.MarkedYAMLError) and mark is not None and problem:
        text = f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    elif isinstance(error, yaml.reader.ReaderError):
        text = f"character {error.position + 1}: {error.reason}"
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.replace("<stream end>", "the end of the file").split())[:_LONGEST]
