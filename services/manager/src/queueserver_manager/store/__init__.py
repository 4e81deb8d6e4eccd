"""Where the Manager keeps what must survive: loads and commits, takes no decisions."""
