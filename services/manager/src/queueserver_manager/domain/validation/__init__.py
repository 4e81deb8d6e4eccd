"""Whether a call fits its plan."""
