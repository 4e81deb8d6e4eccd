"""Speed of real processes, measured: `make bench`. Nothing here asserts anything about time."""
