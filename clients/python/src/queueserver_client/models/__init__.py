"""What the server's answers are made of, as frozen dataclasses. Each knows how to read itself from the contract."""
