"""Run documents: encoded for the supervisor, and shown as a table."""
