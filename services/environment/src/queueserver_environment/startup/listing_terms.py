"""What the process that lists plans and devices and the one that starts it agree on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FAILED: Final = 1
"""Exit code: there is no list, and the reason file says why."""
LEFT_OUT: Final = 3
"""Exit code: the list was written without some plans, and the reason file says which and why."""


def reason_file(list_file: Path) -> Path:
    """Where the reason is written."""
    return list_file.with_suffix(".reason")
