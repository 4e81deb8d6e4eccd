"""What the process that keeps Redis running reports about it: lines of JSON on an inherited pipe.

The counterpart is redis_report.py of the package queueserver_standalone, which can't be imported here. Without the
pipe, or after its end, Redis is known only by its answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable

from queueserver_manager.domain.storage import Notice, StorageState

#: The number of the pipe, in our environment.
REPORT_VARIABLE = "QUEUESERVER_REDIS_REPORT_FD"
_LONGEST_LINE = 16 * 1024
_log = logging.getLogger(__name__)


async def follow_report(told: Callable[[Notice], None]) -> None:
    """Pass on each notice until the sending end is closed."""
    number = os.environ.pop(REPORT_VARIABLE, "")
    if not number.isdigit():
        return
    reader = asyncio.StreamReader(_LONGEST_LINE)
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(int(number), "rb", buffering=0)
        )
    except (OSError, ValueError) as error:
        _log.warning("The report about Redis can't be read from descriptor %s (%s)", number, error)
        return
    try:
        while line := await reader.readline():
            told(notice_of(line))
    except (ValueError, LookupError, TypeError) as error:
        _log.warning("The report about Redis can't be understood (%s)", error)
    finally:
        transport.close()


def notice_of(line: bytes) -> Notice:
    """A notice from its line. Raises ValueError, LookupError, TypeError."""
    fields = json.loads(line)
    return Notice(
        state=StorageState[fields["state"].upper()],
        message=fields["message"],
        free_bytes=fields["free_bytes"],
        needed_bytes=fields["needed_bytes"],
    )
