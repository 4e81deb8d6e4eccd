"""``python -m queueserver_import``: the same as ``qserver-import``."""

from __future__ import annotations

import sys

from queueserver_import.command import main

if __name__ == "__main__":
    sys.exit(main())
