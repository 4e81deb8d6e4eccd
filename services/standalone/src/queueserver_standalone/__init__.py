"""The whole Queue Server on one machine in one command: Redis, Worker and Manager as supervised processes.

Nothing here speaks gRPC, nor to Redis beyond a PING and one setting, so that the process which watches the others stays
small.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - said here, because what follows is not even read by an older one
    sys.exit(
        f"start-re-manager needs Python 3.10 or newer, and this one is {'.'.join(map(str, sys.version_info[:2]))}."
    )
