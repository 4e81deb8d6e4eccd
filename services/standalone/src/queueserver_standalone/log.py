"""The logger of the supervisor. :mod:`queueserver_process.log` decides how it is written, as in the other services.

A terminal that does not read blocks nothing: the supervisor keeps the parts running, and Ctrl-C works.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("queueserver_standalone")
