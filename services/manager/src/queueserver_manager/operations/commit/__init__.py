"""The one writer of the record: decisions, commits, and the responses that are stored with them."""
