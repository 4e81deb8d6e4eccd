"""What a Manager does that waits to become the owner."""
