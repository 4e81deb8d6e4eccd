"""Entry of the environment process.

The first thing that happens is the tie to the parent: a child whose supervisor is gone must not live on with
hardware in its hands. Only then is anything imported that takes time. The current directory is no place to import
from: a file of the user's with the name of some library must not take its place.
"""

import sys

if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        sys.path.pop(0)

    from queueserver_worker.environment.lifeline import die_with_parent

    die_with_parent()

    from queueserver_worker.environment.child import main

    raise SystemExit(main())
