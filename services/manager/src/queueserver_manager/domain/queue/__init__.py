"""The queue: its items, their order, edits, and how it runs."""
