"""How long a question of a plan waits for an answer: an option that is checked here and handed on to the Worker."""

from __future__ import annotations

import os
from typing import Final

from queueserver_standalone.errors import StandaloneError

OPTION: Final = "--question-timeout"
VARIABLE: Final = "QUEUESERVER_QUESTION_TIMEOUT"
NEVER: Final = "none"
_MOST_SECONDS: Final = 10**9


def read_question_timeout(given: str | None) -> str:
    """Read the option, else the environment variable; "none" for ever. Raises StandaloneError if it can't be used."""
    name, text = (OPTION, given) if given is not None else (VARIABLE, os.environ.get(VARIABLE) or NEVER)
    if text.strip().lower() == NEVER:
        return NEVER
    try:
        usable = 0 < float(text) <= _MOST_SECONDS
    except ValueError:
        usable = False
    if not usable:
        raise StandaloneError(f"'{text}' is no time for a question to wait. Give {name} in seconds, or {NEVER}.")
    return text
