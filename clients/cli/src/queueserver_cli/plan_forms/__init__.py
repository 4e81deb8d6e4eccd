"""A plan as text on the command line and in an editor."""
