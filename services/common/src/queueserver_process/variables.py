"""Settings in environment variables: under one prefix, and under a second one that is understood too."""

from __future__ import annotations

import os
from collections.abc import Mapping

PREFIX = "QSERVER_"
_OTHER_PREFIX = "QUEUESERVER_"


def names_of(name: str) -> tuple[str, str]:
    """The variables of a setting, the first of which counts if both are set; ``name`` is without a prefix."""
    return PREFIX + name, _OTHER_PREFIX + name


def value_of(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value of a setting; empty if no variable says it."""
    return next((value for variable in names_of(name) if (value := environment.get(variable))), "")
