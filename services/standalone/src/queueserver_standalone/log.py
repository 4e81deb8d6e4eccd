"""The logger of the supervisor. How it is written is decided by :mod:`queueserver_rpc.log`, as in the other services.

A terminal that does not read holds nobody up: the parts are kept running, and Ctrl-C is obeyed.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("queueserver_standalone")
