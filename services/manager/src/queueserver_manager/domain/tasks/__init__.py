"""Functions and scripts, from their acceptance to their result."""
