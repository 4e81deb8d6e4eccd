"""Type hints and defaults of plans, as types of the contract and as text."""
