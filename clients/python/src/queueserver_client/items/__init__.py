"""One item: its handle, its documents, its end."""
