"""The logger of the supervisor. :mod:`queueserver_process.log` decides how it is written, as in the other services.

A terminal that does not read holds nobody up: the parts are kept running, and Ctrl-C is obeyed.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("queueserver_standalone")
