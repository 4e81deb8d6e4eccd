"""The whole Queue Server on one machine in one command: Redis, Worker and Manager as supervised processes.

Nothing here uses gRPC, and Redis gets no more than a PING and one setting, so that the supervising process stays small.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - checked here, because an older Python can't even parse what follows
    sys.exit(
        f"start-re-manager needs Python 3.10 or newer, and this one is {'.'.join(map(str, sys.version_info[:2]))}."
    )
