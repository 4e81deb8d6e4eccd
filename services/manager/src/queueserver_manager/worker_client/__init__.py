"""The Manager's side of the Worker's contract."""
