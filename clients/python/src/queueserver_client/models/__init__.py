"""The server's responses as frozen dataclasses. Each knows how to read itself from the contract."""
