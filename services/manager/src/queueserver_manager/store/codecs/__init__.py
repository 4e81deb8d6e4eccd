"""How the record looks in Redis."""
