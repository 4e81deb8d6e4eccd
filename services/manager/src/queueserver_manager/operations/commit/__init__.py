"""The one writer of the record: decisions, commits, and the replies that are stored with them."""
