"""Everything that the Manager may refuse, as types."""
