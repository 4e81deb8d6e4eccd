"""The Redis that comes with the server: its program, its files, its disk."""
