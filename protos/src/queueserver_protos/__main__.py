"""The command `python -m queueserver_protos`: prints the path of the descriptor set."""

from __future__ import annotations

import sys

from queueserver_protos import descriptor_set

if __name__ == "__main__":
    sys.stdout.write(f"{descriptor_set()}\n")
