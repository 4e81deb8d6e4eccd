"""Names that say that something is metadata, in which no text stands for a device or plan."""

from __future__ import annotations

import re
from typing import Final

_METADATA: Final = re.compile(r"(?:^|_)(?:md|meta|metadata)$")


def is_metadata_name(name: str) -> bool:
    """Tell whether a parameter or key of that name is for metadata, such as ``md`` or ``sample_metadata``."""
    return _METADATA.search(name) is not None
