"""Functions and scripts, from acceptance to result."""
