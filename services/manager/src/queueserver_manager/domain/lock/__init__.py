"""The lock, as decisions."""
